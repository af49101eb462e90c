#include "base/alloc.h"
#include "base/file.h"
#include "base/scope.h"
#include "testing/migration_bench.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

enum { SKIP = 77 };

static const lls_str tenant = LLS_STR_INIT("acme");

/* ---- forward ---- */

static void moves_everything_exactly(void **state)
{
    lls_bench b;
    lls_error err = {0};

    (void)state;
    lls_bench_init_empty(&b);
    assert_ok(lls_migration_execute(&b.m, &err), err);
    lls_bench_assert(&b, b.source);
    assert_true(lls_sum_same(lls_migration_sum(b.from->kv), b.source));
    assert_true(lls_migration_is_clean(b.to->kv));
    assert_true(b.m.report.success);
    assert_int_equal(b.m.report.phase, LLS_PHASE_DONE);
    assert_int_equal(b.m.report.components[0].source_count, LLS_BENCH_RECORDS);
    assert_int_equal(b.m.report.components[0].target_count, LLS_BENCH_RECORDS);
    assert_int_equal(b.m.report.components[0].verified, LLS_BENCH_RECORDS);
    assert_int_equal(b.m.report.components[0].replaced, 0);
    lls_bench_fini(&b);
}

static void merges_into_what_the_target_holds(void **state)
{
    lls_bench b;
    lls_error err = {0};

    (void)state;
    lls_bench_init(&b);
    assert_ok(lls_migration_execute(&b.m, &err), err);
    assert_int_equal(b.m.report.components[0].target_count, LLS_BENCH_RECORDS + LLS_BENCH_OWN);
    assert_int_equal(b.m.report.components[0].replaced, 6);
    assert_int_equal(b.m.report.components[1].replaced, 0);
    assert_non_null(strstr(lls_buf_cstr(&b.m.said),
                           "agent_state: target: 15 records of agent_state, 3 of them will be "
                           "replaced by others"));
    lls_bench_fini(&b);
}

static void an_empty_source_is_remarked_upon(void **state)
{
    lls_bench b;
    lls_error err = {0};

    (void)state;
    lls_bench_init(&b);
    for (size_t c = 0; c < LLS_MIGRATION_COLLS; c++)
        assert_ok(lls_kv_clear(b.from->kv, (lls_kv_space){tenant, lls_migration_colls[c]}, &err),
                  err);
    assert_ok(lls_migration_execute(&b.m, &err), err);
    lls_bench_assert(&b, b.before);
    assert_non_null(
        strstr(lls_buf_cstr(&b.m.said), "sessions: the source holds no records of sessions"));
    lls_bench_fini(&b);
}

static void a_dry_run_writes_nothing(void **state)
{
    lls_bench b;
    lls_error err = {0};

    (void)state;
    lls_bench_init(&b);
    b.m.options.dry_run = true;
    assert_ok(lls_migration_execute(&b.m, &err), err);
    assert_int_equal(b.wire.changes, 0);
    assert_int_equal(lls_migration_runs(&b.m), 0);
    lls_bench_assert(&b, b.before);
    assert_true(b.m.report.dry_run);
    assert_null(b.m.report.folder);
    assert_int_equal(b.m.report.components[0].source_count, LLS_BENCH_RECORDS);
    assert_int_equal(b.m.checks, 6);
    lls_bench_fini(&b);
}

static void a_dry_run_needs_no_target(void **state)
{
    lls_bench b;
    lls_error err = {0};

    (void)state;
    lls_bench_init(&b);
    b.m.options.dry_run = true;
    b.m.target = NULL;
    assert_ok(lls_migration_execute(&b.m, &err), err);
    assert_non_null(strstr(lls_buf_cstr(&b.m.said), "not there yet, it will be created"));
    assert_int_equal(lls_migration_runs(&b.m), 0);
    lls_bench_fini(&b);
}

