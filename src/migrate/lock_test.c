#include "migrate/lock.h"

#include "base/scope.h"
#include "testing/migration_bench.h"

enum { SKIP = 77 };

static const lls_str tenant = LLS_STR_INIT("acme");

/* ---- the lock ---- */

static void an_interrupted_run_holds_the_target(void **state)
{
    lls_bench b;
    lls_error err = {0};

    (void)state;
    lls_bench_init(&b);
    (void)lls_bench_cut(&b, lls_migration_execute, 6, LLS_CUT_AFTER);
    LLS_AUTO(lls_buf) first = {0};
    lls_buf_add(&first, lls_buf_view(&b.m.run_folder));
    assert_code(lls_migration_execute(&b.m, &err), LLS_E_BUSY, err);
    assert_non_null(strstr(err.msg, "was interrupted and still holds the target"));
    assert_non_null(strstr(err.msg, lls_buf_cstr(&first)));
    assert_int_equal(lls_migration_runs(&b.m), 1);
    assert_ok(lls_migration_rollback(&b.m, &err), err);
    assert_ok(lls_migration_execute(&b.m, &err), err);
    lls_bench_fini(&b);
}

static void run_a_second_one(void *user, const lls_event *event)
{
    lls_bench *b = user;
    lls_migration second = b->m;
    lls_error err = {0};

    if (event->type != LLS_EVENT_PHASE || event->phase != LLS_PHASE_COPYING)
        return;
    second.options.event = NULL;
    second.report = (lls_report){0};
    second.said = (lls_buf){0};
    second.run_folder = (lls_buf){0};
    assert_code(lls_migration_execute(&second, &err), LLS_E_BUSY, err);
    assert_memory_equal(err.msg, "another migration holds the target: run migration-", 50);
    lls_report_fini(&second.report);
    lls_buf_fini(&second.run_folder);
}

static void a_second_run_at_the_same_time_is_refused(void **state)
{
    lls_bench b;
    lls_error err = {0};

    (void)state;
    lls_bench_init(&b);
    b.m.options.event = run_a_second_one;
    b.m.options.user = &b;
    assert_ok(lls_migration_execute(&b.m, &err), err);
    assert_int_equal(lls_migration_runs(&b.m), 1);
    lls_bench_fini(&b);
}

static void a_lock_of_another_host_needs_force(void **state)
{
    lls_bench b;
    lls_error err = {0};
    lls_kv_space space = {tenant, LLS_STR(LLS_LOCK_COLL)};
    static const char record[] =
        "{\"run\":\"migration-x\",\"host\":\"elsewhere\",\"boot\":\"\",\"pid\":4711,\"started\":0,"
        "\"folder\":\"/there\",\"since\":\"2025-01-15T10:30:00Z\"}";

    (void)state;
    lls_bench_init(&b);
    assert_ok(lls_kv_put(b.to->kv, space, B("lock"), lls_bytes_of(lls_str_of(record)), &err), err);
    assert_code(lls_migration_execute(&b.m, &err), LLS_E_BUSY, err);
    assert_string_equal(err.msg,
                        "another migration holds the target: run migration-x by pid 4711 on host "
                        "elsewhere since 2025-01-15T10:30:00Z (folder /there)");
    b.m.options.force = true;
    assert_ok(lls_migration_execute(&b.m, &err), err);
    assert_true(lls_migration_is_clean(b.to->kv));
    lls_bench_fini(&b);
}

static void another_target_is_not_resumed_into(void **state)
{
    lls_bench b;
    lls_error err = {0};

    (void)state;
    lls_bench_init(&b);
    (void)lls_bench_cut(&b, lls_migration_execute, 6, LLS_CUT_AFTER);
    b.m.ports[1].kv = b.from->kv;
    assert_code(lls_migration_resume(&b.m, &err), LLS_E_CONFLICT, err);
    assert_non_null(strstr(err.msg, "it is not the store that the run began with"));
    lls_bench_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interrupted_run_holds_the_target),
        cmocka_unit_test(a_second_run_at_the_same_time_is_refused),
        cmocka_unit_test(a_lock_of_another_host_needs_force),
        cmocka_unit_test(another_target_is_not_resumed_into),
    };

    if (!lls_bench_possible())
        return SKIP;
    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
