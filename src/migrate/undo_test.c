#include "base/scope.h"
#include "testing/migration_bench.h"

#include <stdio.h>

enum { SKIP = 77 };

/* ---- cuts ---- */

static void cut_everywhere_then(lls_bench_act then, bool to_the_end)
{
    lls_sum after = lls_bench_expected();

    for (int when = LLS_CUT_BEFORE; when <= LLS_CUT_AFTER; when++) {
        bool was_cut = true;
        for (long at = 0; was_cut; at++) {
            lls_bench b;
            lls_error err = {0};
            lls_bench_init(&b);
            was_cut = lls_bench_cut(&b, lls_migration_execute, at, (lls_cut_when)when);
            lls_bench_assert_whole(&b, after);
            assert_ok(then(&b.m, &err), err);
            lls_bench_assert(&b, to_the_end ? after : b.before);
            assert_true(lls_migration_is_clean(b.to->kv));
            assert_ok(then(&b.m, &err), err); // twice is harmless
            lls_bench_assert(&b, to_the_end ? after : b.before);
            lls_bench_fini(&b);
            assert_true(at < 1000);
        }
    }
}

static void cut_at_every_change_it_resumes_exactly(void **state)
{
    (void)state;
    cut_everywhere_then(lls_migration_resume, true);
}

static void cut_at_every_change_it_rolls_back_exactly(void **state)
{
    (void)state;
    cut_everywhere_then(lls_migration_rollback, false);
}

static void a_resume_cut_at_every_change_resumes_exactly(void **state)
{
    lls_sum after = lls_bench_expected();

    (void)state;
    for (long at = 0; at < 200; at++) {
        lls_bench b;
        lls_error err = {0};
        lls_bench_init(&b);
        (void)lls_bench_cut(&b, lls_migration_execute, 6, LLS_CUT_AFTER);
        bool was_cut = lls_bench_cut(&b, lls_migration_resume, at, LLS_CUT_AFTER);
        lls_bench_assert_whole(&b, after);
        assert_ok(lls_migration_resume(&b.m, &err), err);
        lls_bench_assert(&b, after);
        lls_bench_fini(&b);
        if (!was_cut)
            return;
    }
    fail();
}

static void a_rollback_cut_at_every_change_ends_exactly(void **state)
{
    lls_sum after = lls_bench_expected();

    (void)state;
    for (int when = LLS_CUT_BEFORE; when <= LLS_CUT_AFTER; when++) {
        bool was_cut = true;
        for (long at = 0; was_cut; at++) {
            lls_bench b;
            lls_error err = {0};
            lls_bench_init(&b);
            assert_ok(lls_migration_execute(&b.m, &err), err);
            was_cut = lls_bench_cut(&b, lls_migration_rollback, at, (lls_cut_when)when);
            lls_bench_assert_whole(&b, after);
            assert_ok(lls_migration_rollback(&b.m, &err), err);
            lls_bench_assert(&b, b.before);
            assert_true(lls_migration_is_clean(b.to->kv));
            lls_bench_fini(&b);
            assert_true(at < 1000);
        }
    }
}

/* Killed behind `publish` and before it could say so: readers and writers are at work already. */
static bool cut_behind_publish(lls_bench *b, lls_sum after)
{
    for (long at = 0; at < 1000; at++) {
        lls_bench_init(b);
        bool was_cut = lls_bench_cut(b, lls_migration_execute, at, LLS_CUT_AFTER);
        if (was_cut && lls_migration_phase(&b->m) == LLS_PHASE_VALID &&
            lls_sum_same(lls_migration_sum(b->to->kv), after))
            return true;
        lls_bench_fini(b);
    }
    return false;
}

static void writes_after_publish_survive_a_resume(void **state)
{
    lls_bench b;
    lls_error err = {0};

    (void)state;
    assert_true(cut_behind_publish(&b, lls_bench_expected()));
    lls_migration_put(b.to->kv, "agent:a:written-by-the-application", "{}");
    lls_sum written = lls_migration_sum(b.to->kv);
    assert_ok(lls_migration_resume(&b.m, &err), err);
    assert_int_equal(lls_migration_phase(&b.m), LLS_PHASE_DONE);
    lls_bench_assert(&b, written);
    lls_bench_fini(&b);
}

static void writes_after_publish_are_not_rolled_back(void **state)
{
    lls_bench b;
    lls_error err = {0};

    (void)state;
    assert_true(cut_behind_publish(&b, lls_bench_expected()));
    lls_migration_put(b.to->kv, "agent:a:written-by-the-application", "{}");
    lls_sum written = lls_migration_sum(b.to->kv);
    assert_code(lls_migration_rollback(&b.m, &err), LLS_E_CONFLICT, err);
    lls_bench_assert(&b, written);
    b.m.options.force = true;
    assert_ok(lls_migration_rollback(&b.m, &err), err);
    lls_bench_assert(&b, b.before);
    lls_bench_fini(&b);
}

/* ---- rolling back ---- */

