/* Servers that stop, connections that are cut, logins that fail. */
#include "testing/postgres_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static lls_private_postgres server;

static int start(void **state)
{
    static const char *const hba[] = {"local all locked scram-sha-256", NULL};
    const lls_private_postgres_options options = {.fsync = true, .hba = hba};

    (void)state;
    fixture_start_server(&server, &options);
    (void)fixture_sql(server.connection, "CREATE ROLE locked LOGIN PASSWORD 'right'");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lls_private_postgres_stop(&server);
    return 0;
}

static const lls_kv_space space = {LLS_STR_INIT("default"), LLS_STR_INIT("sessions")};

static void a_wrong_password_is_denied(void **state)
{
    lls_error err = {0};
    lls_backend *backend = NULL;

    (void)state;
    const char *wrong = fixture_connection(&server, "user=locked password=wr0ng-s3cret");
    assert_code(fixture_try_open(wrong, NULL, NULL, &backend, &err), LLS_E_DENIED, err);
    assert_string_equal(err.sqlstate, "28P01");
    assert_string_equal(err.msg,
                        "open postgres: password authentication failed for user \"locked\"");
    assert_null(strstr(err.msg, "wr0ng-s3cret"));
    assert_code(fixture_try_open(fixture_connection(&server, "user=locked password=''"), NULL, NULL,
                                 &backend, &err),
                LLS_E_UNAVAILABLE, err);
    assert_non_null(strstr(err.msg, "password"));
    assert_code(
        fixture_try_open(fixture_connection(&server, "user=ghost"), NULL, NULL, &backend, &err),
        LLS_E_DENIED, err);
    assert_string_equal(err.msg, "open postgres: role \"ghost\" does not exist");
}

static void a_login_outside_the_role_is_denied(void **state)
{
    lls_error err = {0};

    (void)state;
    lls_backend *backend =
        fixture_open(fixture_connection(&server, "user=locked password=right"), NULL, NULL);
    assert_code(fixture_put(backend->kv, "t", "sessions", "k", "{}", &err), LLS_E_DENIED, err);
    assert_string_equal(err.msg, "permission denied to set role \"llmspell_app\"");
    assert_string_equal(err.sqlstate, "42501");
    assert_code(backend->def->ready(backend, 0, &err), LLS_E_DENIED, err);
    lls_backend_close(backend);
}

static void a_role_that_is_not_there_is_named(void **state)
{
    lls_backend *backend = fixture_open(server.connection, "role", "no\"such'role");
    lls_error err = {0};

    (void)state;
    assert_int_not_equal(fixture_put(backend->kv, "t", "sessions", "k", "{}", &err), LLS_OK);
    assert_string_equal(err.msg, "role \"no\"such'role\" does not exist");
    lls_backend_close(backend);
}

static void a_missing_database_is_named(void **state)
{
    lls_error err = {0};
    lls_backend *backend = NULL;

    (void)state;
    assert_code(
        fixture_try_open(fixture_connection(&server, "dbname=nowhere"), NULL, NULL, &backend, &err),
        LLS_E_UNAVAILABLE, err);
    assert_string_equal(err.sqlstate, "3D000");
    assert_string_equal(err.msg, "open postgres: database \"nowhere\" does not exist");
}

static void no_server_is_unavailable_at_once(void **state)
{
    lls_error err = {0};
    lls_backend *backend = NULL;
    int64_t before = lls_monotonic_usec();

    (void)state;
    assert_code(fixture_try_open("host=/nonexistent dbname=x", NULL, NULL, &backend, &err),
                LLS_E_UNAVAILABLE, err);
    assert_non_null(strstr(err.msg, "No such file or directory"));
    assert_true(lls_monotonic_usec() - before < 2000000);
}

static void another_encoding_is_refused(void **state)
{
    lls_error err = {0};
    lls_backend *backend = NULL;

    (void)state;
    (void)fixture_sql(server.connection, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C'"
                                         " TEMPLATE template0");
    assert_code(
        fixture_try_open(fixture_connection(&server, "dbname=latin"), NULL, NULL, &backend, &err),
        LLS_E_UNSUPPORTED, err);
    assert_string_equal(err.msg, "open postgres: database 'latin' is encoded in LATIN1; UTF8 is"
                                 " needed");
}

