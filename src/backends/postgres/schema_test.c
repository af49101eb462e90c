/* The schema's steps: applied in order, once, whoever else tries; edited and unknown ones found. */
#include "testing/postgres_fixture.h"

#include <pthread.h>

static lls_private_postgres server;
static char database[512];
static int databases;

static int start(void **state)
{
    lls_error err = {0};

    (void)state;
    assert_ok(lls_private_postgres_start(&server, NULL, &err), err);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lls_private_postgres_stop(&server);
    return 0;
}

/* Each test has a database of its own. */
static int fresh(void **state)
{
    char sql[64];
    char more[64];

    (void)state;
    (void)snprintf(sql, sizeof(sql), "CREATE DATABASE d%d", ++databases);
    (void)snprintf(more, sizeof(more), "dbname=d%d", databases);
    (void)fixture_sql(server.connection, sql);
    (void)snprintf(database, sizeof(database), "%s", fixture_connection(&server, more));
    return 0;
}

static lls_err list_step(void *user, const lls_schema_step *step, lls_error *err)
{
    (void)err;
    lls_buf_printf(user, "V%u %s %s%s\n", step->number, step->name, step->state,
                   step->applied_usec ? "" : ", never");
    return LLS_OK;
}

static lls_backend *backend_of_test(void)
{
    return fixture_open(database, NULL, NULL);
}

#define ALL(state)                                                                                 \
    "V1 setup " state "V2 kv " state "V3 vector_embeddings " state "V5 staging " state             \
    "V7 agent_state " state "V8 workflow_state " state "V9 sessions " state                        \
    "V16 agent_state_history " state

static void assert_status(lls_backend *backend, const char *want)
{
    LLS_AUTO(lls_buf) got = {0};
    lls_error err = {0};

    assert_ok(backend->def->schema->status(backend, list_step, &got, &err), err);
    assert_string_equal(lls_buf_cstr(&got), want);
}

static void steps_are_applied_in_number_order_once(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = backend_of_test();
    LLS_AUTO(lls_buf) told = {0};
    lls_error err = {0};

    (void)state;
    assert_status(backend, ALL("pending, never\n"));
    assert_code(backend->def->ready(backend, 0, &err), LLS_E_UNAVAILABLE, err);
    assert_string_equal(err.msg, "the schema is at V0, this build needs V16: run"
                                 " 'llmspell storage schema apply'");
    assert_ok(backend->def->schema->apply(backend, list_step, &told, &err), err);
    assert_string_equal(lls_buf_cstr(&told), ALL("applied\n"));
    lls_buf_clear(&told);
    assert_ok(backend->def->schema->apply(backend, list_step, &told, &err), err);
    assert_int_equal(told.len, 0);
    assert_status(backend, ALL("applied\n"));
    assert_ok(backend->def->ready(backend, 0, &err), err);
    assert_string_equal(fixture_sql(database, "SELECT count(*) FROM llmspell.schema_history WHERE"
                                              " applied_by = 'postgres' AND length(checksum) = 64"),
                        "8");
}

static void operations_say_what_to_run(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = backend_of_test();
    lls_error err = {0};

    (void)state;
    assert_code(fixture_put(backend->kv, "t", "sessions", "session:1", "{}", &err),
                LLS_E_UNAVAILABLE, err);
    assert_non_null(strstr(err.msg, "the schema is at V0, this build needs V16: run"
                                    " 'llmspell storage schema apply'"));
}

/* A database from before a step with a low number: it says so, and gets it. */
static void a_step_below_applied_ones_is_applied(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = backend_of_test();
    lls_error err = {0};

    (void)state;
    assert_ok(backend->def->schema->apply(backend, NULL, NULL, &err), err);
    (void)fixture_sql(database,
                      "DROP TABLE llmspell.vector_embeddings, llmspell.vector_spaces,"
                      " llmspell.vector_terms, llmspell_stage.vector_stage CASCADE;"
                      "DO $$ DECLARE f regprocedure; BEGIN FOR f IN SELECT oid FROM"
                      " pg_proc WHERE pronamespace IN ('llmspell'::regnamespace,"
                      " 'llmspell_stage'::regnamespace) AND (proname ~ 'vector' OR"
                      " proname IN ('required_tenant', 'bind_tenant', 'embedding_type'))"
                      " LOOP EXECUTE 'DROP ROUTINE ' || f || ' CASCADE'; END LOOP; END $$;"
                      "DELETE FROM llmspell.schema_history WHERE number = 3");
    assert_code(backend->def->ready(backend, 0, &err), LLS_E_UNAVAILABLE, err);
    assert_non_null(strstr(err.msg, "the schema is at V2, this build needs V16"));
    assert_ok(backend->def->schema->apply(backend, NULL, NULL, &err), err);
    assert_status(backend, ALL("applied\n"));
    assert_ok(backend->def->ready(backend, 0, &err), err);
}

/* A step whose number lies between applied ones is applied all the same. */
static void a_gap_is_filled(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = backend_of_test();
    lls_error err = {0};

    (void)state;
    assert_ok(backend->def->schema->apply(backend, NULL, NULL, &err), err);
    (void)fixture_sql(database, "DROP TABLE llmspell.workflow_state CASCADE;"
                                "DELETE FROM llmspell.own_table WHERE collection ="
                                " 'workflow_state';"
                                "DELETE FROM llmspell.schema_history WHERE number = 8");
    assert_code(backend->def->ready(backend, 0, &err), LLS_E_UNAVAILABLE, err);
    assert_ok(backend->def->schema->apply(backend, NULL, NULL, &err), err);
    assert_status(backend, ALL("applied\n"));
    assert_ok(fixture_put(backend->kv, "t", "workflow_state", "k", "{}", &err), err);
}

