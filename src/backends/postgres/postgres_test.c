/* The suites of the port: straight, and behind PgBouncer. */
#include "testing/postgres_fixture.h"
#include "testing/stage_suite.h"

static lls_private_postgres server;

static int open_on(void **state, const char *connection)
{
    fixture_apply_schema(server.connection);
    *state = fixture_open(connection, NULL, NULL);
    return 0;
}

static int start(void **state)
{
    lls_error err = {0};

    assert_ok(lls_private_postgres_start(&server, NULL, &err), err);
    return open_on(state, server.connection);
}

static int start_behind_bouncer(void **state)
{
    char pooled[256];
    lls_error err = {0};

    assert_ok(lls_private_postgres_start(&server, NULL, &err), err);
    assert_ok(lls_private_postgres_bouncer(&server, pooled, &err), err);
    return open_on(state, pooled);
}

static int stop(void **state)
{
    lls_backend_close(*state);
    lls_private_postgres_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {LLS_KV_SUITE, LLS_STAGE_SUITE};

    fixture_need_server();
    int failed = cmocka_run_group_tests_name("postgres", tests, start, stop);
    if (system("command -v pgbouncer >/dev/null") == 0)
        failed += cmocka_run_group_tests_name("postgres behind PgBouncer", tests,
                                              start_behind_bouncer, stop);
    return failed;
}
