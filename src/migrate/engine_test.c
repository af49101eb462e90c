#include "base/alloc.h"
#include "base/file.h"
#include "base/scope.h"
#include "migrate/lock.h"
#include "testing/cut.h"
#include "testing/migration.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORDS = 40, OWN = 9, SKIP = 77 };

/* Two stores in this process, a migration between them, and a wire that can be cut. */
typedef struct bench {
    lls_migration m;
    lls_backend *from;
    lls_backend *to;
    lls_cut wire; /* before the target */
    lls_sum before;
    lls_sum source;
} bench;

static const lls_str tenant = LLS_STR_INIT("acme");

static lls_backend *open_store(const lls_migration *m, const char *name)
{
    lls_backend *out = NULL;
    LLS_AUTO(lls_buf) path = {0};
    lls_error err = {0};
    lls_setting settings[] = {{"path", NULL, NULL}, {"durability", "relaxed", NULL}};

    if (lls_backend_find(LLS_STR("memory"))) {
        assert_ok(lls_backend_open(LLS_STR("memory"), NULL, 0, NULL, &out, &err), err);
        return out;
    }
    lls_buf_printf(&path, "%s/store-%s", m->folder, name);
    settings[0].value = lls_buf_cstr(&path);
    assert_ok(lls_backend_open(LLS_STR("lmdb"), settings, 2, NULL, &out, &err), err);
    return out;
}

/* Some of the target's records are its own, some are the source's, some differ from these. */
static void fill_target(bench *b)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_kv_space space = {tenant, lls_migration_colls[0]};
    lls_error err = {0};
    lls_kv_item item;

    lls_migration_fill(b->to->kv, 99, OWN);
    assert_ok(lls_kv_scan(b->from->kv, space, (lls_kv_range){0}, LLS_KV_ALL, &it, &err), err);
    for (size_t i = 0; i < 6 && lls_kv_iter_next(it, &item, &err) == LLS_OK; i++) {
        lls_kv_write write = {.verb = LLS_KV_RESTORE,
                              .coll = space.coll,
                              .key = item.key,
                              .value = i % 2 ? item.value : B("the target's own"),
                              .meta = item.meta};
        assert_ok(lls_kv_apply(b->to->kv, tenant, &write, 1, &err), err);
    }
}

static void setup_empty(bench *b)
{
    *b = (bench){0};
    lls_migration_init(&b->m, NULL, NULL);
    b->from = open_store(&b->m, "from");
    b->to = open_store(&b->m, "to");
    lls_cut_init(&b->wire, b->to->kv);
    b->m.ports[0].kv = b->from->kv;
    b->m.ports[1].kv = &b->wire.base;
    b->m.source = &b->m.ports[0];
    b->m.target = &b->m.ports[1];
    lls_migration_fill(b->from->kv, 1, RECORDS);
    b->source = lls_migration_sum(b->from->kv);
}

static void setup(bench *b)
{
    setup_empty(b);
    fill_target(b);
    b->before = lls_migration_sum(b->to->kv);
}

static void teardown(bench *b)
{
    lls_backend_close(b->from);
    lls_backend_close(b->to);
    lls_migration_fini(&b->m);
}

static bool same(lls_sum a, lls_sum b)
{
    return a.count == b.count && lls_digest_eq(a.digest, b.digest);
}

static void assert_target(bench *b, lls_sum want)
{
    lls_sum now = lls_migration_sum(b->to->kv);

    assert_int_equal(now.count, want.count);
    assert_true(same(now, want));
}

/* What the target holds after a migration that nobody disturbs. */
static lls_sum expected(void)
{
    bench b;
    lls_error err = {0};

    setup(&b);
    assert_ok(lls_migration_execute(&b.m, &err), err);
    lls_sum sum = lls_migration_sum(b.to->kv);
    teardown(&b);
    return sum;
}

/* ---- forward ---- */

