/* Stages under trouble: connections cut at every step, servers that crash, writers meanwhile. */
#include "base/alloc.h"
#include "testing/postgres_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static lls_private_postgres server;

static int start(void **state)
{
    (void)state;
    fixture_start_server(&server, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lls_private_postgres_stop(&server);
    return 0;
}

enum { COUNT = 300, STEPS = 9 };

/* One collection has a table of its own, the other shares one. */
static const lls_str colls[] = {LLS_STR_INIT("sessions"), LLS_STR_INIT("notes")};
static const lls_str tenant = LLS_STR_INIT("default");
static const lls_str run = LLS_STR_INIT("run_1");

static lls_kv_stage *open_stage(lls_backend *backend)
{
    lls_stage_spec spec = {tenant, run, colls, LLS_COUNT(colls), LLS_STAGE_REPLACE};
    lls_kv_stage *stage = NULL;
    lls_error err = {0};

    assert_ok(lls_stage_open(backend->kv, &spec, &stage, &err), err);
    return stage;
}

/* Add what is missing: key000000 … with this value. */
static lls_err fill(lls_kv_stage *stage, lls_str coll, lls_bytes value, lls_error *err)
{
    LLS_AUTO(lls_buf) last = {0};
    uint64_t have = 0;

    LLS_TRY(lls_stage_last(stage, coll, &last, &have, err));
    for (uint64_t i = have; i < COUNT; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "key%06d", (int)i);
        lls_kv_item item = {lls_bytes_of(lls_str_of(key)), value, {i + 1, 5, 6, 0}};
        LLS_TRY(lls_stage_add(stage, coll, &item, 1, err));
        if (i == COUNT / 2)
            LLS_TRY(lls_stage_flush(stage, err));
    }
    return LLS_OK;
}

static lls_err read_through(lls_kv_stage *stage, lls_str coll, int stop_after, lls_error *err)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_kv_item item;
    lls_err e;
    int n = 0;

    LLS_TRY(lls_stage_scan(stage, coll, &it, err));
    while (n != stop_after && (e = lls_kv_iter_next(it, &item, err)) == LLS_OK)
        n++;
    if (n == stop_after)
        return LLS_OK;
    if (e == LLS_END)
        assert_int_equal(n, COUNT);
    return e == LLS_END ? LLS_OK : e;
}

/* Step `n` of a migration. */
static lls_err take_step(lls_kv_stage *stage, int n, lls_bytes value, lls_error *err)
{
    switch (n) {
    case 0:
        return fill(stage, colls[0], value, err);
    case 1:
        return lls_stage_flush(stage, err);
    case 2:
        return fill(stage, colls[1], value, err);
    case 3:
        return lls_stage_flush(stage, err);
    case 4:
        return lls_stage_prepare(stage, err);
    case 5:
        return read_through(stage, colls[0], 10, err);
    case 6:
        return read_through(stage, colls[0], -1, err);
    case 7:
        return read_through(stage, colls[1], -1, err);
    default:
        return lls_stage_publish(stage, err);
    }
}

#define TERMINATE                                                                                  \
    "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE application_name"   \
    " = 'llmspell'"

static void reset_target(lls_backend *backend)
{
    lls_error err = {0};

    assert_ok(lls_stage_discard(backend->kv, tenant, run, &err), err);
    for (size_t i = 0; i < LLS_COUNT(colls); i++) {
        lls_kv_space space = {tenant, colls[i]};
        assert_ok(lls_kv_clear(backend->kv, space, &err), err);
        assert_ok(lls_kv_put(backend->kv, space, B("before"), B("[]"), &err), err);
    }
}

/* The target as a reader sees it: 1 record a collection before, COUNT after, nothing else. */
static bool is_published(lls_backend *backend)
{
    uint64_t counts[2];
    lls_error err = {0};

    for (size_t i = 0; i < LLS_COUNT(colls); i++)
        assert_ok(lls_kv_count(backend->kv, (lls_kv_space){tenant, colls[i]}, &counts[i], &err),
                  err);
    assert_int_equal(counts[0], counts[1]);
    assert_true(counts[0] == 1 || counts[0] == COUNT);
    return counts[0] == COUNT;
}

/* Open the stage again and run to the end. */
static void finish(lls_backend *backend, lls_bytes value)
{
    lls_kv_stage *stage = open_stage(backend);
    lls_error err = {0};

    for (int n = 0; n < STEPS; n++)
        assert_ok(take_step(stage, n, value, &err), err);
    lls_stage_close(stage);
    assert_true(is_published(backend));
}

