#include <llmspell/storage.h>

const char *lls_version(void)
{
    return LLS_VERSION;
}