static void moves_everything_exactly(void **state)
{
    bench b;
    lls_error err = {0};

    (void)state;
    setup_empty(&b);
    assert_ok(lls_migration_execute(&b.m, &err), err);
    assert_target(&b, b.source);
    assert_true(same(lls_migration_sum(b.from->kv), b.source));
    assert_true(lls_migration_is_clean(b.to->kv));
    assert_true(b.m.report.success);
    assert_int_equal(b.m.report.phase, LLS_PHASE_DONE);
    assert_int_equal(b.m.report.components[0].source_count, RECORDS);
    assert_int_equal(b.m.report.components[0].target_count, RECORDS);
    assert_int_equal(b.m.report.components[0].verified, RECORDS);
    assert_int_equal(b.m.report.components[0].replaced, 0);
    teardown(&b);
}

static void merges_into_what_the_target_holds(void **state)
{
    bench b;
    lls_error err = {0};

    (void)state;
    setup(&b);
    assert_ok(lls_migration_execute(&b.m, &err), err);
    assert_int_equal(b.m.report.components[0].target_count, RECORDS + OWN);
    assert_int_equal(b.m.report.components[0].replaced, 6);
    assert_int_equal(b.m.report.components[1].replaced, 0);
    assert_non_null(strstr(lls_buf_cstr(&b.m.said),
                           "agent_state: target: 15 records of agent_state, 3 of them will be "
                           "replaced by others"));
    teardown(&b);
}

static void an_empty_source_is_remarked_upon(void **state)
{
    bench b;
    lls_error err = {0};

    (void)state;
    setup(&b);
    for (size_t c = 0; c < LLS_MIGRATION_COLLS; c++)
        assert_ok(lls_kv_clear(b.from->kv, (lls_kv_space){tenant, lls_migration_colls[c]}, &err),
                  err);
    assert_ok(lls_migration_execute(&b.m, &err), err);
    assert_target(&b, b.before);
    assert_non_null(
        strstr(lls_buf_cstr(&b.m.said), "sessions: the source holds no records of sessions"));
    teardown(&b);
}

static void a_dry_run_writes_nothing(void **state)
{
    bench b;
    lls_error err = {0};

    (void)state;
    setup(&b);
    b.m.options.dry_run = true;
    assert_ok(lls_migration_execute(&b.m, &err), err);
    assert_int_equal(b.wire.changes, 0);
    assert_int_equal(lls_migration_runs(&b.m), 0);
    assert_target(&b, b.before);
    assert_true(b.m.report.dry_run);
    assert_null(b.m.report.folder);
    assert_int_equal(b.m.report.components[0].source_count, RECORDS);
    assert_int_equal(b.m.checks, 6);
    teardown(&b);
}

static void a_dry_run_needs_no_target(void **state)
{
    bench b;
    lls_error err = {0};

    (void)state;
    setup(&b);
    b.m.options.dry_run = true;
    b.m.target = NULL;
    assert_ok(lls_migration_execute(&b.m, &err), err);
    assert_non_null(strstr(lls_buf_cstr(&b.m.said), "not there yet, it will be created"));
    assert_int_equal(lls_migration_runs(&b.m), 0);
    teardown(&b);
}

