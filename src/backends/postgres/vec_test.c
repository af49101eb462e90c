/* The suites of the vector port: with pgvector, without it, and behind PgBouncer. */
#include "testing/postgres_fixture.h"
#include "testing/vec_suite.h"

static lls_private_postgres server;
static lls_records_view view;
static lls_backend *backend;

static int start(void **state)
{
    lls_error err = {0};

    assert_ok(lls_private_postgres_start(&server, NULL, &err), err);
    fixture_apply_schema(server.connection);
    backend = fixture_open(server.connection, NULL, NULL);
    *state = backend;
    return 0;
}

static int start_records(void **state)
{
    (void)start(state);
    lls_records_view_init(&view, backend->vec);
    *state = &view.backend;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lls_backend_close(backend);
    lls_private_postgres_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {LLS_VEC_SUITE, LLS_VEC_STAGE_SUITE, LLS_VEC_EXACT_SUITE};
    const struct CMUnitTest records[] = {LLS_VEC_RECORDS_SUITE};

    fixture_need_server();
    int failed = cmocka_run_group_tests_name("vectors", tests, start, stop);
    return failed + cmocka_run_group_tests_name("records of vectors", records, start_records, stop);
}
