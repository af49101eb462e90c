#define _GNU_SOURCE // qsort_r
#include "backends/hnsw/coll.h"

#include "backends/hnsw/derived.h"
#include "backends/hnsw/mapping.h"
#include "backends/hnsw/traits.h"
#include "backends/hnsw/words.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/scope.h"
#include "ports/record.h"
#include "ports/vec_record.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

hnsw_coll *hnsw_coll_hold(hnsw_coll *coll)
{
    atomic_fetch_add(&coll->refs, 1);
    return coll;
}

static void free_space(hnsw_space *space)
{
    while (space) {
        hnsw_space *before = space->before;
        hnsw_index_free(space->index);
        lls_free(space->later_docs);
        lls_free(space);
        space = before;
    }
}

void hnsw_coll_drop(hnsw_coll *coll)
{
    if (!coll || atomic_fetch_sub(&coll->refs, 1) != 1)
        return;
    for (uint32_t i = 0; i < coll->space_count; i++)
        free_space(coll->spaces[i]);
    for (uint32_t i = 0; i < coll->tail_count; i++) {
        hnsw_doc *doc = *hnsw_coll_tail(coll, i);
        hnsw_log_file_drop(doc->log);
        lls_free(doc);
    }
    for (uint32_t i = 0; i < HNSW_TAIL_PIECES; i++)
        lls_free(coll->tail[i]);
    hnsw_words_free(coll->words);
    hnsw_traits_free(coll->traits);
    hnsw_unmap(coll->derived, coll->derived_length);
    hnsw_base_drop(coll->base);
    lls_free(coll->spaces);
    lls_free(coll->live);
    lls_free(coll->hash);
    (void)pthread_mutex_destroy(&coll->making);
    lls_free(coll);
}

/* ---- looking at records ---- */

static uint32_t base_records(const hnsw_coll *coll)
{
    return coll->base ? coll->base->records : 0;
}

void hnsw_coll_record(const hnsw_coll *coll, uint32_t doc, hnsw_record *out)
{
    hnsw_row row;

    if (doc >= base_records(coll)) {
        const hnsw_doc *d = *hnsw_coll_tail(coll, doc - base_records(coll));
        *out = (hnsw_record){doc,     {d->bytes, d->id_len}, {d->bytes + d->id_len, d->body_len},
                             d->meta, d->event_usec,         d->space,
                             d->slot};
        return;
    }
    hnsw_base_row(coll->base, doc, &row);
    *out = (hnsw_record){doc, row.id, row.body, row.meta, row.event_usec, row.space, row.slot};
}

lls_bytes hnsw_coll_id(const hnsw_coll *coll, uint32_t doc)
{
    if (doc < base_records(coll))
        return hnsw_base_id(coll->base, doc);
    const hnsw_doc *d = *hnsw_coll_tail(coll, doc - base_records(coll));
    return (lls_bytes){d->bytes, d->id_len};
}

lls_err hnsw_coll_check(const hnsw_coll *coll, const hnsw_record *record, lls_error *err)
{
    hnsw_row row;

    if (record->doc >= base_records(coll))
        return LLS_OK; // it was checked when the log was read, and is in memory since
    hnsw_base_row(coll->base, record->doc, &row);
    return hnsw_base_check_row(coll->base, &row, err);
}