static void a_rollback_restores_what_was_there(void **state)
{
    lls_bench b;
    lls_error err = {0};

    (void)state;
    lls_bench_init(&b);
    assert_ok(lls_migration_execute(&b.m, &err), err);
    assert_ok(lls_migration_rollback(&b.m, &err), err);
    lls_bench_assert(&b, b.before);
    assert_int_equal(lls_migration_phase(&b.m), LLS_PHASE_UNDONE);
    assert_code(lls_migration_resume(&b.m, &err), LLS_E_INVALID, err);
    lls_bench_fini(&b);
}

static void later_writes_are_not_rolled_back_unless_forced(void **state)
{
    lls_bench b;
    lls_error err = {0};

    (void)state;
    lls_bench_init(&b);
    assert_ok(lls_migration_execute(&b.m, &err), err);
    lls_migration_put(b.to->kv, "agent:a:later", "{}");
    lls_sum written = lls_migration_sum(b.to->kv);
    assert_code(lls_migration_rollback(&b.m, &err), LLS_E_CONFLICT, err);
    assert_string_equal(err.msg, "agent_state was written to after the migration: it holds 50 "
                                 "records, and the migration left 49; these writes would be lost");
    lls_bench_assert(&b, written);
    assert_int_equal(lls_migration_phase(&b.m), LLS_PHASE_DONE);
    assert_true(lls_migration_is_clean(b.to->kv));
    b.m.options.force = true;
    assert_ok(lls_migration_rollback(&b.m, &err), err);
    lls_bench_assert(&b, b.before);
    lls_bench_fini(&b);
}

static void a_later_run_must_be_rolled_back_first(void **state)
{
    lls_bench b;
    lls_error err = {0};
    LLS_AUTO(lls_buf) first = {0};
    LLS_AUTO(lls_buf) second = {0};

    (void)state;
    lls_bench_init(&b);
    assert_ok(lls_migration_execute(&b.m, &err), err);
    lls_buf_add(&first, lls_buf_view(&b.m.run_folder));
    assert_ok(lls_migration_execute(&b.m, &err), err);
    lls_buf_add(&second, lls_buf_view(&b.m.run_folder));

    lls_buf_clear(&b.m.run_folder);
    lls_buf_add(&b.m.run_folder, lls_buf_view(&first));
    assert_code(lls_migration_rollback(&b.m, &err), LLS_E_CONFLICT, err);
    assert_non_null(strstr(err.msg, "changed the target after run"));
    lls_bench_fini(&b);
}

static void damage_file(lls_bench *b, const char *name, long offset)
{
    LLS_AUTO(lls_buf) path = {0};

    lls_buf_printf(&path, "%s/%s", lls_buf_cstr(&b->m.run_folder), name);
    FILE *file = fopen(lls_buf_cstr(&path), "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    assert_true(fputc('~', file) != EOF);
    assert_int_equal(fclose(file), 0);
}

static void a_damaged_backup_changes_nothing(void **state)
{
    static const struct {
        const char *name;
        long offset;
    } spots[] = {
        {"source/agent_state.jsonl", 100},
        {"source/sessions.jsonl", 0},
        {"rollback-metadata.yaml", 0},
    };

    (void)state;
    for (size_t i = 0; i < LLS_COUNT(spots); i++) {
        lls_bench b;
        lls_error err = {0};
        lls_bench_init(&b);
        assert_ok(lls_migration_execute(&b.m, &err), err);
        lls_sum after = lls_migration_sum(b.to->kv);
        damage_file(&b, spots[i].name, spots[i].offset);
        b.wire.changes = 0;
        b.m.options.force = true; // not even then
        assert_code(lls_migration_rollback(&b.m, &err), LLS_E_CORRUPT, err);
        assert_int_equal(b.wire.changes, 0);
        lls_bench_assert(&b, after);
        lls_bench_fini(&b);
    }
}

static void an_edited_plan_is_refused(void **state)
{
    lls_bench b;
    lls_error err = {0};

    (void)state;
    lls_bench_init(&b);
    (void)lls_bench_cut(&b, lls_migration_execute, 5, LLS_CUT_AFTER);
    damage_file(&b, "plan.yaml", 3);
    assert_code(lls_migration_resume(&b.m, &err), LLS_E_CORRUPT, err);
    assert_non_null(strstr(err.msg, "is not the plan that the run began with"));
    lls_bench_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_at_every_change_it_resumes_exactly),
        cmocka_unit_test(cut_at_every_change_it_rolls_back_exactly),
        cmocka_unit_test(a_resume_cut_at_every_change_resumes_exactly),
        cmocka_unit_test(a_rollback_cut_at_every_change_ends_exactly),
        cmocka_unit_test(writes_after_publish_survive_a_resume),
        cmocka_unit_test(writes_after_publish_are_not_rolled_back),
        cmocka_unit_test(a_rollback_restores_what_was_there),
        cmocka_unit_test(later_writes_are_not_rolled_back_unless_forced),
        cmocka_unit_test(a_later_run_must_be_rolled_back_first),
        cmocka_unit_test(a_damaged_backup_changes_nothing),
        cmocka_unit_test(an_edited_plan_is_refused),
    };

    if (!lls_bench_possible())
        return SKIP;
    return cmocka_run_group_tests_name("undo", tests, NULL, NULL);
}