static void a_connection_cut_at_any_step_loses_nothing(void **state)
{
    lls_backend *backend = fixture_open(server.connection, NULL, NULL);

    (void)state;
    for (int cut = 0; cut < STEPS; cut++) {
        reset_target(backend);
        lls_kv_stage *stage = open_stage(backend);
        lls_err e = LLS_OK;
        lls_error err = {0};
        for (int n = 0; n < STEPS && e == LLS_OK; n++) {
            if (n == cut)
                (void)fixture_sql(server.connection, TERMINATE);
            e = take_step(stage, n, B("{\"a\": 1}"), &err);
        }
        lls_stage_close(stage);
        if (e != LLS_OK)
            assert_code(e, LLS_E_UNAVAILABLE, err);
        assert_int_equal(is_published(backend), e == LLS_OK);
        if (e != LLS_OK)
            finish(backend, B("{\"a\": 1}"));
    }
    lls_backend_close(backend);
}

static void *terminate(void *user)
{
    (void)user;
    PGconn *pg = PQconnectdb(server.connection);

    PQclear(PQexec(pg, TERMINATE));
    PQfinish(pg);
    return NULL;
}

/* Cut while COMMIT is on its way: what publish says is what happened. */
static void publish_tells_the_truth(void **state)
{
    lls_backend *backend = fixture_open(server.connection, NULL, NULL);
    int failures = 0;

    (void)state;
    for (int i = 0; i < 40; i++) {
        pthread_t thread;
        lls_error err = {0};
        reset_target(backend);
        lls_kv_stage *stage = open_stage(backend);
        for (int n = 0; n < STEPS - 1; n++)
            assert_ok(take_step(stage, n, B("{}"), &err), err);
        assert_int_equal(pthread_create(&thread, NULL, terminate, NULL), 0);
        (void)usleep((useconds_t)i * 1000); // connecting takes some milliseconds
        lls_err e = lls_stage_publish(stage, &err);
        assert_int_equal(pthread_join(thread, NULL), 0);
        lls_stage_close(stage);
        if (e != LLS_OK)
            assert_code(e, LLS_E_UNAVAILABLE, err);
        assert_int_equal(is_published(backend), e == LLS_OK);
        failures += e != LLS_OK;
    }
    assert_true(failures > 0 && failures < 40); // both outcomes were seen
    lls_backend_close(backend);
}

/* A staging table is not logged: after a crash the stage is empty, and says so. */
static void a_crash_of_the_server_empties_the_stage(void **state)
{
    lls_backend *backend = fixture_open(server.connection, "connect_timeout", "20s");
    LLS_AUTO(lls_buf) last = {0};
    lls_error err = {0};
    uint64_t count = 99;

    (void)state;
    reset_target(backend);
    lls_kv_stage *stage = open_stage(backend);
    assert_ok(fill(stage, colls[0], B("{}"), &err), err);
    assert_ok(lls_stage_last(stage, colls[0], &last, &count, &err), err);
    assert_int_equal(count, COUNT);
    assert_string_equal(lls_buf_cstr(&last), "key000299");
    assert_ok(lls_private_postgres_halt(&server, "immediate", &err), err);
    assert_ok(lls_private_postgres_again(&server, &err), err);
    lls_stage_close(stage);
    stage = open_stage(backend);
    assert_ok(lls_stage_last(stage, colls[0], &last, &count, &err), err);
    assert_int_equal(count, 0);
    assert_int_equal(last.len, 0);
    lls_stage_close(stage);
    finish(backend, B("{}"));
    lls_backend_close(backend);
}

typedef struct late_write {
    lls_backend *backend;
    lls_err result;
    atomic_bool done;
} late_write;

static void *write_late(void *user)
{
    late_write *w = user;
    lls_kv_space space = {tenant, colls[0]};

    w->result = lls_kv_put(w->backend->kv, space, B("late"), B("1"), NULL);
    atomic_store(&w->done, true);
    return NULL;
}

/* Between prepare and publish a writer of this tenant's collection waits; others do not. */
static void a_writer_waits_for_publish(void **state)
{
    lls_backend *backend = fixture_open(server.connection, NULL, NULL);
    late_write late = {.backend = backend};
    lls_error err = {0};
    pthread_t thread;
    uint64_t count;

    (void)state;
    reset_target(backend);
    lls_kv_stage *stage = open_stage(backend);
    for (int n = 0; n < STEPS - 1; n++)
        assert_ok(take_step(stage, n, B("{}"), &err), err);
    assert_int_equal(pthread_create(&thread, NULL, write_late, &late), 0);
    (void)usleep(200000);
    assert_false(atomic_load(&late.done));
    assert_ok(
        lls_kv_put(backend->kv, (lls_kv_space){LLS_STR("other"), colls[0]}, B("k"), B("1"), &err),
        err);
    assert_ok(
        lls_kv_put(backend->kv, (lls_kv_space){tenant, LLS_STR("third")}, B("k"), B("1"), &err),
        err);
    assert_false(is_published(backend));
    assert_ok(lls_stage_publish(stage, &err), err);
    lls_stage_close(stage);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(late.result, LLS_OK);
    assert_ok(lls_kv_count(backend->kv, (lls_kv_space){tenant, colls[0]}, &count, &err), err);
    assert_int_equal(count, COUNT + 1);
    lls_backend_close(backend);
}

