/** coll_do.c - the changes of a log, done to a collection in memory. */
#include "backends/hnsw/coll.h"

#include "backends/hnsw/traits.h"
#include "backends/hnsw/words.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/scope.h"
#include "ports/vec_record.h"

static lls_err no_memory(lls_error *err)
{
    return lls_fail(err, LLS_E_NOMEM, "out of memory");
}

/* ---- room ---- */

static bool grow_live(hnsw_coll *coll, uint32_t docs)
{
    size_t words = (size_t)docs / 64 + 1;

    if (words <= coll->live_words)
        return true;
    words = words * 2;
    uint64_t *grown = lls_resize(coll->live, words * sizeof(*grown));
    if (!grown)
        return false;
    memset(grown + coll->live_words, 0, (words - coll->live_words) * sizeof(*grown));
    coll->live = grown;
    coll->live_words = words;
    return true;
}

static bool grow_tail(hnsw_coll *coll)
{
    uint32_t piece = 31 - (uint32_t)__builtin_clz(coll->tail_count / HNSW_TAIL_FIRST + 1);

    if (!coll->tail[piece])
        coll->tail[piece] = lls_alloc(((size_t)HNSW_TAIL_FIRST << piece) * sizeof(hnsw_doc *));
    return coll->tail[piece] != NULL;
}

static void hash_put(const hnsw_coll *coll, uint32_t *hash, uint32_t cap, uint32_t number)
{
    const hnsw_doc *doc = *hnsw_coll_tail(coll, number - 1);
    lls_bytes id = {doc->bytes, doc->id_len};
    uint32_t at = lls_checksum(&id, 1) & (cap - 1);

    while (hash[at]) {
        const hnsw_doc *other = *hnsw_coll_tail(coll, hash[at] - 1);
        if (lls_bytes_eq((lls_bytes){other->bytes, other->id_len}, id))
            break;
        at = (at + 1) & (cap - 1);
    }
    hash[at] = number;
}

static bool grow_hash(hnsw_coll *coll)
{
    if ((coll->hash_used + 1) * 2 <= coll->hash_cap)
        return true;
    uint32_t cap = coll->hash_cap ? coll->hash_cap * 2 : 128;
    uint32_t *grown = lls_alloc(cap * sizeof(*grown));
    if (!grown)
        return false;
    for (uint32_t i = 0; i < coll->hash_cap; i++)
        if (coll->hash[i])
            hash_put(coll, grown, cap, coll->hash[i]);
    lls_free(coll->hash);
    coll->hash = grown;
    coll->hash_cap = cap;
    return true;
}

static bool grow_slots(hnsw_space *space, uint32_t slot)
{
    if (slot < space->base_slots || slot - space->base_slots < space->later_cap)
        return true;
    size_t cap = (slot - space->base_slots + 64) * 2;
    uint32_t *grown = lls_resize(space->later_docs, cap * sizeof(*grown));
    if (!grown)
        return false;
    memset(grown + space->later_cap, 0xff, (cap - space->later_cap) * sizeof(*grown));
    space->later_docs = grown;
    space->later_cap = cap;
    return true;
}

static void set_slot(hnsw_space *space, uint32_t slot, uint32_t doc)
{
    if (slot < space->base_slots)
        space->base_docs[slot] = doc;
    else
        space->later_docs[slot - space->base_slots] = doc;
}

/* ---- spaces ---- */

static lls_err new_index(const hnsw_coll *coll, hnsw_space *space, lls_error *err)
{
    hnsw_params params = hnsw_space_params(coll->conf, &space->space);
    hnsw_index *index;

    LLS_TRY(hnsw_index_new(&params, &index, err));
    space->index = index;
    return LLS_OK;
}

static lls_err new_space(const hnsw_coll *coll, const lls_vec_space *given, hnsw_space **out,
                         lls_error *err)
{
    hnsw_space *space = lls_alloc(sizeof(*space));

    if (!space)
        return no_memory(err);
    space->space = *given;
    if (given->model.len)
        memcpy(space->model, given->model.data, given->model.len);
    space->space.model.data = space->model;
    lls_err e = new_index(coll, space, err);
    if (e == LLS_OK)
        *out = space;
    else
        lls_free(space);
    return e;
}

/* A space that nobody is in any more may be declared again, differently. Somebody may still be
 * building the index of the old one: it stays until the collection goes. */
static lls_err redeclare(hnsw_coll *coll, uint32_t number, const lls_vec_space *given,
                         lls_error *err)
{
    hnsw_space *old = coll->spaces[number];
    lls_err e = lls_vec_space_agree(&old->space, given, err);

    if (e != LLS_E_MISMATCH || old->count)
        return e;
    LLS_TRY(new_space(coll, given, &coll->spaces[number], err));
    coll->spaces[number]->before = old;
    return LLS_OK;
}

static lls_err meet_space(hnsw_coll *coll, const lls_vec_space *given, uint32_t *out,
                          lls_error *err)
{
    *out = hnsw_coll_space(coll, given->model, given->dim);
    if (*out != HNSW_NONE)
        return redeclare(coll, *out, given, err);
    if (coll->space_count == HNSW_SPACES_MAX)
        return lls_fail(err, LLS_E_FULL, "more than %d embedding spaces", HNSW_SPACES_MAX);
    hnsw_space **grown = lls_resize(coll->spaces, (coll->space_count + 1) * sizeof(hnsw_space *));
    if (!grown)
        return no_memory(err);
    coll->spaces = grown;
    LLS_TRY(new_space(coll, given, &grown[coll->space_count], err));
    *out = coll->space_count++;
    return LLS_OK;
}

/* ---- vectors ---- */

