/**
 * prepare.c - what collections will hold once a stage is published: records of before and staged
 * ones are merged into a base, an index is built over that, and both are written down together, in
 * the order of the index. Others read and write all the while; nothing is kept in memory but the
 * index of one collection.
 */
#include "backends/hnsw/stage.h"

#include "backends/hnsw/compact.h"
#include "base/alloc.h"
#include "base/scope.h"

#include <inttypes.h>
#include <unistd.h>

/* Two walks in the order of their ids: over what was there, and over what was staged. */
typedef struct merging {
    hnsw_stage *stage;
    const hnsw_stage_coll *coll;
    uint32_t *docs; /* of `before` */
    size_t doc_count;
    size_t doc_next;
    hnsw_staged_walk walk;
    lls_kv_item staged;
    bool has_staged;
    bool used_staged; /* it is the one that was given last */
    lls_buf value;
} merging;

static void merging_fini(merging *m)
{
    lls_free(m->docs);
    hnsw_staged_walk_fini(&m->walk);
    lls_buf_fini(&m->value);
}

static lls_err step_staged(merging *m, lls_error *err)
{
    lls_err e = hnsw_staged_next(&m->walk, &m->staged, err);

    m->has_staged = e == LLS_OK;
    m->used_staged = false;
    return e == LLS_END ? LLS_OK : e;
}

static lls_err rewind_merging(void *user, lls_error *err)
{
    merging *m = user;

    m->doc_next = 0;
    LLS_TRY(hnsw_staged_rewind(m->coll->staged.path, &m->walk, err));
    return step_staged(m, err);
}

static lls_err give_doc(merging *m, const hnsw_record *record, lls_kv_item *item, lls_error *err)
{
    lls_buf_clear(&m->value);
    LLS_TRY(hnsw_coll_value(m->coll->prospect.before, record, &m->value, err));
    *item = (lls_kv_item){record->id, lls_buf_view(&m->value), record->meta};
    m->doc_next++;
    return LLS_OK;
}

static lls_err next_merged(void *user, lls_kv_item *item, lls_error *err)
{
    merging *m = user;
    hnsw_record record;
    int order = 1;

    if (m->used_staged)
        LLS_TRY(step_staged(m, err));
    if (m->doc_next < m->doc_count) {
        hnsw_coll_record(m->coll->prospect.before, m->docs[m->doc_next], &record);
        order = m->has_staged ? lls_bytes_cmp(record.id, m->staged.key) : -1;
    }
    if (order < 0)
        return give_doc(m, &record, item, err);
    if (!m->has_staged)
        return LLS_END;
    m->doc_next += order == 0; // it takes its place
    m->used_staged = true;
    *item = m->staged;
    return LLS_OK;
}

/* ---- building ---- */

static lls_err check_memory(const hnsw_stage *stage, const hnsw_coll *coll, lls_error *err)
{
    uint64_t limit = stage->store->conf.memory_limit;
    uint64_t held = limit ? hnsw_coll_memory(coll) : 0;

    if (held <= limit)
        return LLS_OK;
    return lls_fail(err, LLS_E_FULL,
                    "collection '%s' would take %" PRIu64 " bytes of memory; the limit is %" PRIu64
                    " (memory_limit)",
                    coll->name, held, limit);
}

/* Tell who watches how many vectors are linked: each hundredth of them, not each piece of work. */
static lls_err tell_linked(const hnsw_stage *stage, const hnsw_coll *coll, uint32_t space,
                           uint64_t *told, lls_error *err)
{
    hnsw_stats stats;

    hnsw_index_stats(coll->spaces[space]->index, &stats);
    uint64_t linked = stats.count - stats.unlinked;
    if (linked < *told + stats.count / 100 + 1)
        return LLS_OK;
    *told = linked;
    return lls_stage_step(&stage->base, lls_str_of(coll->name), linked, stats.count, err);
}

static lls_err build(const hnsw_stage *stage, hnsw_coll *coll, lls_error *err)
{
    for (uint32_t i = 0; i < coll->space_count; i++) {
        uint64_t told = 0;
        lls_err e;
        while ((e = hnsw_index_tend(coll->spaces[i]->index, err)) == LLS_OK) {
            LLS_TRY(check_memory(stage, coll, err));
            LLS_TRY(tell_linked(stage, coll, i, &told, err));
        }
        if (e != LLS_END)
            return e;
    }
    return LLS_OK;
}

/* Build the indexes over `base`, whose hold it takes, and write both. */
static lls_err write_built(hnsw_stage *stage, const hnsw_stage_coll *coll, hnsw_base *base,
                           lls_error *err)
{
    LLS_AUTO(lls_buf) path = {0};
    LLS_AUTO(lls_buf) derived = {0};
    hnsw_frozen frozen = {0};
    hnsw_coll *built;

    LLS_TRY(hnsw_coll_open(&stage->store->conf, lls_str_of(coll->name), base, NULL, &built, err));
    built->changed = coll->prospect.changed;
    hnsw_stage_path(stage, coll, "base", &path);
    hnsw_stage_path(stage, coll, "index", &derived);
    lls_err e = lls_buf_status(&path, err);
    if (e == LLS_OK)
        e = lls_buf_status(&derived, err);
    if (e == LLS_OK)
        e = build(stage, built, err);
    if (e == LLS_OK)
        e = hnsw_freeze(built, &frozen, err);
    if (e == LLS_OK)
        e = hnsw_frozen_write(&frozen, lls_buf_cstr(&path), lls_buf_cstr(&derived),
                              coll->prospect.number, err);
    hnsw_frozen_fini(&frozen);
    hnsw_coll_drop(built);
    return e;
}

