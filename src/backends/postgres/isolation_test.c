/* Row-level security and least privilege, seen by SQL that goes around the backend. */
#include "testing/postgres_fixture.h"

static lls_private_postgres server;

/* A login of the application: a member of llmspell_app and nothing else. */
#define APP "user=app"

static int start(void **state)
{
    lls_error err = {0};

    (void)state;
    fixture_start_server(&server, NULL);
    (void)fixture_sql(server.connection, "CREATE ROLE app LOGIN IN ROLE llmspell_app");
    lls_backend *backend = fixture_open(server.connection, NULL, NULL);
    assert_ok(fixture_put(backend->kv, "one", "agent_state", "agent:a:1", "{\"n\": 1}", &err), err);
    assert_ok(fixture_put(backend->kv, "two", "agent_state", "agent:a:1", "{\"n\": 2}", &err), err);
    assert_ok(fixture_put(backend->kv, "one", "notes", "x", "[]", &err), err);
    lls_backend_close(backend);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lls_private_postgres_stop(&server);
    return 0;
}

static const char *as_app(const char *sql)
{
    return fixture_sql(fixture_connection(&server, APP), sql);
}

#define SET(tenant) "SELECT set_config('llmspell.current_tenant', '" tenant "', false);"

static void a_tenant_sees_its_own_rows_only(void **state)
{
    (void)state;
    assert_string_equal(as_app(SET("one") "SELECT string_agg(value->>'n', ',') FROM"
                                          " llmspell.agent_state"),
                        "1");
    assert_string_equal(as_app(SET("two") "SELECT string_agg(value->>'n', ',') FROM"
                                          " llmspell.agent_states"),
                        "2");
    assert_string_equal(as_app(SET("two") "SELECT count(*) FROM llmspell.kv_store"), "0");
}

static void without_a_tenant_there_is_nothing(void **state)
{
    (void)state;
    assert_string_equal(as_app("SELECT count(*) FROM llmspell.agent_state"), "0");
    assert_string_equal(as_app("SELECT count(*) FROM llmspell.agent_states"), "0");
    assert_string_equal(as_app(SET("") "SELECT count(*) FROM llmspell.agent_state"), "0");
}

static void rows_of_another_tenant_cannot_be_written(void **state)
{
    (void)state;
    assert_string_equal(as_app(SET("one") "INSERT INTO llmspell.agent_state VALUES ('two', 'k',"
                                          " '1', NULL, 1, now(), now())"),
                        "ERROR 42501");
    assert_string_equal(as_app(SET("one") "UPDATE llmspell.agent_state SET tenant_id = 'two'"),
                        "ERROR 42501");
    assert_string_equal(as_app(SET("one") "WITH d AS (DELETE FROM llmspell.agent_state WHERE"
                                          " tenant_id = 'two' RETURNING 1) SELECT count(*) FROM d"),
                        "0");
    assert_string_equal(as_app(SET("one") "COPY llmspell.agent_state FROM STDIN"), "ERROR 0A000");
}

/* The role is set in each transaction, so a superuser's login is bound like any other. */
static void a_superuser_login_is_bound_too(void **state)
{
    lls_backend *backend = fixture_open(server.connection, NULL, NULL);
    lls_kv_space two = {LLS_STR("two"), LLS_STR("agent_state")};
    lls_error err = {0};
    uint64_t count;

    (void)state;
    assert_string_equal(fixture_sql(server.connection, "SELECT count(*) FROM llmspell.agent_state"),
                        "2"); // the login itself is bound by nothing
    assert_ok(lls_kv_clear(backend->kv, (lls_kv_space){LLS_STR("three"), two.coll}, &err), err);
    assert_ok(lls_kv_count(backend->kv, two, &count, &err), err);
    assert_int_equal(count, 1);
    lls_backend_close(backend);
    assert_string_equal(fixture_sql(server.connection,
                                    "BEGIN; SELECT set_config('llmspell.current_tenant', 'two',"
                                    " true), set_config('role', 'llmspell_app', true);"
                                    " SELECT count(*) FROM llmspell.agent_state"),
                        "1");
}

static void an_owner_that_is_no_superuser_is_bound_too(void **state)
{
    lls_error err = {0};
    lls_backend *backend = NULL;

    (void)state;
    (void)fixture_sql(server.connection, "CREATE ROLE keeper LOGIN CREATEROLE");
    (void)fixture_sql(server.connection, "CREATE DATABASE kept OWNER keeper");
    (void)fixture_sql(server.connection, "GRANT llmspell_app TO keeper WITH ADMIN OPTION");
    const char *keeper = fixture_connection(&server, "user=keeper dbname=kept");
    fixture_apply_schema(keeper);
    backend = fixture_open(keeper, NULL, NULL);
    assert_ok(fixture_put(backend->kv, "one", "sessions", "session:1", "{}", &err), err);
    assert_ok(backend->def->ready(backend, 0, &err), err);
    lls_backend_close(backend);
    assert_string_equal(fixture_sql(keeper, "SELECT count(*) FROM llmspell.sessions"), "0");
    assert_string_equal(fixture_sql(keeper, SET("one") "SELECT count(*) FROM llmspell.sessions"),
                        "1");
}

