/* Print records as lines for `llmspell storage import`: bench-generate COUNT BYTES */
#include "document.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    static char document[1 << 20];
    char key[64];

    if (argc != 3) {
        (void)fprintf(stderr, "usage: bench-generate COUNT BYTES\n");
        return 2;
    }
    uint64_t count = strtoull(argv[1], NULL, 10);
    size_t size = strtoull(argv[2], NULL, 10);
    for (uint64_t i = 0; i < count; i++) {
        (void)bench_key(i, key, sizeof(key));
        (void)bench_document(i, size, document, sizeof(document));
        if (printf("{\"key\": \"%s\", \"value\": %s}\n", key, document) < 0)
            return 1;
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
