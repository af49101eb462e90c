/* The suites of the vector port: with what the server has, and without pgvector. */
#include "testing/postgres_fixture.h"
#include "testing/vec_suite.h"

static lls_private_postgres server;
static lls_records_view view;
static lls_backend *backend;

static int start(void **state)
{
    fixture_start_server(&server, NULL);
    backend = fixture_open(server.connection, NULL, NULL);
    *state = backend;
    return 0;
}

/* The name of its type is taken, so that the extension cannot be made: all is float4[]. */
static int start_without_pgvector(void **state)
{
    lls_error err = {0};

    assert_ok(lls_private_postgres_start(&server, NULL, &err), err);
    (void)fixture_sql(server.connection, "CREATE TYPE public.vector AS (taken integer)");
    fixture_apply_schema(server.connection);
    assert_string_equal(fixture_sql(server.connection, "SELECT count(*) FROM pg_extension"
                                                       " WHERE extname = 'vector'"),
                        "0");
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
    const struct CMUnitTest plain[] = {LLS_VEC_VERBS_SUITE, LLS_VEC_SEARCH_SUITE,
                                       LLS_VEC_CANONICAL_SUITE, LLS_VEC_STAGE_SUITE,
                                       LLS_VEC_EXACT_SUITE};
    const struct CMUnitTest records[] = {LLS_VEC_RECORDS_SUITE};

    fixture_need_server();
    int failed = cmocka_run_group_tests_name("vectors", tests, start, stop);
    failed += cmocka_run_group_tests_name("vectors without pgvector", plain, start_without_pgvector,
                                          stop);
    return failed + cmocka_run_group_tests_name("records of vectors", records, start_records, stop);
}