static void the_application_can_do_no_more_than_it_needs(void **state)
{
    static const char *const refused[] = {
        "CREATE TABLE llmspell.mine (a int)",
        "CREATE TABLE llmspell_stage.mine (a int)",
        "CREATE FUNCTION llmspell.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP TABLE llmspell.agent_state",
        "TRUNCATE llmspell.agent_state",
        "ALTER TABLE llmspell.agent_state DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant_isolation ON llmspell.agent_state",
        "INSERT INTO llmspell.schema_history VALUES (99, 'x', 'x')",
        "DELETE FROM llmspell.schema_history",
        "SELECT * FROM llmspell.own_table",
        "SELECT llmspell.guard_table('llmspell.agent_state')",
        "SELECT * FROM llmspell_stage.stage",
        "INSERT INTO llmspell_stage.stage (tenant_id, run, collection) VALUES ('a', 'b', 'c')",
        "SELECT llmspell_stage.find('r', 'c')",
        "SET ROLE postgres",
        "ALTER ROLE llmspell_app BYPASSRLS",
    };

    (void)state;
    for (size_t i = 0; i < LLS_COUNT(refused); i++)
        if (strcmp(as_app(refused[i]), "ERROR 42501") != 0)
            fail_msg("%s: %s", refused[i], as_app(refused[i]));
    assert_string_equal(fixture_sql(server.connection,
                                    "SELECT rolsuper OR rolbypassrls OR rolcanlogin FROM pg_roles"
                                    " WHERE rolname = 'llmspell_app'"),
                        "f");
    assert_string_equal(fixture_sql(server.connection,
                                    "CREATE ROLE nobody LOGIN; SET ROLE nobody;"
                                    " SELECT count(*) FROM llmspell.agent_state"),
                        "ERROR 42501");
}

static void a_staging_table_cannot_be_read(void **state)
{
    (void)state;
    assert_string_equal(as_app("SELECT llmspell_stage.open('r', 'c')"), "ERROR 42501"); // no tenant
    const char *id = as_app(SET("one") "SELECT llmspell_stage.open('r', 'c')");
    char sql[160];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO llmspell_stage.s_%.20s VALUES ('k', '1', NULL,"
                   " 1, now(), now()) RETURNING key",
                   id);
    char read[80];
    (void)snprintf(read, sizeof(read), "SELECT * FROM llmspell_stage.s_%.20s", id);
    assert_string_equal(as_app(sql), "ERROR 42501"); // RETURNING reads
    *strstr(sql, " RETURNING") = '\0';
    assert_string_equal(as_app(sql), "");
    assert_string_equal(as_app(read), "ERROR 42501");
    // Another tenant's stage has the same run and collection, and is another one.
    assert_string_equal(as_app(SET("two") "SELECT count FROM llmspell_stage.last('r', 'c')"), "0");
    assert_string_equal(as_app(SET("one") "SELECT count FROM llmspell_stage.last('r', 'c')"), "1");
    assert_string_equal(as_app(SET("two") "SELECT llmspell_stage.fill('r', 'c', true)"),
                        "ERROR LS404");
    assert_string_equal(as_app(SET("one") "SELECT llmspell_stage.open('r; drop', 'c')"),
                        "ERROR 22023");
    assert_string_equal(as_app(SET("one") "SELECT llmspell_stage.discard('r')"), "");
}

static void an_application_login_does_all_the_work(void **state)
{
    lls_backend *backend = fixture_open(fixture_connection(&server, APP), NULL, NULL);
    lls_error err = {0};

    (void)state;
    assert_ok(backend->def->ready(backend, 0, &err), err);
    assert_ok(fixture_put(backend->kv, "app", "sessions", "session:1", "{}", &err), err);
    assert_code(backend->def->schema->apply(backend, NULL, NULL, &err), LLS_OK, err); // none is due
    lls_backend_close(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tenant_sees_its_own_rows_only),
        cmocka_unit_test(without_a_tenant_there_is_nothing),
        cmocka_unit_test(rows_of_another_tenant_cannot_be_written),
        cmocka_unit_test(a_superuser_login_is_bound_too),
        cmocka_unit_test(an_owner_that_is_no_superuser_is_bound_too),
        cmocka_unit_test(the_application_can_do_no_more_than_it_needs),
        cmocka_unit_test(a_staging_table_cannot_be_read),
        cmocka_unit_test(an_application_login_does_all_the_work),
    };

    fixture_need_server();
    return cmocka_run_group_tests_name("postgres isolation", tests, start, stop);
}
