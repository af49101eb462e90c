/*
 * A batch is planned against what is there and what its own writes before have done to it. What it
 * comes to becomes one frame of the log, and is done in memory from that frame: as every other
 * process does it.
 */
#include "backends/hnsw/store.h"

#include "backends/hnsw/agree.h"
#include "backends/hnsw/choose.h"
#include "backends/hnsw/keeper.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/scope.h"
#include "ports/record.h"
#include "ports/vec_record.h"

/* What a write of this batch did to a record. */
typedef struct effect {
    lls_str coll;
    lls_bytes id;
    bool there;
    lls_kv_meta meta;
    size_t value_at; /* in `values` */
    size_t value_len;
    bool superseded; /* by a later write of the batch */
    bool was_stored; /* before the batch: it takes a REMOVE to be rid of that, */
    uint32_t space;  /* which was in this space of its collection, or HNSW_NONE */
    size_t next;     /* an older effect in the same place of the table, plus 1 */
} effect;

typedef struct planner {
    hnsw_tenant *tenant;
    int64_t now_usec;
    lls_buf frame;
    lls_buf values;
    lls_buf scratch;
    effect *effects;
    size_t count;
    size_t *table;
    size_t mask;
    uint64_t bytes; /* of memory that comes */
    hnsw_agreement spaces;
    bool written;
} planner;

static lls_err fail_at(lls_error *err, lls_err code, lls_bytes id, const char *what)
{
    LLS_AUTO(lls_buf) shown = {0};

    lls_key_show(id, &shown);
    return lls_fail(err, code, "record '%s' %s", lls_buf_cstr(&shown), what);
}

static size_t slot_of(const planner *p, lls_bytes id)
{
    return lls_checksum(&id, 1) & p->mask;
}

static effect *find_effect(const planner *p, lls_str coll, lls_bytes id)
{
    for (size_t at = p->table[slot_of(p, id)]; at; at = p->effects[at - 1].next) {
        effect *e = &p->effects[at - 1];
        if (lls_bytes_eq(e->id, id) && lls_str_eq(e->coll, coll))
            return e;
    }
    return NULL;
}

/* A record as the batch has left it so far. */
typedef struct current {
    bool there;  /* expired ones are not */
    bool stored; /* it takes a REMOVE to be rid of it */
    lls_kv_meta meta;
    effect *made; /* by this batch */
    hnsw_coll *coll;
    uint32_t doc;   /* without `made` */
    uint32_t space; /* of the record that was stored before the batch */
} current;

static current look(const planner *p, lls_str name, lls_bytes id)
{
    hnsw_coll *coll = hnsw_tenant_coll(p->tenant, name);
    current now = {
        .coll = coll, .doc = HNSW_NONE, .space = HNSW_NONE, .made = find_effect(p, name, id)};
    hnsw_record record;

    if (now.made) {
        now.stored = now.made->there;
        now.meta = now.made->meta;
    } else if (coll && (now.doc = hnsw_coll_find(coll, id)) != HNSW_NONE) {
        hnsw_coll_record(coll, now.doc, &record);
        now.stored = true;
        now.meta = record.meta;
        now.space = record.space;
    }
    now.there = now.stored && !lls_kv_expired(&now.meta, p->now_usec);
    return now;
}

static void add_effect(planner *p, const effect *given, const current *now)
{
    size_t *place = &p->table[slot_of(p, given->id)];
    effect *fresh = &p->effects[p->count++];

    *fresh = *given;
    fresh->was_stored = now->made ? now->made->was_stored : now->stored;
    fresh->space = now->made ? now->made->space : now->space;
    if (now->made)
        now->made->superseded = true;
    fresh->next = *place;
    *place = p->count;
}

static lls_err plan_remove(planner *p, const hnsw_write *w, const current *now, lls_error *err)
{
    uint64_t wanted = w->sweep ? 0 : w->item.meta.version;
    effect gone = {.coll = w->coll, .id = w->item.id};

    if (w->sweep && now->there)
        return LLS_OK;
    if (wanted && (!now->there || now->meta.version != wanted))
        return fail_at(err, LLS_E_CONFLICT, w->item.id, "has another version");
    if (!now->stored)
        return LLS_OK;
    add_effect(p, &gone, now);
    return LLS_OK;
}