static void an_edited_step_is_refused(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = backend_of_test();
    lls_error err = {0};

    (void)state;
    assert_ok(backend->def->schema->apply(backend, NULL, NULL, &err), err);
    (void)fixture_sql(database, "UPDATE llmspell.schema_history SET checksum = reverse(checksum)"
                                " WHERE number = 7");
    assert_code(backend->def->schema->apply(backend, NULL, NULL, &err), LLS_E_MISMATCH, err);
    assert_string_equal(err.msg,
                        "schema step V7 'agent_state' was edited after it had been applied");
    assert_code(backend->def->ready(backend, 0, &err), LLS_E_MISMATCH, err);
}

static void an_unknown_step_is_refused(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = backend_of_test();
    lls_error err = {0};

    (void)state;
    assert_ok(backend->def->schema->apply(backend, NULL, NULL, &err), err);
    (void)fixture_sql(database, "INSERT INTO llmspell.schema_history VALUES (77, 'later', 'x')");
    assert_status(backend, ALL("applied\n") "V77 later unknown\n");
    assert_code(backend->def->schema->apply(backend, NULL, NULL, &err), LLS_E_NEWER, err);
    assert_string_equal(err.msg,
                        "the database has schema step V77 'later', which this build does not know");
    assert_code(backend->def->ready(backend, 0, &err), LLS_E_NEWER, err);
}

/* A step that fails leaves nothing of itself, and those before it stay. */
static void a_failed_step_leaves_nothing(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = backend_of_test();
    lls_error err = {0};

    (void)state;
    (void)fixture_sql(database, "CREATE SCHEMA llmspell; CREATE TABLE llmspell.workflow_state ()");
    assert_code(backend->def->schema->apply(backend, NULL, NULL, &err), LLS_E_INTERNAL, err);
    assert_string_equal(err.sqlstate, "42P07");
    assert_non_null(strstr(err.msg, "schema step V8 'workflow_state': relation"));
    assert_string_equal(fixture_sql(database, "SELECT max(number) FROM llmspell.schema_history"),
                        "7");
    (void)fixture_sql(database, "DROP TABLE llmspell.workflow_state");
    assert_ok(backend->def->schema->apply(backend, NULL, NULL, &err), err);
}

static void *apply_in_thread(void *user)
{
    static const lls_error none = {0};
    lls_error *err = user;
    lls_backend *backend = NULL;

    *err = none;
    if (fixture_try_open(database, NULL, NULL, &backend, err) != LLS_OK)
        return user;
    lls_err e = backend->def->schema->apply(backend, NULL, NULL, err);
    lls_backend_close(backend);
    return e == LLS_OK ? NULL : user;
}

static void administrators_at_once_apply_each_step_once(void **state)
{
    enum { THREADS = 6 };
    pthread_t threads[THREADS];
    lls_error errors[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, apply_in_thread, &errors[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        if (failed)
            fail_msg("%s", errors[i].msg);
    }
    LLS_AUTO(lls_backend_ref) backend = backend_of_test();
    assert_status(backend, ALL("applied\n"));
}

static void find(void *user, const char *name, const char *value)
{
    lls_buf_printf(user, "%s: %s\n", name, value);
}

static void check_finds_what_was_weakened(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = backend_of_test();
    LLS_AUTO(lls_buf) found = {0};
    lls_error err = {0};

    (void)state;
    assert_ok(backend->def->schema->apply(backend, NULL, NULL, &err), err);
    assert_ok(backend->def->check(backend, find, &found, &err), err);
    assert_int_equal(found.len, 0);
    (void)fixture_sql(database, "ALTER TABLE llmspell.sessions NO FORCE ROW LEVEL SECURITY;"
                                "ALTER ROLE llmspell_app BYPASSRLS");
    assert_ok(backend->def->check(backend, find, &found, &err), err);
    (void)fixture_sql(database, "ALTER ROLE llmspell_app NOBYPASSRLS");
    assert_string_equal(lls_buf_cstr(&found),
                        "row-level security: llmspell.sessions does not bind every login\n"
                        "role: role 'llmspell_app' is not bound by row-level security\n");
}

static void facts_are_told(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = backend_of_test();
    LLS_AUTO(lls_buf) found = {0};
    lls_error err = {0};

    (void)state;
    assert_ok(backend->def->schema->apply(backend, NULL, NULL, &err), err);
    assert_ok(backend->def->facts(backend, find, &found, &err), err);
    assert_non_null(strstr(lls_buf_cstr(&found), "schema: V16 of V16\n"));
    assert_non_null(strstr(lls_buf_cstr(&found), "row-level security: forced on every table\n"));
    assert_non_null(strstr(lls_buf_cstr(&found), "tls: off\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(steps_are_applied_in_number_order_once, fresh),
        cmocka_unit_test_setup(operations_say_what_to_run, fresh),
        cmocka_unit_test_setup(a_gap_is_filled, fresh),
        cmocka_unit_test_setup(a_step_below_applied_ones_is_applied, fresh),
        cmocka_unit_test_setup(an_edited_step_is_refused, fresh),
        cmocka_unit_test_setup(an_unknown_step_is_refused, fresh),
        cmocka_unit_test_setup(a_failed_step_leaves_nothing, fresh),
        cmocka_unit_test_setup(administrators_at_once_apply_each_step_once, fresh),
        cmocka_unit_test_setup(check_finds_what_was_weakened, fresh),
        cmocka_unit_test_setup(facts_are_told, fresh),
    };

    fixture_need_server();
    return cmocka_run_group_tests_name("postgres schema", tests, start, stop);
}