static void a_full_pool_says_so(void **state)
{
    lls_setting settings[] = {{"connection", server.connection, "test"},
                              {"pool_size", "1", "test"},
                              {"connect_timeout", "200ms", "test"}};
    lls_backend *backend = NULL;
    lls_kv_iter *it = NULL;
    lls_error err = {0};
    uint64_t count;

    (void)state;
    assert_ok(lls_backend_open(LLS_STR("postgres"), settings, 3, NULL, &backend, &err), err);
    assert_ok(lls_kv_scan(backend->kv, space, (lls_kv_range){0}, LLS_KV_ALL, &it, &err), err);
    assert_code(lls_kv_count(backend->kv, space, &count, &err), LLS_E_UNAVAILABLE, err);
    assert_string_equal(err.msg, "all 1 connections of option 'pool_size' are in use");
    lls_kv_iter_close(it);
    assert_ok(lls_kv_count(backend->kv, space, &count, &err), err);
    lls_backend_close(backend);
}

#define TERMINATE                                                                                  \
    "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE application_name"   \
    " = 'llmspell'"

static void idle_connections_that_were_cut_are_replaced(void **state)
{
    lls_backend *backend = fixture_open(server.connection, NULL, NULL);
    lls_error err = {0};

    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_ok(fixture_put(backend->kv, "cut", "sessions", "k", "{}", &err), err);
        assert_string_equal(fixture_sql(server.connection, TERMINATE), "1");
    }
    LLS_AUTO(lls_buf) out = {0};
    lls_kv_meta meta;
    assert_ok(lls_kv_get(backend->kv, (lls_kv_space){LLS_STR("cut"), space.coll}, B("k"), &out,
                         &meta, &err),
              err);
    assert_int_equal(meta.version, 5); // each was done once
    lls_backend_close(backend);
}

/* A scan cannot go on where its snapshot is gone: it fails, and says it again. */
static void a_scan_that_is_cut_fails_and_repeats_it(void **state)
{
    enum { COUNT = 3000 };
    static char value[2000];
    lls_backend *backend = fixture_open(server.connection, NULL, NULL);
    lls_kv_iter *it = NULL;
    lls_kv_item item;
    lls_error err = {0};
    lls_err e;

    (void)state;
    memset(value, 'x', sizeof(value) - 1);
    for (int i = 0; i < COUNT; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "%06d", i);
        assert_ok(fixture_put(backend->kv, "scan", "sessions", key, value, &err), err);
    }
    lls_kv_space big = {LLS_STR("scan"), space.coll};
    assert_ok(lls_kv_scan(backend->kv, big, (lls_kv_range){0}, LLS_KV_ALL, &it, &err), err);
    assert_ok(lls_kv_iter_next(it, &item, &err), err);
    assert_string_equal(fixture_sql(server.connection, TERMINATE), "1");
    while ((e = lls_kv_iter_next(it, &item, &err)) == LLS_OK)
        ;
    assert_code(e, LLS_E_UNAVAILABLE, err);
    assert_code(lls_kv_iter_next(it, &item, &err), LLS_E_UNAVAILABLE, err);
    lls_kv_iter_close(it);
    // Closed early, its connection is clean again.
    assert_ok(lls_kv_scan(backend->kv, big, (lls_kv_range){0}, LLS_KV_ALL, &it, &err), err);
    assert_ok(lls_kv_iter_next(it, &item, &err), err);
    lls_kv_iter_close(it);
    assert_ok(lls_kv_clear(backend->kv, big, &err), err);
    assert_string_equal(fixture_sql(server.connection,
                                    "SELECT count(*) FROM pg_stat_activity WHERE application_name ="
                                    " 'llmspell' AND state <> 'idle'"),
                        "0");
    lls_backend_close(backend);
}

/* What writers were told, while the server goes up and down. */
typedef struct writer {
    lls_backend *backend;
    int number;
    atomic_bool *stop;
    int acknowledged;
    int unknown;
} writer;

static void *write_on(void *user)
{
    writer *w = user;

    for (int i = 1; !atomic_load(w->stop); i++) {
        char key[32];
        lls_error err = {0};
        (void)snprintf(key, sizeof(key), "w%d", w->number);
        lls_kv_write write = {.verb = i == 1 ? LLS_KV_CREATE : LLS_KV_REPLACE,
                              .coll = space.coll,
                              .key = lls_bytes_of(lls_str_of(key)),
                              .value = B("{}"),
                              .meta = {.version = (uint64_t)w->acknowledged}};
        lls_err e = lls_kv_apply(w->backend->kv, space.tenant, &write, 1, &err);
        if (e == LLS_OK)
            w->acknowledged++;
        else if (e == LLS_E_UNAVAILABLE && strstr(err.msg, "the outcome is not known"))
            w->unknown++;
        else if (e != LLS_E_UNAVAILABLE && !(w->unknown && e == LLS_E_CONFLICT))
            return strdup(err.msg);
        if (w->unknown)
            return NULL; // its version is one of two now
        if (e != LLS_OK)
            i--;
    }
    return NULL;
}