/* Append the canonical value that the write leads to. */
static lls_err make_value(planner *p, const hnsw_write *w, const current *now, lls_error *err)
{
    LLS_AUTO(lls_buf) before = {0};
    LLS_AUTO(lls_buf) floats = {0};
    lls_json_value patch;
    lls_json_value target;
    hnsw_record record;
    lls_vec_item item;

    if (w->value.len)
        lls_buf_add(&p->values, w->value);
    else if (w->verb != LLS_VEC_PATCH)
        lls_vec_record_encode(&w->item, &p->values);
    if (w->verb != LLS_VEC_PATCH)
        return lls_buf_status(&p->values, err);

    if (now->made) {
        lls_buf_add(&before,
                    (lls_bytes){p->values.data + now->made->value_at, now->made->value_len});
    } else {
        hnsw_coll_record(now->coll, now->doc, &record);
        LLS_TRY(hnsw_coll_value(now->coll, &record, &before, err));
    }
    LLS_TRY(lls_buf_status(&before, err));
    lls_kv_item old = {.key = w->item.id, .value = lls_buf_view(&before), .meta = now->meta};
    LLS_TRY(lls_vec_record_decode(&old, &floats, &item, err));
    LLS_TRY(lls_json_check(item.metadata, &target, err));
    LLS_TRY(lls_json_check(w->item.metadata, &patch, err));
    lls_buf_clear(&p->scratch);
    LLS_TRY(lls_json_merge(target, patch, &p->scratch, err));
    item.metadata = lls_buf_str(&p->scratch);
    if (item.metadata.len > LLS_VEC_METADATA_MAX)
        return fail_at(err, LLS_E_INVALID, w->item.id, "would have metadata of more than 1 MiB");
    lls_vec_record_encode(&item, &p->values);
    return lls_buf_status(&p->values, err);
}

static lls_err check_verb(const planner *p, const hnsw_write *w, const current *now, lls_error *err)
{
    uint64_t wanted = w->item.meta.version;

    (void)p;
    switch (w->verb) {
    case LLS_VEC_CREATE:
        return now->there ? fail_at(err, LLS_E_EXISTS, w->item.id, "already exists") : LLS_OK;
    case LLS_VEC_REPLACE:
        return !now->there || now->meta.version != wanted
                   ? fail_at(err, LLS_E_CONFLICT, w->item.id, "has another version")
                   : LLS_OK;
    case LLS_VEC_PATCH:
        if (!now->there)
            return fail_at(err, LLS_E_NOTFOUND, w->item.id, "is not there");
        return wanted && now->meta.version != wanted
                   ? fail_at(err, LLS_E_CONFLICT, w->item.id, "has another version")
                   : LLS_OK;
    case LLS_VEC_PUT:
    case LLS_VEC_RESTORE:
    case LLS_VEC_DELETE:
        break;
    }
    return LLS_OK;
}

static lls_kv_meta make_meta(const planner *p, const hnsw_write *w, const current *now)
{
    if (w->verb == LLS_VEC_RESTORE)
        return w->item.meta;
    return (lls_kv_meta){
        .version = now->there ? now->meta.version + 1 : 1,
        .created_usec = now->there ? now->meta.created_usec : p->now_usec,
        .updated_usec = p->now_usec,
        .expires_usec =
            w->verb == LLS_VEC_PATCH ? now->meta.expires_usec : w->item.meta.expires_usec,
    };
}

static lls_err plan_write(planner *p, const hnsw_write *w, lls_error *err)
{
    current now = look(p, w->coll, w->item.id);

    if (w->verb == LLS_VEC_DELETE)
        return plan_remove(p, w, &now, err);
    LLS_TRY(check_verb(p, w, &now, err));
    effect made = {.coll = w->coll,
                   .id = w->item.id,
                   .there = true,
                   .meta = make_meta(p, w, &now),
                   .value_at = p->values.len};
    LLS_TRY(make_value(p, w, &now, err));
    made.value_len = p->values.len - made.value_at;
    p->bytes += sizeof(hnsw_doc) + made.value_len * 2;
    add_effect(p, &made, &now);
    return LLS_OK;
}

/* ---- what it comes to ---- */