/* Put the vector of the new record in. One that is the same as before keeps its slot. */
static lls_err place_vector(hnsw_coll *coll, hnsw_doc *doc, uint32_t number, uint32_t before,
                            const float *vector, lls_error *err)
{
    hnsw_space *space = coll->spaces[doc->space];
    hnsw_record old;

    if (before != HNSW_NONE) {
        hnsw_coll_record(coll, before, &old);
        if (old.space == doc->space) {
            doc->slot = old.slot;
            LLS_TRY(hnsw_index_update(space->index, &doc->slot, vector, err));
            space->count--;
        } else {
            before = HNSW_NONE;
        }
    }
    if (before == HNSW_NONE)
        LLS_TRY(hnsw_index_add(space->index, vector, &doc->slot, err));
    if (!grow_slots(space, doc->slot))
        return no_memory(err);
    if (before != HNSW_NONE && old.slot != doc->slot)
        set_slot(space, old.slot, HNSW_NONE);
    set_slot(space, doc->slot, number);
    space->count++;
    return LLS_OK;
}

/* Take the vector of a record out that has no successor in its space. */
static lls_err remove_vector(hnsw_coll *coll, const hnsw_record *record, lls_error *err)
{
    if (record->space == HNSW_NONE)
        return LLS_OK;
    hnsw_space *space = coll->spaces[record->space];
    LLS_TRY(hnsw_index_remove(space->index, record->slot, err));
    set_slot(space, record->slot, HNSW_NONE);
    space->count--;
    return LLS_OK;
}

/* ---- records ---- */

static void bury(hnsw_coll *coll, const hnsw_record *record)
{
    coll->live[record->doc / 64] &= ~(UINT64_C(1) << (record->doc % 64));
    coll->count--;
    coll->expiring -= record->meta.expires_usec != 0;
}

static lls_err remove_doc(hnsw_coll *coll, uint32_t doc, bool vector_too, lls_error *err)
{
    hnsw_record record;

    hnsw_coll_record(coll, doc, &record);
    LLS_TRY(hnsw_words_forget(coll, &record, err));
    if (vector_too)
        LLS_TRY(remove_vector(coll, &record, err));
    bury(coll, &record);
    return LLS_OK;
}

static lls_err make_doc(const lls_kv_item *item, const lls_vec_item *view, hnsw_doc **out,
                        lls_error *err)
{
    size_t body_len = item->value.len - view->space.dim * sizeof(float);
    hnsw_doc *doc = lls_alloc(sizeof(*doc) + item->key.len + body_len);

    if (!doc)
        return no_memory(err);
    doc->meta = item->meta;
    doc->event_usec = view->event_usec;
    doc->value_len = (uint32_t)item->value.len;
    doc->value_check = lls_checksum(&item->value, 1);
    doc->body_len = (uint32_t)body_len;
    doc->id_len = (uint16_t)item->key.len;
    doc->space = HNSW_NONE;
    memcpy(doc->bytes, item->key.data, item->key.len);
    memcpy(doc->bytes + item->key.len, item->value.data, body_len);
    *out = doc;
    return LLS_OK;
}

static lls_err put(hnsw_coll *coll, const hnsw_change *change, hnsw_log_file *log,
                   uint64_t frame_at, lls_error *err)
{
    LLS_AUTO(lls_buf) floats = {0};
    const lls_kv_item *item = &change->item;
    uint32_t number = hnsw_coll_docs(coll);
    uint32_t before = hnsw_coll_find(coll, item->key);
    lls_vec_item view;
    hnsw_doc *doc = NULL;

    LLS_TRY(lls_vec_record_decode(item, &floats, &view, err));
    if (number >= HNSW_NONE - 1)
        return lls_fail(err, LLS_E_FULL, "more than %u records", HNSW_NONE - 1);
    if (!grow_tail(coll) || !grow_live(coll, number) || !grow_hash(coll))
        return no_memory(err);
    LLS_TRY(make_doc(item, &view, &doc, err));
    doc->log = hnsw_log_file_hold(log);
    doc->value_at = frame_at + change->value_at;
    *hnsw_coll_tail(coll, coll->tail_count++) = doc;
    coll->tail_bytes += sizeof(*doc) + doc->id_len + doc->body_len;

    bool kept_space = false;
    if (view.space.dim) {
        LLS_TRY(meet_space(coll, &view.space, &doc->space, err));
        LLS_TRY(place_vector(coll, doc, number, before, view.vector, err));
        if (before != HNSW_NONE) {
            hnsw_record old;
            hnsw_coll_record(coll, before, &old);
            kept_space = old.space == doc->space;
        }
    }
    if (before != HNSW_NONE)
        LLS_TRY(remove_doc(coll, before, !kept_space, err));
    hash_put(coll, coll->hash, coll->hash_cap, coll->tail_count);
    coll->hash_used++; // an id that was there is counted twice: the table is only emptier for it
    coll->live[number / 64] |= UINT64_C(1) << (number % 64);
    coll->count++;
    coll->expiring += doc->meta.expires_usec != 0;
    LLS_TRY(hnsw_words_learn(coll, number, err));
    return hnsw_traits_learn(coll, number, err);
}

lls_err hnsw_coll_do(hnsw_coll *coll, const hnsw_change *change, hnsw_log_file *log,
                     uint64_t frame_at, lls_error *err)
{
    if (change->op == HNSW_OP_PUT)
        return put(coll, change, log, frame_at, err);
    uint32_t doc = hnsw_coll_find(coll, change->item.key);
    if (doc == HNSW_NONE)
        return lls_fail(err, LLS_E_CORRUPT, "a record is removed that is not there");
    return remove_doc(coll, doc, true, err);
}
