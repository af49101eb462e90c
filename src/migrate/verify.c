#include "migrate/verify.h"

#include "base/plural.h"
#include "base/scope.h"
#include "migrate/feed.h"
#include "ports/record.h"

enum { TELL_EVERY = 4096 };

/* One of the scans: the record it stands on, unless it is over. */
typedef struct side {
    lls_kv_iter *scan;    /* or else */
    lls_feed *feed;       /* the source, which is read ahead */
    lls_feed_batch batch; /* of the feed */
    size_t at;            /* the next record in it */
    lls_str coll;
    bool over;
    bool here; /* whether it stands on the key that is looked at */
    lls_kv_item item;
    lls_digest digest;
    lls_sum sum; /* of all records so far */
} side;

typedef struct walk {
    lls_run *run;
    lls_part *part;
    side source;
    side stage;
    side target;
    uint64_t sample_percent;
    uint64_t verified;
    uint64_t replaced;
} walk;

static lls_err advance(side *s, lls_error *err)
{
    lls_err e = LLS_OK;

    if (s->feed && s->at == s->batch.count) {
        s->at = 0;
        s->batch.count = 0;
        e = lls_feed_next(s->feed, &s->batch, err);
    }
    if (s->feed && e == LLS_OK) {
        s->digest = s->batch.digests[s->at];
        s->item = s->batch.items[s->at++];
    } else if (!s->feed) {
        e = lls_kv_iter_next(s->scan, &s->item, err);
        if (e == LLS_OK)
            s->digest = lls_record_digest(s->coll, &s->item);
    }
    s->over = e == LLS_END;
    if (e != LLS_OK)
        return s->over ? LLS_OK : e;
    s->sum.count++;
    s->sum.bytes += s->item.key.len + s->item.value.len;
    lls_digest_add(&s->sum.digest, s->digest);
    return LLS_OK;
}

/* Let `here` say which sides stand on the smallest key. False: all are over. */
static bool align(side *const sides[3])
{
    const lls_bytes *least = NULL;

    for (int i = 0; i < 3; i++) {
        if (!sides[i]->over && (!least || lls_bytes_cmp(sides[i]->item.key, *least) < 0))
            least = &sides[i]->item.key;
    }
    for (int i = 0; i < 3; i++)
        sides[i]->here = least && !sides[i]->over && lls_bytes_eq(sides[i]->item.key, *least);
    return least != NULL;
}

static lls_err differs(walk *w, lls_bytes key, const char *how, lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};

    if (w->run->differences++ >= LLS_DIFFERS_MAX)
        return LLS_OK;
    lls_buf_add_text(&text, "key '");
    lls_key_show(key, &text);
    lls_buf_printf(&text, "' %s", how);
    LLS_TRY(lls_buf_status(&text, err));
    lls_run_tell(w->run, LLS_EVENT_DIFFERS, w->part->want->name, lls_buf_cstr(&text));
    return LLS_OK;
}

/* By the key alone, so that the same records are taken on every try. */
static bool in_sample(const walk *w, lls_bytes key)
{
    return w->sample_percent >= 100 || lls_checksum(&key, 1) % 100 < w->sample_percent;
}

static lls_err compare(walk *w, lls_error *err)
{
    const side *source = &w->source;
    const side *stage = &w->stage;
    const side *target = &w->target;

    if (source->here && target->here) {
        w->replaced++;
        if (!w->run->plan->backup_enabled && !lls_digest_eq(source->digest, target->digest))
            return differs(w, source->item.key, "would be replaced, and there is no backup", err);
    }
    if (source->here && !stage->here)
        return differs(w, source->item.key, "is missing in the target", err);
    if (source->here) {
        if (!in_sample(w, source->item.key))
            return LLS_OK;
        w->verified++;
        if (!lls_digest_eq(source->digest, stage->digest))
            return differs(w, source->item.key, "has other content in the target", err);
        return LLS_OK;
    }
    if (!stage->here)
        return differs(w, target->item.key, "of the target would be lost", err);
    if (!target->here)
        return differs(w, stage->item.key, "is in the target and not in the source", err);
    if (!lls_digest_eq(stage->digest, target->digest))
        return differs(w, stage->item.key, "of the target would be changed", err);
    return LLS_OK;
}

static lls_err walk_all(walk *w, lls_error *err)
{
    side *const sides[3] = {&w->source, &w->stage, &w->target};

    for (int i = 0; i < 3; i++)
        LLS_TRY(advance(sides[i], err));
    for (uint64_t n = 1; align(sides); n++) {
        LLS_TRY(compare(w, err));
        if (n % TELL_EVERY == 0) {
            LLS_TRY(lls_run_check_cancel(w->run, err));
            lls_run_tell_progress(w->run, "validate", w->part->want->name, w->source.sum.count,
                                  w->part->source.count);
        }
        for (int i = 0; i < 3; i++) {
            if (sides[i]->here)
                LLS_TRY(advance(sides[i], err));
        }
    }
    lls_run_tell_progress(w->run, "validate", w->part->want->name, w->source.sum.count,
                          w->source.sum.count);
    return LLS_OK;
}

static lls_err tell_sample(const walk *w, lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};

    if (w->sample_percent >= 100)
        return LLS_OK;
    lls_buf_printf(&text,
                   "the keys of all records were compared, the contents of %llu of %llu "
                   "(checksum_sample_percent: %llu)",
                   (unsigned long long)w->verified, (unsigned long long)w->source.sum.count,
                   (unsigned long long)w->sample_percent);
    LLS_TRY(lls_buf_status(&text, err));
    lls_run_tell(w->run, LLS_EVENT_WARNING, w->part->want->name, lls_buf_cstr(&text));
    return LLS_OK;
}