static void one_store_on_both_ends_is_refused(void **state)
{
    bench b;
    lls_error err = {0};

    (void)state;
    setup(&b);
    b.m.ports[0].kv = b.to->kv;
    assert_code(lls_migration_execute(&b.m, &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "source and target are the same store");
    assert_true(lls_migration_is_clean(b.to->kv));
    assert_int_equal(lls_migration_runs(&b.m), 0);
    teardown(&b);
}

static void conflicts_without_a_backup_are_refused(void **state)
{
    bench b;
    lls_error err = {0};

    (void)state;
    setup(&b);
    b.m.plan->backup_enabled = false;
    assert_code(lls_migration_execute(&b.m, &err), LLS_E_CONFLICT, err);
    assert_string_equal(err.msg, "3 records of the target would be replaced, and the plan has "
                                 "backup_enabled: false");
    assert_int_equal(b.wire.changes, 0);
    teardown(&b);
}

static void a_sample_is_reported_as_one(void **state)
{
    bench b;
    lls_error err = {0};

    (void)state;
    setup_empty(&b);
    b.m.plan->sample_percent = 50;
    b.m.plan->full_threshold = 10;
    assert_ok(lls_migration_execute(&b.m, &err), err);
    uint64_t verified = b.m.report.components[0].verified;
    assert_true(verified > 0 && verified < RECORDS);
    assert_non_null(strstr(lls_buf_cstr(&b.m.said), "(checksum_sample_percent: 50)"));
    teardown(&b);
}

/* ---- verification ---- */

static void verification_finds(lls_spoil spoil, const char *how)
{
    bench b;
    lls_error err = {0};

    setup(&b);
    b.wire.spoil = spoil;
    b.wire.spoil_at = 5;
    assert_code(lls_migration_execute(&b.m, &err), LLS_E_MISMATCH, err);
    assert_non_null(strstr(lls_buf_cstr(&b.m.said), how));
    assert_int_equal(b.m.differs, LLS_MIGRATION_COLLS); // one in each
    assert_false(b.m.report.success);
    assert_int_equal(b.m.report.phase, LLS_PHASE_UNDONE);
    assert_target(&b, b.before);
    assert_true(lls_migration_is_clean(b.to->kv));

    // And it did not only stop: the next run has a clear way.
    b.wire.spoil = LLS_SPOIL_NOTHING;
    assert_ok(lls_migration_execute(&b.m, &err), err);
    teardown(&b);
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
    bench b;
    lls_error err = {0};
    meddler me = {.phase = LLS_PHASE_COPIED};

    (void)state;
    setup(&b);
    me.kv = b.from->kv;
    b.m.options.event = meddle;
    b.m.options.user = &me;
    assert_code(lls_migration_execute(&b.m, &err), LLS_E_MISMATCH, err);
    assert_true(me.done);
    assert_target(&b, b.before);
    teardown(&b);
}

static void a_target_that_changes_after_its_backup_is_noticed(void **state)
{
    bench b;
    lls_error err = {0};
    meddler me = {.phase = LLS_PHASE_COPYING};

    (void)state;
    setup(&b);
    me.kv = b.to->kv;
    b.m.options.event = meddle;
    b.m.options.user = &me;
    assert_code(lls_migration_execute(&b.m, &err), LLS_E_CONFLICT, err);
    assert_non_null(strstr(err.msg, "the target was written to after its backup was made"));
    assert_int_equal(lls_migration_sum(b.to->kv).count, b.before.count + 1);
    assert_true(lls_migration_is_clean(b.to->kv));
    teardown(&b);
}

/* ---- cuts ---- */

typedef lls_err (*act)(lls_migration *m, lls_error *err);

/* Cut the run at its `at`th change. False: it was over before. */
static bool run_and_cut(bench *b, act what, long at, lls_cut_when when)
{
    lls_error err = {0};

    b->wire.at = at;
    b->wire.when = when;
    b->wire.changes = 0;
    lls_err e = what(&b->m, &err);
    bool was_cut = b->wire.dead;
    if (was_cut && e != LLS_E_UNAVAILABLE)
        fail_msg("cut at change %ld: %s: %s", at, lls_err_text(e), err.msg);
    if (!was_cut)
        assert_ok(e, err);
    b->wire.at = -1;
    b->wire.dead = false;
    return was_cut;
}

static void assert_whole(bench *b, lls_sum after)
{
    lls_sum now = lls_migration_sum(b->to->kv);

    assert_true(same(now, b->before) || same(now, after));
}

static void cut_everywhere_then(act then, bool to_the_end)
{
    lls_sum after = expected();

    for (int when = LLS_CUT_BEFORE; when <= LLS_CUT_AFTER; when++) {
        bool was_cut = true;
        for (long at = 0; was_cut; at++) {
            bench b;
            lls_error err = {0};
            setup(&b);
            was_cut = run_and_cut(&b, lls_migration_execute, at, (lls_cut_when)when);
            assert_whole(&b, after);
            assert_ok(then(&b.m, &err), err);
            assert_target(&b, to_the_end ? after : b.before);
            assert_true(lls_migration_is_clean(b.to->kv));
            assert_ok(then(&b.m, &err), err); // twice is harmless
            assert_target(&b, to_the_end ? after : b.before);
            teardown(&b);
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
    lls_sum after = expected();

    (void)state;
    for (long at = 0; at < 200; at++) {
        bench b;
        lls_error err = {0};
        setup(&b);
        (void)run_and_cut(&b, lls_migration_execute, 6, LLS_CUT_AFTER);
        bool was_cut = run_and_cut(&b, lls_migration_resume, at, LLS_CUT_AFTER);
        assert_whole(&b, after);
        assert_ok(lls_migration_resume(&b.m, &err), err);
        assert_target(&b, after);
        teardown(&b);
        if (!was_cut)
            return;
    }
    fail();
}

static void a_rollback_cut_at_every_change_ends_exactly(void **state)
{
    lls_sum after = expected();

    (void)state;
    for (int when = LLS_CUT_BEFORE; when <= LLS_CUT_AFTER; when++) {
        bool was_cut = true;
        for (long at = 0; was_cut; at++) {
            bench b;
            lls_error err = {0};
            setup(&b);
            assert_ok(lls_migration_execute(&b.m, &err), err);
            was_cut = run_and_cut(&b, lls_migration_rollback, at, (lls_cut_when)when);
            assert_whole(&b, after);
            assert_ok(lls_migration_rollback(&b.m, &err), err);
            assert_target(&b, b.before);
            assert_true(lls_migration_is_clean(b.to->kv));
            teardown(&b);
            assert_true(at < 1000);
        }
    }
}

/* ---- rolling back ---- */

static void a_rollback_restores_what_was_there(void **state)
{
    bench b;
    lls_error err = {0};

    (void)state;
    setup(&b);
    assert_ok(lls_migration_execute(&b.m, &err), err);
    assert_ok(lls_migration_rollback(&b.m, &err), err);
    assert_target(&b, b.before);
    assert_int_equal(lls_migration_phase(&b.m), LLS_PHASE_UNDONE);
    assert_code(lls_migration_resume(&b.m, &err), LLS_E_INVALID, err);
    teardown(&b);
}

static void later_writes_are_not_rolled_back_unless_forced(void **state)
{
    bench b;
    lls_error err = {0};

    (void)state;
    setup(&b);
    assert_ok(lls_migration_execute(&b.m, &err), err);
    lls_migration_put(b.to->kv, "agent:a:later", "{}");
    lls_sum written = lls_migration_sum(b.to->kv);
    assert_code(lls_migration_rollback(&b.m, &err), LLS_E_CONFLICT, err);
    assert_string_equal(err.msg, "agent_state was written to after the migration: it holds 50 "
                                 "records, and the migration left 49; these writes would be lost");
    assert_target(&b, written);
    assert_int_equal(lls_migration_phase(&b.m), LLS_PHASE_DONE);
    assert_true(lls_migration_is_clean(b.to->kv));
    b.m.options.force = true;
    assert_ok(lls_migration_rollback(&b.m, &err), err);
    assert_target(&b, b.before);
    teardown(&b);
}

static void a_later_run_must_be_rolled_back_first(void **state)
{
    bench b;
    lls_error err = {0};
    LLS_AUTO(lls_buf) first = {0};
    LLS_AUTO(lls_buf) second = {0};

    (void)state;
    setup(&b);
    assert_ok(lls_migration_execute(&b.m, &err), err);
    lls_buf_add(&first, lls_buf_view(&b.m.run_folder));
    assert_ok(lls_migration_execute(&b.m, &err), err);
    lls_buf_add(&second, lls_buf_view(&b.m.run_folder));

    lls_buf_clear(&b.m.run_folder);
    lls_buf_add(&b.m.run_folder, lls_buf_view(&first));
    assert_code(lls_migration_rollback(&b.m, &err), LLS_E_CONFLICT, err);
    assert_non_null(strstr(err.msg, "changed the target after run"));
    teardown(&b);
}

static void damage_file(bench *b, const char *name, long offset)
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
        bench b;
        lls_error err = {0};
        setup(&b);
        assert_ok(lls_migration_execute(&b.m, &err), err);
        lls_sum after = lls_migration_sum(b.to->kv);
        damage_file(&b, spots[i].name, spots[i].offset);
        b.wire.changes = 0;
        b.m.options.force = true; // not even then
        assert_code(lls_migration_rollback(&b.m, &err), LLS_E_CORRUPT, err);
        assert_int_equal(b.wire.changes, 0);
        assert_target(&b, after);
        teardown(&b);
    }
}

static void an_edited_plan_is_refused(void **state)
{
    bench b;
    lls_error err = {0};

    (void)state;
    setup(&b);
    (void)run_and_cut(&b, lls_migration_execute, 5, LLS_CUT_AFTER);
    damage_file(&b, "plan.yaml", 3);
    assert_code(lls_migration_resume(&b.m, &err), LLS_E_CORRUPT, err);
    assert_non_null(strstr(err.msg, "is not the plan that the run began with"));
    teardown(&b);
}

/* ---- the lock ---- */

static void an_interrupted_run_holds_the_target(void **state)
{
    bench b;
    lls_error err = {0};

    (void)state;
    setup(&b);
    (void)run_and_cut(&b, lls_migration_execute, 6, LLS_CUT_AFTER);
    LLS_AUTO(lls_buf) first = {0};
    lls_buf_add(&first, lls_buf_view(&b.m.run_folder));
    assert_code(lls_migration_execute(&b.m, &err), LLS_E_BUSY, err);
    assert_non_null(strstr(err.msg, "was interrupted and still holds the target"));
    assert_non_null(strstr(err.msg, lls_buf_cstr(&first)));
    assert_int_equal(lls_migration_runs(&b.m), 1);
    assert_ok(lls_migration_rollback(&b.m, &err), err);
    assert_ok(lls_migration_execute(&b.m, &err), err);
    teardown(&b);
}

static void run_a_second_one(void *user, const lls_event *event)
{
    bench *b = user;
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
    bench b;
    lls_error err = {0};

    (void)state;
    setup(&b);
    b.m.options.event = run_a_second_one;
    b.m.options.user = &b;
    assert_ok(lls_migration_execute(&b.m, &err), err);
    assert_int_equal(lls_migration_runs(&b.m), 1);
    teardown(&b);
}

static void a_lock_of_another_host_needs_force(void **state)
{
    bench b;
    lls_error err = {0};
    lls_kv_space space = {tenant, LLS_STR(LLS_LOCK_COLL)};
    static const char record[] =
        "{\"run\":\"migration-x\",\"host\":\"elsewhere\",\"boot\":\"\",\"pid\":4711,\"started\":0,"
        "\"folder\":\"/there\",\"since\":\"2025-01-15T10:30:00Z\"}";

    (void)state;
    setup(&b);
    assert_ok(lls_kv_put(b.to->kv, space, B("lock"), lls_bytes_of(lls_str_of(record)), &err), err);
    assert_code(lls_migration_execute(&b.m, &err), LLS_E_BUSY, err);
    assert_string_equal(err.msg,
                        "another migration holds the target: run migration-x by pid 4711 on host "
                        "elsewhere since 2025-01-15T10:30:00Z (folder /there)");
    b.m.options.force = true;
    assert_ok(lls_migration_execute(&b.m, &err), err);
    assert_true(lls_migration_is_clean(b.to->kv));
    teardown(&b);
}

static void another_target_is_not_resumed_into(void **state)
{
    bench b;
    lls_error err = {0};

    (void)state;
    setup(&b);
    (void)run_and_cut(&b, lls_migration_execute, 6, LLS_CUT_AFTER);
    b.m.ports[1].kv = b.from->kv;
    assert_code(lls_migration_resume(&b.m, &err), LLS_E_CONFLICT, err);
    assert_non_null(strstr(err.msg, "it is not the store that the run began with"));
    teardown(&b);
}

/* ---- limits ---- */

static void cancel_when_copied(void *user, const lls_event *event)
{
    if (event->type == LLS_EVENT_PHASE && event->phase == LLS_PHASE_COPYING)
        *(int *)user = 1;
}

static void a_cancelled_run_resumes(void **state)
{
    bench b;
    lls_error err = {0};
    int cancel = 0;
    lls_sum after = expected();

    (void)state;
    setup(&b);
    b.m.options.cancel = &cancel;
    b.m.options.event = cancel_when_copied;
    b.m.options.user = &cancel;
    assert_code(lls_migration_execute(&b.m, &err), LLS_E_CANCELLED, err);
    assert_target(&b, b.before);
    assert_int_equal(b.m.report.phase, LLS_PHASE_COPYING);
    b.m.options.cancel = NULL;
    assert_ok(lls_migration_resume(&b.m, &err), err);
    assert_target(&b, after);
    teardown(&b);
}

static void a_full_disk_while_backing_up_changes_nothing(void **state)
{
    bench b;
    lls_error err = {0};
    struct rlimit usual;

    (void)state;
    if (!lls_backend_find(LLS_STR("memory")))
        skip(); // the limit would strike the store too
    setup(&b);
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
    assert_target(&b, b.before);
    assert_ok(lls_migration_resume(&b.m, &err), err);
    teardown(&b);
}

static void every_allocation_may_fail(void **state)
{
    lls_sum after = expected();
    lls_err e = LLS_E_NOMEM;

    (void)state;
    for (long n = 0; e != LLS_OK; n++) {
        bench b;
        lls_error err = {0};
        setup(&b);
        b.m.options.event = NULL;
        lls_alloc_fail_after(n);
        e = lls_migration_execute(&b.m, &err);
        lls_alloc_fail_after(-1);
        assert_whole(&b, after);
        if (e != LLS_OK && lls_migration_runs(&b.m) > 0 && b.m.run_folder.len > 0 &&
            lls_file_exists(lls_buf_cstr(&b.m.run_folder))) {
            assert_ok(lls_migration_resume(&b.m, &err), err);
            assert_target(&b, after);
        }
        teardown(&b);
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
        cmocka_unit_test(cut_at_every_change_it_resumes_exactly),
        cmocka_unit_test(cut_at_every_change_it_rolls_back_exactly),
        cmocka_unit_test(a_resume_cut_at_every_change_resumes_exactly),
        cmocka_unit_test(a_rollback_cut_at_every_change_ends_exactly),
        cmocka_unit_test(a_rollback_restores_what_was_there),
        cmocka_unit_test(later_writes_are_not_rolled_back_unless_forced),
        cmocka_unit_test(a_later_run_must_be_rolled_back_first),
        cmocka_unit_test(a_damaged_backup_changes_nothing),
        cmocka_unit_test(an_edited_plan_is_refused),
        cmocka_unit_test(an_interrupted_run_holds_the_target),
        cmocka_unit_test(a_second_run_at_the_same_time_is_refused),
        cmocka_unit_test(a_lock_of_another_host_needs_force),
        cmocka_unit_test(another_target_is_not_resumed_into),
        cmocka_unit_test(a_cancelled_run_resumes),
        cmocka_unit_test(a_full_disk_while_backing_up_changes_nothing),
        cmocka_unit_test(every_allocation_may_fail),
    };

    if (!lls_backend_find(LLS_STR("memory")) && !lls_backend_find(LLS_STR("lmdb")))
        return SKIP;
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