static lls_bytes value_of(const planner *p, const effect *e)
{
    return (lls_bytes){p->values.data + e->value_at, e->value_len};
}

static lls_err come(planner *p, const effect *e, lls_error *err)
{
    const lls_kv_item item = {.value = value_of(p, e)};
    LLS_AUTO(lls_buf) shown = {0};
    const uint8_t *unused;
    lls_vec_item view;

    lls_vec_record_view(&item, &view, &unused);
    lls_err status = hnsw_agree_come(&p->spaces, e->coll, hnsw_tenant_coll(p->tenant, e->coll),
                                     &view.space, err);
    if (status == LLS_OK)
        return LLS_OK;
    lls_key_show(e->id, &shown);
    return lls_wrap(err, status, "record '%s'", lls_buf_cstr(&shown));
}

static lls_err check_spaces(planner *p, lls_error *err)
{
    for (size_t i = 0; i < p->count; i++) {
        const effect *e = &p->effects[i];
        if (!e->superseded && e->was_stored)
            LLS_TRY(
                hnsw_agree_leave(&p->spaces, hnsw_tenant_coll(p->tenant, e->coll), e->space, err));
    }
    for (size_t i = 0; i < p->count; i++)
        if (!p->effects[i].superseded && p->effects[i].there)
            LLS_TRY(come(p, &p->effects[i], err));
    return LLS_OK;
}

static void add_change(planner *p, hnsw_op op, const effect *e)
{
    hnsw_change change = {.op = op, .coll = e->coll, .item.key = e->id};

    if (op == HNSW_OP_PUT) {
        change.item.value = value_of(p, e);
        change.item.meta = e->meta;
    }
    hnsw_frame_add(&p->frame, &change);
    p->written = true;
}

/* Whether the record must go before any comes: its space is declared anew. */
static bool goes_first(const planner *p, const effect *e)
{
    return e->was_stored && hnsw_agree_anew(&p->spaces, e->coll, e->space);
}

static lls_err make_frame(planner *p, lls_error *err)
{
    for (size_t i = 0; i < p->count; i++)
        if (!p->effects[i].superseded && goes_first(p, &p->effects[i]))
            add_change(p, HNSW_OP_REMOVE, &p->effects[i]);
    for (size_t i = 0; i < p->count; i++) {
        const effect *e = &p->effects[i];
        if (e->superseded)
            continue;
        if (e->there)
            add_change(p, HNSW_OP_PUT, e);
        else if (e->was_stored && !goes_first(p, e))
            add_change(p, HNSW_OP_REMOVE, e);
    }
    return lls_buf_status(&p->frame, err);
}

/* ---- doing it ---- */

static lls_err init(planner *p, hnsw_tenant *tenant, int64_t now_usec, size_t count, lls_error *err)
{
    size_t size = 16;

    while (size < count * 2)
        size *= 2;
    *p = (planner){.tenant = tenant, .now_usec = now_usec, .mask = size - 1};
    p->values.max = HNSW_FRAME_MAX;
    p->effects = lls_alloc(count * sizeof(*p->effects));
    p->table = lls_alloc(size * sizeof(*p->table));
    hnsw_frame_begin(&p->frame);
    return p->effects && p->table ? LLS_OK : lls_fail(err, LLS_E_NOMEM, "out of memory");
}

static void fini(planner *p)
{
    lls_free(p->effects);
    lls_free(p->table);
    hnsw_agreement_fini(&p->spaces);
    lls_buf_fini(&p->frame);
    lls_buf_fini(&p->values);
    lls_buf_fini(&p->scratch);
}

static lls_err check_memory(const planner *p, lls_error *err)
{
    uint64_t limit = p->tenant->store->conf.memory_limit;
    uint64_t held = p->bytes;

    if (limit == 0 || p->bytes == 0)
        return LLS_OK;
    for (size_t i = 0; i < p->tenant->coll_count; i++)
        held += hnsw_coll_memory(p->tenant->colls[i]);
    if (held > limit)
        return lls_fail(err, LLS_E_FULL,
                        "the tenant would hold %llu bytes in memory; the limit is %llu",
                        (unsigned long long)held, (unsigned long long)limit);
    return LLS_OK;
}

