/**
 * disk_test.c - every single change of a run folder made to fail in turn: the journal, the backup,
 * the plan, the report. The target is whole or untouched, and a resume ends right.
 */
#include "base/file.h"
#include "base/scope.h"
#include "testing/failing_disk.h"
#include "testing/migration_bench.h"

enum { SKIP = 77 };

/* With the disk in order again, what is left of the run is finished, or done anew. */
static void finish(lls_bench *b, lls_sum after)
{
    lls_error err = {0};

    if (lls_migration_runs(&b->m) > 0 && b->m.run_folder.len > 0 &&
        lls_file_exists(lls_buf_cstr(&b->m.run_folder)))
        assert_ok(lls_migration_resume(&b->m, &err), err);
    else
        assert_ok(lls_migration_execute(&b->m, &err), err);
    lls_bench_assert(b, after);
    assert_true(lls_migration_is_clean(b->to->kv));
    assert_ok(lls_migration_rollback(&b->m, &err), err);
    lls_bench_assert(b, b->before);
}

/* Fail the `at`th change of an execute. False: there are no more. */
static bool strike_execute(fault_kind kind, bool for_ever, long at, lls_sum after)
{
    lls_bench b;
    lls_error err = {0};

    lls_bench_init(&b);
    arm(b.m.folder, "/store-", kind, for_ever, at);
    lls_err e = lls_migration_execute(&b.m, &err);
    bool struck = disarm();
    if (struck && e == LLS_OK)
        fail_msg("change %ld failed, and the run did not", at);
    if (struck)
        assert_true(e == LLS_E_IO || e == LLS_E_FULL);
    else
        assert_ok(e, err);
    lls_bench_assert_whole(&b, after);
    finish(&b, after);
    lls_bench_fini(&b);
    return struck;
}

static bool strike_rollback(fault_kind kind, bool for_ever, long at, lls_sum after)
{
    lls_bench b;
    lls_error err = {0};

    lls_bench_init(&b);
    assert_ok(lls_migration_execute(&b.m, &err), err);
    arm(b.m.folder, "/store-", kind, for_ever, at);
    lls_err e = lls_migration_rollback(&b.m, &err);
    bool struck = disarm();
    assert_true(struck == (e != LLS_OK));
    lls_bench_assert_whole(&b, after);
    assert_ok(lls_migration_rollback(&b.m, &err), err);
    lls_bench_assert(&b, b.before);
    assert_true(lls_migration_is_clean(b.to->kv));
    lls_bench_fini(&b);
    return struck;
}

typedef bool (*strike_fn)(fault_kind kind, bool for_ever, long at, lls_sum after);

static void each_change_in_turn(strike_fn strike, bool for_ever, long at_least)
{
    lls_sum after = lls_bench_expected();

    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        long at = 0;
        while (strike((fault_kind)kind, for_ever, at, after))
            at++;
        assert_true(at >= at_least); // it struck what it was meant for
    }
}

static void every_change_of_a_run_folder_may_fail_once(void **state)
{
    (void)state;
    each_change_in_turn(strike_execute, false, 30);
}

static void a_disk_may_fail_for_good_at_every_change(void **state)
{
    (void)state;
    each_change_in_turn(strike_execute, true, 30);
}

static void every_change_of_a_rollback_may_fail_once(void **state)
{
    (void)state;
    each_change_in_turn(strike_rollback, false, 8);
}

static void a_disk_may_fail_for_good_during_a_rollback(void **state)
{
    (void)state;
    each_change_in_turn(strike_rollback, true, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_of_a_run_folder_may_fail_once),
        cmocka_unit_test(a_disk_may_fail_for_good_at_every_change),
        cmocka_unit_test(every_change_of_a_rollback_may_fail_once),
        cmocka_unit_test(a_disk_may_fail_for_good_during_a_rollback),
    };

    if (!lls_bench_possible())
        return SKIP;
    return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