/* With a limit on waiting, a writer is told that somebody else is at it. */
static void a_writer_that_may_not_wait_is_busy(void **state)
{
    lls_backend *backend = fixture_open(server.connection, NULL, NULL);
    lls_backend *hasty = fixture_open(server.connection, "lock_timeout", "100ms");
    lls_error err = {0};

    (void)state;
    reset_target(backend);
    lls_kv_stage *stage = open_stage(backend);
    assert_ok(lls_stage_prepare(stage, &err), err);
    assert_code(fixture_put(hasty->kv, "default", "sessions", "k", "1", &err), LLS_E_BUSY, err);
    lls_stage_close(stage);
    assert_ok(fixture_put(hasty->kv, "default", "sessions", "k", "1", &err), err);
    lls_backend_close(hasty);
    lls_backend_close(backend);
}

/* All of it, from open to publish, with few rows. */
static lls_err migrate_little(lls_backend *backend, lls_error *err)
{
    lls_stage_spec spec = {tenant, run, colls, LLS_COUNT(colls), LLS_STAGE_REPLACE};
    LLS_AUTO(lls_kv_stage_ref) stage = NULL;
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    LLS_AUTO(lls_buf) last = {0};
    lls_kv_item item = {B("key"), B("{}"), {1, 5, 6, 0}};
    uint64_t count;

    LLS_TRY(lls_stage_open(backend->kv, &spec, &stage, err));
    for (size_t i = 0; i < LLS_COUNT(colls); i++) {
        LLS_TRY(lls_stage_last(stage, colls[i], &last, &count, err));
        if (count == 0)
            LLS_TRY(lls_stage_add(stage, colls[i], &item, 1, err));
    }
    LLS_TRY(lls_stage_prepare(stage, err));
    LLS_TRY(lls_stage_scan(stage, colls[0], &it, err));
    LLS_TRY(lls_kv_iter_next(it, &item, err));
    lls_kv_iter_close(it);
    it = NULL;
    return lls_stage_publish(stage, err);
}

/* Memory that runs out anywhere is told, costs no more than a connection, and spoils nothing. */
static void every_failed_allocation_is_survived(void **state)
{
    lls_backend *backend = fixture_open(server.connection, NULL, NULL);
    lls_err e = LLS_E_NOMEM;
    lls_error err = {0};
    long n;

    (void)state;
    reset_target(backend);
    for (n = 0; e != LLS_OK && n < 2000; n++) {
        lls_alloc_fail_after(n);
        e = migrate_little(backend, &err);
        lls_alloc_fail_after(-1);
        if (e != LLS_OK)
            assert_code(e, LLS_E_NOMEM, err);
        uint64_t count;
        lls_kv_space space = {tenant, colls[1]};
        assert_ok(lls_kv_count(backend->kv, space, &count, &err), err);
        assert_int_equal(count, 1);
    }
    assert_true(n > 10 && n < 2000);
    lls_backend_close(backend);
}

static void nothing_is_left_behind(void **state)
{
    lls_backend *backend = fixture_open(server.connection, NULL, NULL);
    lls_error err = {0};

    (void)state;
    reset_target(backend);
    lls_stage_close(open_stage(backend));
    assert_string_equal(fixture_sql(server.connection, "SELECT count(*) FROM pg_class WHERE relname"
                                                       " LIKE 's\\_%' AND relkind = 'r'"),
                        "2");
    assert_ok(lls_stage_discard(backend->kv, tenant, run, &err), err);
    assert_ok(lls_stage_discard(backend->kv, tenant, run, &err), err);
    assert_string_equal(fixture_sql(server.connection, "SELECT count(*) FROM pg_class WHERE relname"
                                                       " LIKE 's\\_%' AND relkind = 'r'"),
                        "0");
    assert_string_equal(fixture_sql(server.connection, "SELECT count(*) FROM llmspell_stage.stage"),
                        "0");
    lls_backend_close(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_cut_at_any_step_loses_nothing),
        cmocka_unit_test(publish_tells_the_truth),
        cmocka_unit_test(a_crash_of_the_server_empties_the_stage),
        cmocka_unit_test(a_writer_waits_for_publish),
        cmocka_unit_test(a_writer_that_may_not_wait_is_busy),
        cmocka_unit_test(every_failed_allocation_is_survived),
        cmocka_unit_test(nothing_is_left_behind),
    };

    fixture_need_server();
    return cmocka_run_group_tests_name("postgres stages", tests, start, stop);
}