static void one_store_on_both_ends_is_refused(void **state)
{
    lls_bench b;
    lls_error err = {0};

    (void)state;
    lls_bench_init(&b);
    b.m.ports[0].kv = b.to->kv;
    assert_code(lls_migration_execute(&b.m, &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "source and target are the same store");
    assert_true(lls_migration_is_clean(b.to->kv));
    assert_int_equal(lls_migration_runs(&b.m), 0);
    lls_bench_fini(&b);
}

static void conflicts_without_a_backup_are_refused(void **state)
{
    lls_bench b;
    lls_error err = {0};

    (void)state;
    lls_bench_init(&b);
    b.m.plan->backup_enabled = false;
    assert_code(lls_migration_execute(&b.m, &err), LLS_E_CONFLICT, err);
    assert_string_equal(err.msg, "3 records of the target would be replaced, and the plan has "
                                 "backup_enabled: false");
    assert_int_equal(b.wire.changes, 0);
    lls_bench_fini(&b);
}

static void a_sample_is_reported_as_one(void **state)
{
    lls_bench b;
    lls_error err = {0};

    (void)state;
    lls_bench_init_empty(&b);
    b.m.plan->sample_percent = 50;
    b.m.plan->full_threshold = 10;
    assert_ok(lls_migration_execute(&b.m, &err), err);
    uint64_t verified = b.m.report.components[0].verified;
    assert_true(verified > 0 && verified < LLS_BENCH_RECORDS);
    assert_non_null(strstr(lls_buf_cstr(&b.m.said), "(checksum_sample_percent: 50)"));
    lls_bench_fini(&b);
}

/* ---- verification ---- */

static void verification_finds(lls_spoil spoil, const char *how)
{
    lls_bench b;
    lls_error err = {0};

    lls_bench_init(&b);
    b.wire.spoil = spoil;
    b.wire.spoil_at = 5;
    assert_code(lls_migration_execute(&b.m, &err), LLS_E_MISMATCH, err);
    assert_non_null(strstr(lls_buf_cstr(&b.m.said), how));
    assert_int_equal(b.m.differs, LLS_MIGRATION_COLLS); // one in each
    assert_false(b.m.report.success);
    assert_int_equal(b.m.report.phase, LLS_PHASE_UNDONE);
    lls_bench_assert(&b, b.before);
    assert_true(lls_migration_is_clean(b.to->kv));

    // And it did not only stop: the next run has a clear way.
    b.wire.spoil = LLS_SPOIL_NOTHING;
    assert_ok(lls_migration_execute(&b.m, &err), err);
    lls_bench_fini(&b);
}

static void a_lost_record_is_found(void **state)
{
    (void)state;
    verification_finds(LLS_SPOIL_LOSE, "is missing in the target");
}

static void a_changed_value_is_found(void **state)
{
    (void)state;
    verification_finds(LLS_SPOIL_VALUE, "has other content in the target");
}

static void a_changed_version_is_found(void **state)
{
    (void)state;
    verification_finds(LLS_SPOIL_META, "has other content in the target");
}

static void an_extra_record_is_found(void **state)
{
    (void)state;
    verification_finds(LLS_SPOIL_EXTRA, "is in the target and not in the source");
}

/* Called with every event; acts once, when the copy has begun. */
typedef struct meddler {
    lls_migration *m;
    lls_kv *kv;
    lls_phase phase;
    bool done;
} meddler;

static void meddle(void *user, const lls_event *event)
{
    meddler *me = user;

    if (event->type != LLS_EVENT_PHASE || event->phase != me->phase || me->done)
        return;
    me->done = true;
    lls_migration_put(me->kv, "agent:a:written-meanwhile", "{}");
}

static void a_source_that_changes_is_noticed(void **state)
{
    lls_bench b;
    lls_error err = {0};
    meddler me = {.phase = LLS_PHASE_COPIED};

    (void)state;
    lls_bench_init(&b);
    me.kv = b.from->kv;
    b.m.options.event = meddle;
    b.m.options.user = &me;
    assert_code(lls_migration_execute(&b.m, &err), LLS_E_MISMATCH, err);
    assert_true(me.done);
    lls_bench_assert(&b, b.before);
    lls_bench_fini(&b);
}

static void a_target_that_changes_after_its_backup_is_noticed(void **state)
{
    lls_bench b;
    lls_error err = {0};
    meddler me = {.phase = LLS_PHASE_COPYING};

    (void)state;
    lls_bench_init(&b);
    me.kv = b.to->kv;
    b.m.options.event = meddle;
    b.m.options.user = &me;
    assert_code(lls_migration_execute(&b.m, &err), LLS_E_CONFLICT, err);
    assert_non_null(strstr(err.msg, "the target was written to after its backup was made"));
    assert_int_equal(lls_migration_sum(b.to->kv).count, b.before.count + 1);
    assert_true(lls_migration_is_clean(b.to->kv));
    lls_bench_fini(&b);
}

/* ---- limits ---- */

static void cancel_when_copied(void *user, const lls_event *event)
{
    if (event->type == LLS_EVENT_PHASE && event->phase == LLS_PHASE_COPYING)
        *(int *)user = 1;
}

static void a_cancelled_run_resumes(void **state)
{
    lls_bench b;
    lls_error err = {0};
    int cancel = 0;
    lls_sum after = lls_bench_expected();

    (void)state;
    lls_bench_init(&b);
    b.m.options.cancel = &cancel;
    b.m.options.event = cancel_when_copied;
    b.m.options.user = &cancel;
    assert_code(lls_migration_execute(&b.m, &err), LLS_E_CANCELLED, err);
    lls_bench_assert(&b, b.before);
    assert_int_equal(b.m.report.phase, LLS_PHASE_COPYING);
    b.m.options.cancel = NULL;
    assert_ok(lls_migration_resume(&b.m, &err), err);
    lls_bench_assert(&b, after);
    lls_bench_fini(&b);
}

static void a_full_disk_while_backing_up_changes_nothing(void **state)
{
    lls_bench b;
    lls_error err = {0};
    struct rlimit usual;

    (void)state;
    if (!lls_backend_find(LLS_STR("memory")))
        skip(); // the limit would strike the store too
    lls_bench_init(&b);
    for (size_t i = 0; i < 40; i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "agent:z:%zu", i);
        lls_migration_put(b.to->kv, key, "{\"a long value\": \"a long value, again and again\"}");
    }
    b.before = lls_migration_sum(b.to->kv);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
    struct rlimit small = {.rlim_cur = 4096, .rlim_max = usual.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    lls_err e = lls_migration_execute(&b.m, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
    assert_true(e == LLS_E_FULL || e == LLS_E_IO);
    assert_non_null(strstr(err.msg, "back up agent_state: write '"));
    lls_bench_assert(&b, b.before);
    assert_ok(lls_migration_resume(&b.m, &err), err);
    lls_bench_fini(&b);
}

static void every_allocation_may_fail(void **state)
{
    lls_sum after = lls_bench_expected();
    lls_err e = LLS_E_NOMEM;

    (void)state;
    for (long n = 0; e != LLS_OK; n++) {
        lls_bench b;
        lls_error err = {0};
        lls_bench_init(&b);
        b.m.options.event = NULL;
        lls_alloc_fail_after(n);
        e = lls_migration_execute(&b.m, &err);
        lls_alloc_fail_after(-1);
        lls_bench_assert_whole(&b, after);
        if (e != LLS_OK && lls_migration_runs(&b.m) > 0 && b.m.run_folder.len > 0 &&
            lls_file_exists(lls_buf_cstr(&b.m.run_folder))) {
            assert_ok(lls_migration_resume(&b.m, &err), err);
            lls_bench_assert(&b, after);
        }
        lls_bench_fini(&b);
        assert_true(n < 100000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_everything_exactly),
        cmocka_unit_test(merges_into_what_the_target_holds),
        cmocka_unit_test(an_empty_source_is_remarked_upon),
        cmocka_unit_test(a_dry_run_writes_nothing),
        cmocka_unit_test(a_dry_run_needs_no_target),
        cmocka_unit_test(one_store_on_both_ends_is_refused),
        cmocka_unit_test(conflicts_without_a_backup_are_refused),
        cmocka_unit_test(a_sample_is_reported_as_one),
        cmocka_unit_test(a_lost_record_is_found),
        cmocka_unit_test(a_changed_value_is_found),
        cmocka_unit_test(a_changed_version_is_found),
        cmocka_unit_test(an_extra_record_is_found),
        cmocka_unit_test(a_source_that_changes_is_noticed),
        cmocka_unit_test(a_target_that_changes_after_its_backup_is_noticed),
        cmocka_unit_test(a_cancelled_run_resumes),
        cmocka_unit_test(a_full_disk_while_backing_up_changes_nothing),
        cmocka_unit_test(every_allocation_may_fail),
    };

    if (!lls_bench_possible())
        return SKIP;
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
