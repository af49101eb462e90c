/*
 * A server that goes away in the middle: stopped as a power cut would stop it, at later and later
 * moments of a run, and started again. The target is whole or untouched, and the run can be resumed
 * or rolled back, exactly.
 */
#include "base/scope.h"
#include "testing/outage.h"
#include "testing/postgres_fixture.h"

enum { RECORDS = 6000, OUTAGES = 8, FIRST_USEC = 20000, STEP_USEC = 60000 };

static void clear_target(lls_kv *kv)
{
    lls_error err = {0};

    for (size_t i = 0; i < LLS_MIGRATION_COLLS; i++)
        assert_ok(lls_kv_clear(kv, (lls_kv_space){LLS_STR("acme"), lls_migration_colls[i]}, &err),
                  err);
    lls_migration_put(kv, "agent:chat:before", "{\"held\": \"before\"}");
}

static lls_backend *open_memory(void)
{
    lls_backend *backend = NULL;
    lls_error err = {0};

    assert_ok(lls_backend_open(LLS_STR("memory"), NULL, 0, NULL, &backend, &err), err);
    return backend;
}

typedef enum way { RESUME, ROLL_BACK } way;

/* One outage at one moment; then the way out; then exactly what it promises. */
static bool live_through(lls_private_postgres *server, lls_backend *source, lls_backend *target,
                         useconds_t after_usec, way out)
{
    outage o = {.server = server, .after_usec = after_usec};
    lls_migration m;
    lls_error err = {0};

    clear_target(target->kv);
    lls_sum before = lls_migration_sum(target->kv);
    lls_digest after = lls_migration_sum(source->kv).digest;
    lls_digest_add(&after, before.digest);
    lls_migration_init(&m, source->kv, target->kv);
    lls_err e = outage_execute(&m, &o, &err);
    if (e != LLS_OK && m.run_folder.len) {
        lls_digest now = lls_migration_sum(target->kv).digest; // whole or untouched
        assert_true(lls_digest_eq(now, before.digest) || lls_digest_eq(now, after));
    }
    if (e != LLS_OK && !m.run_folder.len) {
        assert_code(e, LLS_E_UNAVAILABLE, err); // gone before the run began
    } else if (out == ROLL_BACK) {
        assert_ok(lls_migration_rollback(&m, &err), err);
        assert_true(lls_digest_eq(lls_migration_sum(target->kv).digest, before.digest));
        assert_true(lls_migration_is_clean(target->kv));
    } else {
        if (e != LLS_OK)
            assert_ok(lls_migration_resume(&m, &err), err);
        assert_true(lls_digest_eq(lls_migration_sum(target->kv).digest, after));
        assert_true(lls_migration_is_clean(target->kv));
        assert_int_equal(lls_migration_phase(&m), LLS_PHASE_DONE);
    }
    lls_migration_fini(&m);
    return e != LLS_OK;
}

static void a_server_that_goes_away_costs_nothing(void **state)
{
    LLS_AUTO(lls_backend_ref) source = open_memory();
    LLS_AUTO(lls_backend_ref) target = NULL;
    lls_private_postgres server;
    int hits = 0;

    (void)state;
    const lls_private_postgres_options durable = {.fsync = true};
    fixture_start_server(&server, &durable);
    lls_migration_fill(source->kv, 7, RECORDS);
    target = fixture_open(server.connection, NULL, NULL);
    for (int i = 0; i < OUTAGES; i++)
        hits += live_through(&server, source, target, FIRST_USEC + (useconds_t)i * STEP_USEC,
                             i % 2 ? ROLL_BACK : RESUME);
    lls_backend_close(target);
    target = NULL;
    lls_private_postgres_stop(&server);
    assert_true(hits > 0); // else the outages came too late to prove anything
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_goes_away_costs_nothing),
    };

    fixture_need_server();
    return cmocka_run_group_tests_name("migrate.outage", tests, NULL, NULL);
}
