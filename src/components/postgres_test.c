/* The promises of the components, kept on a server. */
#include "base/scope.h"
#include "ports/backend.h"
#include "testing/component_suite.h"
#include "testing/private_postgres.h"

#include <llmspell/inspect.h>

static lls_private_postgres server; // of the group: cmocka hands a test one state only

static void set_up_schema(const char *const *flags, size_t count)
{
    static const char *const nothing[] = {"HOME=/nonexistent", NULL};
    lls_config_sources sources = {
        .abi = LLS_ABI, .environment = nothing, .flags = flags, .flag_count = count};
    lls_config *config = NULL;
    lls_error err = {0};

    assert_ok(lls_config_load(&sources, &config, &err), err);
    assert_ok(lls_schema_apply(config, NULL, NULL, NULL, &err), err);
    lls_config_free(config);
}

static int open_on_server(void **state, bool with_history)
{
    LLS_AUTO(lls_buf) connection = {0};
    lls_error err = {0};

    assert_ok(lls_private_postgres_start(&server, NULL, &err), err);
    lls_buf_printf(&connection, "storage.connection=%s", server.connection);
    const char *const flags[] = {"storage.backend=postgres", lls_buf_cstr(&connection),
                                 LLS_HISTORY_FLAG};
    set_up_schema(flags, 2);
    return lls_component_open(flags, with_history ? 3 : 2, state);
}

static int open_store(void **state)
{
    return open_on_server(state, false);
}

static int open_with_history(void **state)
{
    return open_on_server(state, true);
}

static int close_store(void **state)
{
    (void)lls_component_close(state);
    lls_private_postgres_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {LLS_COMPONENT_SUITE};
    const struct CMUnitTest kept[] = {LLS_COMPONENT_SUITE, LLS_HISTORY_SUITE};

    if (!lls_backend_find(LLS_STR("postgres")) || !lls_private_postgres_is_possible())
        return 77; // this build does not have the backend, or this machine no server
    return cmocka_run_group_tests(tests, open_store, close_store) +
           cmocka_run_group_tests(kept, open_with_history, close_store);
}