static void cut_connections(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        (void)usleep(30000);
        (void)fixture_sql(server.connection, TERMINATE);
    }
}

static void restart_server(int rounds)
{
    lls_error err = {0};

    for (int i = 0; i < rounds; i++) {
        (void)usleep(200000);
        assert_ok(lls_private_postgres_halt(&server, "immediate", &err), err);
        assert_ok(lls_private_postgres_again(&server, &err), err);
    }
}

static uint64_t version_of(lls_backend *backend, const char *key)
{
    LLS_AUTO(lls_buf) out = {0};
    lls_kv_meta meta = {0};
    lls_error err = {0};
    lls_err e = lls_kv_get(backend->kv, space, lls_bytes_of(lls_str_of(key)), &out, &meta, &err);

    assert_true(e == LLS_OK || e == LLS_E_NOTFOUND);
    return meta.version;
}

/* Every acknowledged write is there once; none is there that was not at least reported unknown. */
static void write_through(void (*trouble)(int rounds), int rounds)
{
    enum { WRITERS = 4 };
    pthread_t threads[WRITERS];
    writer writers[WRITERS];
    atomic_bool end = false;
    lls_error err = {0};
    lls_backend *backend = fixture_open(server.connection, "connect_timeout", "20s");

    assert_ok(lls_kv_clear(backend->kv, space, &err), err);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (writer){.backend = backend, .number = i, .stop = &end};
        assert_int_equal(pthread_create(&threads[i], NULL, write_on, &writers[i]), 0);
    }
    trouble(rounds);
    atomic_store(&end, true);
    for (int i = 0; i < WRITERS; i++) {
        void *complaint;
        char key[32];
        assert_int_equal(pthread_join(threads[i], &complaint), 0);
        if (complaint)
            fail_msg("writer %d: %s", i, (char *)complaint);
        (void)snprintf(key, sizeof(key), "w%d", i);
        int version = (int)version_of(backend, key);
        if (version < writers[i].acknowledged ||
            version > writers[i].acknowledged + writers[i].unknown)
            fail_msg("writer %d: %d acknowledged, %d unknown, version %d", i,
                     writers[i].acknowledged, writers[i].unknown, version);
        assert_true(writers[i].acknowledged + writers[i].unknown > 0);
    }
    lls_backend_close(backend);
}

static void writes_survive_cut_connections(void **state)
{
    (void)state;
    write_through(cut_connections, 20);
}

static void writes_survive_crashes_of_the_server(void **state)
{
    (void)state;
    write_through(restart_server, 3);
}

static void a_reader_waits_for_a_server_that_restarts(void **state)
{
    lls_backend *backend = fixture_open(server.connection, NULL, NULL);
    lls_error err = {0};

    (void)state;
    assert_ok(fixture_put(backend->kv, "default", "sessions", "there", "{}", &err), err);
    assert_ok(lls_private_postgres_halt(&server, "immediate", &err), err);
    assert_ok(lls_private_postgres_again(&server, &err), err);
    assert_int_equal(version_of(backend, "there"), 1);
    assert_ok(lls_private_postgres_halt(&server, "fast", &err), err);
    uint64_t count;
    assert_code(lls_kv_count(backend->kv, space, &count, &err), LLS_E_UNAVAILABLE, err);
    assert_ok(lls_private_postgres_again(&server, &err), err);
    assert_ok(lls_kv_count(backend->kv, space, &count, &err), err);
    lls_backend_close(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_password_is_denied),
        cmocka_unit_test(a_login_outside_the_role_is_denied),
        cmocka_unit_test(a_role_that_is_not_there_is_named),
        cmocka_unit_test(a_missing_database_is_named),
        cmocka_unit_test(no_server_is_unavailable_at_once),
        cmocka_unit_test(another_encoding_is_refused),
        cmocka_unit_test(a_full_pool_says_so),
        cmocka_unit_test(idle_connections_that_were_cut_are_replaced),
        cmocka_unit_test(a_scan_that_is_cut_fails_and_repeats_it),
        cmocka_unit_test(writes_survive_cut_connections),
        cmocka_unit_test(writes_survive_crashes_of_the_server),
        cmocka_unit_test(a_reader_waits_for_a_server_that_restarts),
    };

    fixture_need_server();
    return cmocka_run_group_tests_name("postgres outages", tests, start, stop);
}