static bool same_sum(const lls_sum *a, const lls_sum *b)
{
    return a->count == b->count && lls_digest_eq(a->digest, b->digest);
}

/* What the walk found about the whole component, beyond single keys. */
static lls_err conclude(walk *w, lls_error *err)
{
    lls_part *part = w->part;

    if (w->run->plan->backup_enabled && !same_sum(&w->target.sum, &part->backup))
        return lls_fail(err, LLS_E_CONFLICT,
                        "the target was written to after its backup was made: it holds %llu "
                        "record%s of %s, and the backup %llu",
                        (unsigned long long)w->target.sum.count, lls_plural(w->target.sum.count),
                        part->want->name, (unsigned long long)part->backup.count);
    if (part->staged_known && !same_sum(&w->source.sum, &part->staged))
        lls_run_tell(w->run, LLS_EVENT_WARNING, part->want->name,
                     "the source changed during the migration: stop its writers and try again");
    part->source = w->source.sum;
    part->target = w->stage.sum;
    part->verified = w->verified;
    part->replaced = w->replaced;
    return tell_sample(w, err);
}

static lls_err verify_component(lls_run *run, size_t index, lls_error *err)
{
    LLS_AUTO(lls_kv_iter_ref) source = NULL;
    LLS_AUTO(lls_kv_iter_ref) stage = NULL;
    LLS_AUTO(lls_kv_iter_ref) target = NULL;
    LLS_AUTO(lls_feed_ref) feed = NULL;
    lls_part *part = &run->parts[index];
    lls_kv_space space = lls_run_space(run, index);
    bool in_full = part->source.count <= run->plan->full_threshold;

    LLS_TRY(lls_kv_scan(run->from, space, (lls_kv_range){0}, LLS_KV_ALL, &source, err));
    LLS_TRY(lls_stage_scan(run->stage, part->coll, &stage, err));
    LLS_TRY(lls_kv_scan(run->to, space, (lls_kv_range){0}, LLS_KV_ALL, &target, err));
    LLS_TRY(lls_feed_open(source, part->coll, (size_t)part->want->batch_size, &feed, err));
    walk w = {.run = run,
              .part = part,
              .source = {.feed = feed},
              .stage = {.scan = stage, .coll = part->coll},
              .target = {.scan = target, .coll = part->coll},
              .sample_percent = in_full ? 100 : run->plan->sample_percent};
    LLS_TRY(walk_all(&w, err));
    return conclude(&w, err);
}

lls_err lls_verify(lls_run *run, lls_error *err)
{
    run->differences = 0;
    for (size_t i = 0; i < run->plan->component_count; i++) {
        lls_err e = verify_component(run, i, err);
        if (e != LLS_OK && e != LLS_E_CANCELLED)
            return lls_wrap(err, e, "verify %s", run->parts[i].want->name);
        LLS_TRY(e);
    }
    if (run->differences > 0)
        return lls_fail(
            err, LLS_E_MISMATCH, "%llu record%s between the source and what the target would show",
            (unsigned long long)run->differences, run->differences == 1 ? " differs" : "s differ");
    return LLS_OK;
}

/* The sum of a whole scan. */
static lls_err sum_scan(const lls_run *run, lls_kv_iter *scan, const lls_part *part, lls_sum *out,
                        lls_error *err)
{
    side s = {.scan = scan, .coll = part->coll};

    LLS_TRY(advance(&s, err));
    while (!s.over) {
        if (s.sum.count % TELL_EVERY == 0)
            LLS_TRY(lls_run_check_cancel(run, err));
        LLS_TRY(advance(&s, err));
    }
    *out = s.sum;
    return LLS_OK;
}

lls_err lls_verify_backup(lls_run *run, lls_kv_stage *stage, lls_error *err)
{
    for (size_t i = 0; i < run->plan->component_count; i++) {
        LLS_AUTO(lls_kv_iter_ref) scan = NULL;
        const lls_part *part = &run->parts[i];
        lls_sum sum;

        LLS_TRY(lls_stage_scan(stage, part->coll, &scan, err));
        LLS_TRY(sum_scan(run, scan, part, &sum, err));
        if (!same_sum(&sum, &part->backup))
            return lls_fail(err, LLS_E_MISMATCH,
                            "%s would not be what it was: %llu record%s instead of %llu, or other "
                            "content",
                            part->want->name, (unsigned long long)sum.count, lls_plural(sum.count),
                            (unsigned long long)part->backup.count);
    }
    return LLS_OK;
}

lls_err lls_verify_untouched(lls_run *run, lls_error *err)
{
    for (size_t i = 0; i < run->plan->component_count; i++) {
        LLS_AUTO(lls_kv_iter_ref) scan = NULL;
        const lls_part *part = &run->parts[i];
        lls_sum sum;

        LLS_TRY(
            lls_kv_scan(run->to, lls_run_space(run, i), (lls_kv_range){0}, LLS_KV_ALL, &scan, err));
        LLS_TRY(sum_scan(run, scan, part, &sum, err));
        if (!same_sum(&sum, &part->target))
            return lls_fail(
                err, LLS_E_CONFLICT,
                "%s was written to after the migration: it holds %llu record%s, and the "
                "migration left %llu; these writes would be lost",
                part->want->name, (unsigned long long)sum.count, lls_plural(sum.count),
                (unsigned long long)part->target.count);
    }
    return LLS_OK;
}
