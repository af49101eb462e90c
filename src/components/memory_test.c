/* The promises of the components, kept in memory. */
#include "base/scope.h"
#include "testing/component_suite.h"

static int open_store(void **state)
{
    static const char *const flags[] = {"storage.backend=memory"};

    return lls_component_open(flags, LLS_COUNT(flags), state);
}

/* Everything else must be the same with a history. */
static int open_with_history(void **state)
{
    static const char *const flags[] = {"storage.backend=memory", LLS_HISTORY_FLAG};

    return lls_component_open(flags, LLS_COUNT(flags), state);
}

int main(void)
{
    const struct CMUnitTest kept[] = {LLS_COMPONENT_SUITE, LLS_HISTORY_SUITE};
    const struct CMUnitTest tests[] = {LLS_COMPONENT_SUITE, LLS_EPISODE_SUITE};

    return cmocka_run_group_tests(tests, open_store, lls_component_close) +
           cmocka_run_group_tests(kept, open_with_history, lls_component_close);
}
