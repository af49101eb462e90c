/* The promises of the components, kept in a folder. */
#include "base/scope.h"
#include "testing/component_suite.h"
#include "testing/store_folder.h"

static lls_store_folder *folder; // of the group: cmocka hands a test one state only

static int open_in_folder(void **state, bool with_history)
{
    void *opened = NULL;
    LLS_AUTO(lls_buf) path = {0};

    if (lls_store_folder_open(&opened) != 0)
        return -1;
    folder = opened;
    lls_buf_printf(&path, "storage.path=%s", lls_buf_cstr(&folder->path));
    const char *const flags[] = {"storage.backend=lmdb", lls_buf_cstr(&path), LLS_HISTORY_FLAG};
    return lls_component_open(flags, with_history ? 3 : 2, state);
}

static int open_store(void **state)
{
    return open_in_folder(state, false);
}

static int open_with_history(void **state)
{
    return open_in_folder(state, true);
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
    const struct CMUnitTest kept[] = {LLS_COMPONENT_SUITE, LLS_HISTORY_SUITE};

    if (!lls_store_folder_possible())
        return 77; // this build does not have the backend
    return cmocka_run_group_tests(tests, open_store, close_store) +
           cmocka_run_group_tests(kept, open_with_history, close_store);
}