/* Append the value of a record of the log, from there. */
static lls_err read_value(const hnsw_doc *doc, lls_buf *out, lls_error *err)
{
    size_t start = out->len;
    size_t done = 0;

    lls_buf_reserve(out, doc->value_len);
    LLS_TRY(lls_buf_status(out, err));
    while (done < doc->value_len) {
        ssize_t n = pread(doc->log->fd, out->data + start + done, doc->value_len - done,
                          (off_t)(doc->value_at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lls_fail_sys(err, errno, "read '%s'", doc->log->path);
        if (n == 0)
            break;
        done += (size_t)n;
    }
    lls_bytes value = {out->data + start, done};
    if (done < doc->value_len || lls_checksum(&value, 1) != doc->value_check) {
        LLS_AUTO(lls_buf) shown = {0};
        lls_key_show((lls_bytes){doc->bytes, doc->id_len}, &shown);
        return lls_fail(err, LLS_E_CORRUPT, "'%s': record '%s' at byte %llu is damaged",
                        doc->log->path, lls_buf_cstr(&shown), (unsigned long long)doc->value_at);
    }
    out->len += done;
    return LLS_OK;
}

lls_err hnsw_coll_value(const hnsw_coll *coll, const hnsw_record *record, lls_buf *out,
                        lls_error *err)
{
    hnsw_row row;

    if (record->doc >= base_records(coll))
        return read_value(*hnsw_coll_tail(coll, record->doc - base_records(coll)), out, err);
    hnsw_base_row(coll->base, record->doc, &row);
    return hnsw_base_value(coll->base, &row, out, err);
}

static lls_err read_vector(const hnsw_coll *coll, const hnsw_record *record, lls_buf *floats,
                           lls_error *err)
{
    hnsw_row row;

    if (record->doc >= base_records(coll)) {
        const hnsw_doc *doc = *hnsw_coll_tail(coll, record->doc - base_records(coll));
        LLS_AUTO(lls_buf) value = {0};
        LLS_TRY(read_value(doc, &value, err));
        lls_buf_add(floats,
                    (lls_bytes){value.data + doc->body_len, doc->value_len - doc->body_len});
        return lls_buf_status(floats, err);
    }
    hnsw_base_row(coll->base, record->doc, &row);
    LLS_TRY(hnsw_base_check_vector(coll->base, &row, err));
    lls_buf_add(floats, hnsw_base_vector(coll->base, row.space, row.slot));
    return lls_buf_status(floats, err);
}

lls_err hnsw_coll_item(const hnsw_coll *coll, const hnsw_record *record, bool vector,
                       lls_buf *floats, lls_vec_item *out, lls_error *err)
{
    lls_kv_item item = {record->id, record->body, record->meta};
    const uint8_t *unused;

    LLS_TRY(hnsw_coll_check(coll, record, err));
    lls_vec_record_view(&item, out, &unused);
    out->vector = NULL;
    if (vector && record->space != HNSW_NONE) {
        lls_buf_clear(floats);
        LLS_TRY(read_vector(coll, record, floats, err));
        out->vector = (const float *)(const void *)floats->data;
    }
    return LLS_OK;
}

/* ---- finding records ---- */

static uint32_t hash_of(lls_bytes id)
{
    return lls_checksum(&id, 1);
}

/* The place in the table of `id`, or the free one where it would be. */
static uint32_t place_of(const hnsw_coll *coll, lls_bytes id)
{
    uint32_t mask = coll->hash_cap - 1;
    uint32_t at = hash_of(id) & mask;

    while (coll->hash[at]) {
        const hnsw_doc *doc = *hnsw_coll_tail(coll, coll->hash[at] - 1);
        if (lls_bytes_eq((lls_bytes){doc->bytes, doc->id_len}, id))
            break;
        at = (at + 1) & mask;
    }
    return at;
}

uint32_t hnsw_coll_find(const hnsw_coll *coll, lls_bytes id)
{
    uint32_t doc = HNSW_NONE;

    if (coll->hash_cap && coll->hash[place_of(coll, id)])
        doc = base_records(coll) + coll->hash[place_of(coll, id)] - 1;
    if (doc == HNSW_NONE && coll->base) {
        doc = hnsw_base_seek(coll->base, id);
        if (doc == coll->base->records || !lls_bytes_eq(hnsw_base_id(coll->base, doc), id))
            doc = HNSW_NONE;
    }
    return doc != HNSW_NONE && hnsw_coll_lives(coll, doc) ? doc : HNSW_NONE;
}

uint32_t hnsw_coll_space(const hnsw_coll *coll, lls_str model, uint32_t dim)
{
    for (uint32_t i = 0; i < coll->space_count; i++) {
        const lls_vec_space *space = &coll->spaces[i]->space;
        if (lls_str_eq(space->model, model) && (model.len || space->dim == dim))
            return i;
    }
    return HNSW_NONE;
}

uint32_t hnsw_space_doc(const hnsw_space *space, uint32_t slot)
{
    if (slot < space->base_slots)
        return space->base_docs[slot];
    slot -= space->base_slots;
    return slot < space->later_cap ? space->later_docs[slot] : HNSW_NONE;
}

/* ---- in order ---- */

static bool is_within(lls_bytes id, lls_kv_range range)
{
    return lls_bytes_has_prefix(id, range.prefix) &&
           (range.after.len == 0 || lls_bytes_cmp(id, range.after) > 0);
}

static int by_id(const void *a, const void *b, void *user)
{
    return lls_bytes_cmp(hnsw_coll_id(user, *(const uint32_t *)a),
                         hnsw_coll_id(user, *(const uint32_t *)b));
}

/* The living records of the tail within `range`, in order. */
static size_t sort_tail(const hnsw_coll *coll, lls_kv_range range, uint32_t *docs)
{
    uint32_t first = base_records(coll);
    size_t count = 0;

    for (uint32_t i = 0; i < coll->tail_count; i++)
        if (hnsw_coll_lives(coll, first + i) && is_within(hnsw_coll_id(coll, first + i), range))
            docs[count++] = first + i;
    qsort_r(docs, count, sizeof(*docs), by_id, (void *)(uintptr_t)coll);
    return count;
}

/* Merge the base with the tail, which stands at the end of `docs`; gives how many there are. */
static size_t merge_base(const hnsw_coll *coll, lls_kv_range range, uint32_t *docs,
                         const uint32_t *tail, size_t tail_count)
{
    lls_bytes from = lls_bytes_cmp(range.after, range.prefix) > 0 ? range.after : range.prefix;
    uint32_t doc = coll->base ? hnsw_base_seek(coll->base, from) : 0;
    size_t count = 0;
    size_t next = 0;

    for (; doc < base_records(coll); doc++) {
        if (!hnsw_coll_lives(coll, doc))
            continue;
        lls_bytes id = hnsw_base_id(coll->base, doc);
        if (!lls_bytes_has_prefix(id, range.prefix))
            break;
        if (!is_within(id, range))
            continue;
        while (next < tail_count && lls_bytes_cmp(hnsw_coll_id(coll, tail[next]), id) < 0)
            docs[count++] = tail[next++];
        docs[count++] = doc;
    }
    while (next < tail_count)
        docs[count++] = tail[next++];
    return count;
}

lls_err hnsw_coll_sorted(const hnsw_coll *coll, lls_kv_range range, uint32_t **docs, size_t *count,
                         lls_error *err)
{
    uint32_t *all = lls_resize(NULL, ((size_t)coll->count + 1) * sizeof(*all));
    uint32_t *tail = lls_resize(NULL, ((size_t)coll->tail_count + 1) * sizeof(*tail));

    if (!all || !tail) {
        lls_free(all);
        lls_free(tail);
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    }
    size_t tail_count = sort_tail(coll, range, tail);
    *count = merge_base(coll, range, all, tail, tail_count);
    *docs = all;
    lls_free(tail);
    return LLS_OK;
}

uint64_t hnsw_coll_memory(const hnsw_coll *coll)
{
    uint64_t bytes = coll->tail_bytes + coll->live_words * 8;
    hnsw_stats stats;

    for (uint32_t i = 0; i < coll->space_count; i++) {
        hnsw_index_stats(coll->spaces[i]->index, &stats);
        bytes += stats.memory_bytes + coll->spaces[i]->later_cap * 4;
    }
    return bytes;
}
