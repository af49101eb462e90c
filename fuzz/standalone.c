/*
 * standalone.c - a main for the fuzz targets without libFuzzer: runs the target over every file of
 * the folders that are given, so that any compiler replays what was found once.
 */
#include "base/file.h"
#include "base/scope.h"
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>

enum { INPUT_MAX = 1 << 20 };

static int replay(const char *folder, const char *name)
{
    LLS_AUTO(lls_buf) path = {0};
    LLS_AUTO(lls_buf) input = {0};
    lls_error err = {0};

    lls_buf_printf(&path, "%s/%s", folder, name);
    if (lls_file_read(lls_buf_cstr(&path), INPUT_MAX, &input, &err) != LLS_OK) {
        (void)fprintf(stderr, "%s\n", err.msg);
        return -1;
    }
    // A block of exactly this size, so that a sanitizer sees a read behind its end.
    uint8_t *exact = malloc(input.len ? input.len : 1);
    if (!exact)
        return -1;
    if (input.len)
        memcpy(exact, input.data, input.len);
    int result = LLVMFuzzerTestOneInput(exact, input.len);
    free(exact);
    return result;
}

/* How many files were run, or -1. */
static int replay_folder(const char *path)
{
    DIR *folder = opendir(path);
    int count = 0;

    if (!folder) {
        perror(path);
        return -1;
    }
    for (struct dirent *entry; count >= 0 && (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.')
            count = replay(path, entry->d_name) == 0 ? count + 1 : -1;
    (void)closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int count = replay_folder(argv[i]);
        if (count <= 0) {
            (void)fprintf(stderr, "%s: no corpus was replayed\n", argv[i]);
            return 1;
        }
        (void)printf("%s: %d inputs\n", argv[i], count);
    }
    return argc > 1 ? 0 : 1;
}