static lls_err run(planner *p, hnsw_tenant *tenant, int64_t now_usec, const hnsw_write *writes,
                   size_t count, lls_error *err)
{
    LLS_TRY(init(p, tenant, now_usec, count, err));
    for (size_t i = 0; i < count; i++)
        LLS_TRY(plan_write(p, &writes[i], err));
    LLS_TRY(check_memory(p, err));
    LLS_TRY(check_spaces(p, err));
    LLS_TRY(make_frame(p, err));
    return p->written ? hnsw_log_append(tenant, &p->frame, err) : LLS_OK;
}

/* Let go of `write` after a frame was written, and wait until it is safe. */
static lls_err finish(hnsw_tenant *tenant, bool written, lls_err e, lls_error *err)
{
    uint64_t sequence = tenant->sequence;

    (void)pthread_mutex_lock(&tenant->commit.lock);
    uint64_t failures = tenant->commit.failures;
    (void)pthread_mutex_unlock(&tenant->commit.lock);
    hnsw_store *store = tenant->store;
    hnsw_write_end(tenant);
    if (e != LLS_OK || !written)
        return e;
    LLS_TRY(hnsw_commit_wait(tenant, sequence, failures, err));
    hnsw_keeper_poke(store);
    return LLS_OK;
}

lls_err hnsw_apply(hnsw_store *store, lls_str tenant_name, int64_t now_usec,
                   const hnsw_write *writes, size_t count, lls_error *err)
{
    hnsw_tenant *tenant;
    planner p;

    LLS_TRY(hnsw_write_begin(store, tenant_name, &tenant, err));
    lls_err e = run(&p, tenant, now_usec, writes, count, err);
    bool written = p.written;
    fini(&p);
    return finish(tenant, written, e, err);
}

/* ---- many at once ---- */

static lls_err append_clear(hnsw_tenant *tenant, lls_str coll, bool *written, lls_error *err)
{
    LLS_AUTO(lls_buf) frame = {0};
    const hnsw_coll *there = hnsw_tenant_coll(tenant, coll);
    hnsw_change change = {.op = HNSW_OP_CLEAR, .coll = coll};

    *written = false;
    if (!there || there->count == 0)
        return LLS_OK;
    hnsw_frame_begin(&frame);
    hnsw_frame_add(&frame, &change);
    LLS_TRY(hnsw_log_append(tenant, &frame, err));
    *written = true;
    return LLS_OK;
}

lls_err hnsw_clear(hnsw_store *store, lls_kv_space space, lls_error *err)
{
    hnsw_tenant *tenant;
    bool written;

    LLS_TRY(hnsw_write_begin(store, space.tenant, &tenant, err));
    lls_err e = append_clear(tenant, space.coll, &written, err);
    return finish(tenant, written, e, err);
}

static lls_err append_remove(hnsw_tenant *tenant, hnsw_coll *coll, const hnsw_choice *choice,
                             lls_error *err)
{
    LLS_AUTO(lls_buf) frame = {0};

    hnsw_frame_begin(&frame);
    for (uint32_t doc = 0; doc < choice->docs; doc++) {
        if (!hnsw_choice_has(choice, doc))
            continue;
        hnsw_change change = {.op = HNSW_OP_REMOVE,
                              .coll = lls_str_of(coll->name),
                              .item = {.key = hnsw_coll_id(coll, doc)}};
        hnsw_frame_add(&frame, &change);
    }
    return hnsw_log_append(tenant, &frame, err);
}

lls_err hnsw_remove(hnsw_store *store, lls_kv_space space, int64_t now_usec,
                    const lls_filter *filter, uint64_t *removed, lls_error *err)
{
    hnsw_choice choice = {0};
    hnsw_tenant *tenant;
    lls_err e = LLS_OK;

    LLS_TRY(hnsw_write_begin(store, space.tenant, &tenant, err));
    hnsw_coll *coll = hnsw_tenant_coll(tenant, space.coll);
    if (coll)
        e = hnsw_choose(coll, filter, now_usec, &choice, err);
    uint64_t count = choice.count;
    if (e == LLS_OK && count)
        e = append_remove(tenant, coll, &choice, err);
    hnsw_choice_fini(&choice);
    e = finish(tenant, count > 0, e, err);
    if (e == LLS_OK)
        *removed = count;
    return e;
}
