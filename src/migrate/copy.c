#include "migrate/copy.h"

#include "base/scope.h"
#include "migrate/backup.h"
#include "migrate/feed.h"

/* A checkpoint costs the target a flush and the journal an fsync. */
enum { CHECKPOINT_RECORDS = 65536, CHECKPOINT_USEC = 1000000 };

/* One component on its way into a stage. */
typedef struct copy {
    lls_run *run;
    lls_kv_stage *stage;
    size_t index;
    const char *what; /* "copy" or "undo" */
    lls_sum sum;      /* of what the stage holds */
    bool journalled;  /* whether checkpoints go into the journal */
    uint64_t total;   /* about how many there will be */
    uint64_t saved;   /* records at the last checkpoint */
    int64_t saved_usec;
} copy;

static lls_err note_batch(copy *c, const lls_feed_batch *batch, lls_error *err)
{
    lls_buf *last = &c->run->parts[c->index].last;

    for (size_t i = 0; i < batch->count; i++) {
        c->sum.bytes += batch->items[i].key.len + batch->items[i].value.len;
        lls_digest_add(&c->sum.digest, batch->digests[i]);
    }
    c->sum.count += batch->count;
    lls_buf_clear(last);
    lls_buf_add(last, batch->items[batch->count - 1].key);
    return lls_buf_status(last, err);
}

/* Flush, then say so: what the journal tells is in the stage. */
static lls_err checkpoint(copy *c, lls_error *err)
{
    lls_part *part = &c->run->parts[c->index];

    LLS_TRY(lls_stage_flush(c->stage, err));
    c->saved = c->sum.count;
    c->saved_usec = lls_monotonic_usec();
    if (!c->journalled)
        return LLS_OK;
    part->staged = c->sum;
    lls_entry entry = {.type = LLS_ENTRY_PROGRESS,
                       .at_usec = lls_clock_now(NULL),
                       .component = (uint32_t)c->index,
                       .sum = c->sum,
                       .text = lls_buf_str(&part->last)};
    lls_journal_add(c->run->journal, &entry);
    return lls_journal_commit(c->run->journal, err);
}

static lls_err copy_batches(copy *c, lls_feed *feed, lls_error *err)
{
    const lls_part *part = &c->run->parts[c->index];
    lls_feed_batch batch;
    lls_err e;

    while ((e = lls_feed_next(feed, &batch, err)) == LLS_OK) {
        LLS_TRY(lls_run_check_cancel(c->run, err));
        lls_err added = lls_stage_add(c->stage, part->coll, batch.items, batch.count, err);
        if (added != LLS_OK)
            return lls_wrap(err, added, "write to the target");
        LLS_TRY(note_batch(c, &batch, err));
        if (c->sum.count - c->saved >= CHECKPOINT_RECORDS ||
            lls_monotonic_usec() - c->saved_usec >= CHECKPOINT_USEC)
            LLS_TRY(checkpoint(c, err));
        lls_run_tell_progress(c->run, c->what, part->want->name, c->sum.count, c->total);
    }
    return e == LLS_END ? LLS_OK : lls_wrap(err, e, "read");
}

static lls_err copy_scan(copy *c, lls_kv_iter *scan, lls_error *err)
{
    LLS_AUTO(lls_feed_ref) feed = NULL;
    const lls_part *part = &c->run->parts[c->index];

    c->saved = c->sum.count;
    c->saved_usec = lls_monotonic_usec();
    LLS_TRY(lls_feed_open(scan, part->coll, (size_t)part->want->batch_size, &feed, err));
    LLS_TRY(copy_batches(c, feed, err));
    return checkpoint(c, err);
}

/* Of lls_stage_watch: what `prepare` gets done, and whether it is to stop. */
static lls_err watch(void *user, lls_str coll, uint64_t done, uint64_t total, lls_error *err)
{
    const lls_run *run = user;

    for (size_t i = 0; i < run->plan->component_count; i++) {
        if (lls_str_eq(run->parts[i].coll, coll))
            lls_run_tell_progress(run, "index", run->parts[i].want->name, done, total);
    }
    return lls_run_check_cancel(run, err);
}

