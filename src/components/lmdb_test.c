/* The promises of the components, kept in a folder. */
#include "base/scope.h"
#include "testing/component_suite.h"
#include "testing/store_folder.h"

static lls_store_folder *folder; // of the group: cmocka hands a test one state only

static int open_store(void **state)
{
    void *opened = NULL;
    LLS_AUTO(lls_buf) path = {0};

    if (lls_store_folder_open(&opened) != 0)
        return -1;
    folder = opened;
    lls_buf_printf(&path, "storage.path=%s", lls_buf_cstr(&folder->path));
    const char *const flags[] = {"storage.backend=lmdb", lls_buf_cstr(&path)};
    return lls_component_open(flags, LLS_COUNT(flags), state);
}

static int close_store(void **state)
{
    void *opened = folder;

    (void)lls_component_close(state);
    return opened ? lls_store_folder_close(&opened) : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {LLS_COMPONENT_SUITE};

    if (!lls_store_folder_possible())
        return 77; // this build does not have the backend
    return cmocka_run_group_tests(tests, open_store, close_store);
}