/* ---- one collection ---- */

static lls_err write_merged(merging *m, const char *path, uint32_t *records, lls_error *err)
{
    const hnsw_source source = {rewind_merging, next_merged, NULL, m};
    const hnsw_prospect *p = &m->coll->prospect;

    return hnsw_base_write(path, p->number, p->changed, &source, records, err);
}

static lls_err merge(merging *m, lls_error *err)
{
    hnsw_stage_coll *coll = (hnsw_stage_coll *)m->coll;
    LLS_AUTO(lls_buf) path = {0};
    uint32_t records = 0;
    hnsw_base *base;

    hnsw_stage_path(m->stage, coll, "merged", &path);
    LLS_TRY(lls_buf_status(&path, err));
    LLS_TRY(write_merged(m, lls_buf_cstr(&path), &records, err));
    lls_err e = records ? hnsw_base_open(lls_buf_cstr(&path), &base, err) : LLS_OK;
    (void)unlink(lls_buf_cstr(&path)); // who has it open keeps it
    if (e != LLS_OK || records == 0)
        return e;
    LLS_TRY(write_built(m->stage, coll, base, err));
    hnsw_stage_path(m->stage, coll, "base", &path);
    LLS_TRY(lls_buf_status(&path, err));
    return hnsw_base_open(lls_buf_cstr(&path), &coll->prospect.base, err);
}

static lls_err prepare_coll(merging *m, lls_error *err)
{
    lls_err e = m->coll->prospect.keeps ? LLS_OK : merge(m, err);

    return e == LLS_OK ? LLS_OK : lls_wrap(err, e, "prepare collection '%s'", m->coll->name);
}

/* ---- all of them ---- */

uint64_t hnsw_stage_failures(hnsw_tenant *tenant)
{
    (void)pthread_mutex_lock(&tenant->commit.lock);
    uint64_t failures = tenant->commit.failures;
    (void)pthread_mutex_unlock(&tenant->commit.lock);
    return failures;
}

/* See what is there. `write` is held. */
static lls_err look(hnsw_stage *stage, merging *merges, lls_error *err)
{
    stage->failures = hnsw_stage_failures(stage->tenant);
    for (size_t i = 0; i < stage->count; i++) {
        hnsw_stage_coll *coll = &stage->colls[i];
        hnsw_prospect *p = &coll->prospect;
        hnsw_coll *there = hnsw_tenant_coll(stage->tenant, lls_str_of(coll->name));
        p->keeps = stage->mode == LLS_STAGE_MERGE && coll->staged.count == 0;
        p->changed = there ? there->changed : 0;
        merges[i].stage = stage;
        merges[i].coll = coll;
        if (!there || stage->mode != LLS_STAGE_MERGE)
            continue;
        p->before = hnsw_coll_hold(there);
        if (!p->keeps)
            LLS_TRY(hnsw_coll_sorted(there, (lls_kv_range){0}, &merges[i].docs,
                                     &merges[i].doc_count, err));
    }
    return LLS_OK;
}

/* Numbers for the new bases, which nobody else gets. `write` is held. */
static lls_err reserve_numbers(hnsw_stage *stage, lls_error *err)
{
    LLS_AUTO(hnsw_manifest) fresh = {0};

    LLS_TRY(hnsw_log_ready(stage->tenant, err));
    LLS_TRY(hnsw_manifest_copy(&stage->tenant->manifest, &fresh, err));
    for (size_t i = 0; i < stage->count; i++)
        stage->colls[i].prospect.number = fresh.next++;
    return hnsw_manifest_publish(stage->tenant, &fresh, err);
}

static lls_err prepare_all(hnsw_stage *stage, merging *merges, lls_error *err)
{
    hnsw_tenant *tenant;

    LLS_TRY(hnsw_write_begin(stage->store, lls_str_of(stage->tenant->name), &tenant, err));
    lls_err e = look(stage, merges, err);
    if (e == LLS_OK)
        e = reserve_numbers(stage, err);
    hnsw_write_end(tenant);
    for (size_t i = 0; e == LLS_OK && i < stage->count; i++)
        e = prepare_coll(&merges[i], err);
    return e;
}

lls_err hnsw_stage_prepare(lls_kv_stage *base, lls_error *err)
{
    hnsw_stage *stage = LLS_OUTER(base, hnsw_stage, base);

    if (stage->published)
        return lls_fail(err, LLS_E_INVALID, "the stage is published: open another");
    hnsw_stage_unprepare(stage);
    LLS_TRY(base->ops->flush(base, err));
    merging *merges = lls_alloc(stage->count * sizeof(*merges));
    if (!merges)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    for (size_t i = 0; i < stage->count; i++)
        merges[i].walk.fd = -1;
    lls_err e = prepare_all(stage, merges, err);
    for (size_t i = 0; i < stage->count; i++)
        merging_fini(&merges[i]);
    lls_free(merges);
    stage->prepared = true; // so that a failure clears away what there is
    if (e != LLS_OK)
        hnsw_stage_unprepare(stage);
    return e;
}