lls_err lls_copy_begin(lls_run *run, const char *stage, lls_stage_mode mode, lls_error *err)
{
    lls_str colls[LLS_PLAN_COMPONENTS + 1];
    size_t count = run->plan->component_count;

    for (size_t i = 0; i < count; i++)
        colls[i] = run->parts[i].coll;
    colls[count] = LLS_STR(LLS_MARK_COLL);
    lls_stage_spec spec = {.tenant = lls_run_tenant(run),
                           .run = lls_str_of(stage),
                           .colls = colls,
                           .coll_count = count + 1,
                           .mode = mode};
    LLS_TRY(lls_stage_open(run->to, &spec, &run->stage, err));
    lls_stage_follow(run->stage, (lls_stage_watch){watch, run});
    return LLS_OK;
}

lls_err lls_copy_open_stage(lls_run *run, lls_error *err)
{
    if (run->stage)
        return LLS_OK;
    lls_err e = lls_copy_begin(run, run->stage_name, LLS_STAGE_MERGE, err);
    return e == LLS_OK ? e : lls_wrap(err, e, "open the stage");
}

/* The digest of what was staged is known when this copy began it, or when the journal tells of
 * exactly what the stage holds. Without it only a hint is lost: see verify.c. */
static lls_err copy_component(lls_run *run, size_t index, lls_error *err)
{
    LLS_AUTO(lls_kv_iter_ref) scan = NULL;
    LLS_AUTO(lls_buf) last = {0};
    lls_part *part = &run->parts[index];
    uint64_t count = 0;

    LLS_TRY(lls_stage_last(run->stage, part->coll, &last, &count, err));
    bool by_journal =
        count == part->staged.count && lls_bytes_eq(lls_buf_view(&last), lls_buf_view(&part->last));
    if (count == 0 || !by_journal)
        part->staged = (lls_sum){.count = count};
    part->staged_known = count == 0 || by_journal;
    lls_buf_clear(&part->last);
    lls_buf_add(&part->last, lls_buf_view(&last));

    lls_kv_range range = {.after = lls_buf_view(&last)};
    LLS_TRY(lls_kv_scan(run->from, lls_run_space(run, index), range, LLS_KV_ALL, &scan, err));
    copy c = {.run = run,
              .stage = run->stage,
              .index = index,
              .what = "copy",
              .sum = part->staged,
              .journalled = part->staged_known, // a digest of a part is no checkpoint
              .total = part->source.count > count ? part->source.count : 0};
    LLS_TRY(copy_scan(&c, scan, err));
    part->copied = c.sum.count;
    return LLS_OK;
}

lls_err lls_copy(lls_run *run, lls_error *err)
{
    for (size_t i = 0; i < run->plan->component_count; i++) {
        LLS_TRY(lls_run_check_cancel(run, err));
        lls_err e = copy_component(run, i, err);
        if (e != LLS_OK && e != LLS_E_CANCELLED)
            return lls_wrap(err, e, "copy %s", run->parts[i].want->name);
        LLS_TRY(e);
    }
    return LLS_OK;
}

lls_err lls_copy_is_whole(lls_run *run, bool *whole, lls_error *err)
{
    LLS_AUTO(lls_buf) last = {0};
    uint64_t count;

    *whole = true;
    for (size_t i = 0; i < run->plan->component_count; i++) {
        LLS_TRY(lls_stage_last(run->stage, run->parts[i].coll, &last, &count, err));
        *whole = *whole && count == run->parts[i].copied;
    }
    return LLS_OK;
}

static lls_err copy_backup(lls_run *run, size_t index, lls_kv_stage *stage, lls_error *err)
{
    LLS_AUTO(lls_kv_iter_ref) scan = NULL;

    LLS_TRY(lls_backup_scan(run, index, &scan, err));
    copy c = {.run = run,
              .stage = stage,
              .index = index,
              .what = "undo",
              .total = run->parts[index].backup.count};
    return copy_scan(&c, scan, err);
}

lls_err lls_copy_backup(lls_run *run, lls_kv_stage *stage, lls_error *err)
{
    for (size_t i = 0; i < run->plan->component_count; i++) {
        lls_err e = copy_backup(run, i, stage, err);
        if (e != LLS_OK && e != LLS_E_CANCELLED)
            return lls_wrap(err, e, "restore %s", run->parts[i].want->name);
        LLS_TRY(e);
    }
    return LLS_OK;
}
