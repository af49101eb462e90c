/**
 * base_write.c - writing a base: one walk over the records to measure the sections, a second one to
 * fill them, each section through a buffer of its own.
 */
#include "backends/hnsw/base.h"

#include "backends/hnsw/mapping.h"
#include "backends/hnsw/output.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/little.h"
#include "base/scope.h"
#include "ports/vec_record.h"

/* A space as it is met. */
typedef struct met {
    lls_vec_space space;
    char model[LLS_VEC_MODEL_MAX];
    uint32_t count;
    uint32_t filled; /* the second time */
    uint8_t *docs;
} met;

typedef struct writer {
    const hnsw_source *source;
    met *spaces;
    size_t space_count;
    uint32_t records;
    uint64_t id_bytes;
    uint64_t body_bytes;
    hnsw_sections head;
    hnsw_output *out;
} writer;

static lls_err meet(writer *w, const lls_vec_space *space, uint32_t *out, lls_error *err)
{
    if (space->dim == 0) {
        *out = HNSW_NONE;
        return LLS_OK;
    }
    for (uint32_t i = 0; i < w->space_count; i++) {
        const lls_vec_space *known = &w->spaces[i].space;
        if (lls_str_eq(known->model, space->model) &&
            (known->dim == space->dim || known->model.len)) {
            *out = i;
            return lls_vec_space_agree(known, space, err);
        }
    }
    if (w->space_count == HNSW_SPACES_MAX)
        return lls_fail(err, LLS_E_FULL, "more than %d embedding spaces", HNSW_SPACES_MAX);
    met *grown = lls_resize(w->spaces, (w->space_count + 1) * sizeof(*grown));
    if (!grown)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    w->spaces = grown;
    met *fresh = &grown[w->space_count];
    *fresh = (met){.space = *space};
    if (space->model.len)
        memcpy(fresh->model, space->model.data, space->model.len);
    *out = (uint32_t)w->space_count++;
    for (size_t i = 0; i < w->space_count; i++) // they may have moved
        grown[i].space.model.data = grown[i].model;
    return LLS_OK;
}

/* How much of a value is the body. */
static size_t body_len(const lls_kv_item *item, const lls_vec_item *view)
{
    return item->value.len - view->space.dim * sizeof(float);
}

static lls_err measure(writer *w, lls_error *err)
{
    const uint8_t *vector;
    lls_vec_item view;
    lls_kv_item item;
    uint32_t space;
    lls_err e;

    LLS_TRY(w->source->rewind(w->source->user, err));
    while ((e = w->source->next(w->source->user, &item, err)) == LLS_OK) {
        lls_vec_record_view(&item, &view, &vector);
        LLS_TRY(meet(w, &view.space, &space, err));
        if (space != HNSW_NONE)
            w->spaces[space].count++;
        if (w->records == HNSW_NONE - 1)
            return lls_fail(err, LLS_E_FULL, "more than %u records", HNSW_NONE - 1);
        w->records++;
        w->id_bytes += item.key.len;
        w->body_bytes += body_len(&item, &view);
    }
    return e == LLS_END ? LLS_OK : e;
}

static lls_err plan(writer *w, lls_error *err)
{
    hnsw_sections *head = &w->head;

    LLS_TRY(hnsw_sections_add(head, HNSW_BASE_SPACES, 0, w->space_count * HNSW_SPACE_BYTES, err));
    LLS_TRY(hnsw_sections_add(head, HNSW_BASE_ROWS, 0, (uint64_t)w->records * HNSW_ROW_BYTES, err));
    LLS_TRY(hnsw_sections_add(head, HNSW_BASE_IDS, 0, w->id_bytes, err));
    LLS_TRY(hnsw_sections_add(head, HNSW_BASE_BODIES, 0, w->body_bytes, err));
    for (uint32_t i = 0; i < w->space_count; i++) {
        met *space = &w->spaces[i];
        LLS_TRY(hnsw_sections_add(head, HNSW_BASE_DOCS, i, (uint64_t)space->count * 4, err));
        LLS_TRY(hnsw_sections_add(head, HNSW_BASE_ORIGINALS, i,
                                  (uint64_t)space->count * space->space.dim * sizeof(float), err));
        space->docs = lls_alloc((size_t)space->count * 4);
        if (!space->docs)
            return lls_fail(err, LLS_E_NOMEM, "out of memory");
    }
    head->records = w->records;
    hnsw_sections_place(head);
    return LLS_OK;
}

static uint64_t offset_of(const writer *w, uint32_t kind, uint32_t space)
{
    return hnsw_sections_find(&w->head, kind, space)->offset;
}

/* Where in the file the three streams stand. */
typedef struct streams {
    hnsw_stream rows;
    hnsw_stream ids;
    hnsw_stream bodies;
    hnsw_stream vectors; /* of the space that was written to last */
    uint64_t id_at;
    uint64_t body_at;
    uint32_t doc;
} streams;

static lls_err put_vector(writer *w, streams *s, uint32_t space, lls_bytes vector, uint32_t *slot,
                          lls_error *err)
{
    met *at = &w->spaces[space];
    uint32_t rank = at->filled++;

    *slot = w->source->slot ? w->source->slot(w->source->user, space, rank) : rank;
    if (*slot >= at->count)
        return lls_fail(err, LLS_E_INTERNAL, "a slot outside its space");
    lls_little_set(at->docs + (size_t)*slot * 4, s->doc, 4);
    return hnsw_stream_put_at(
        &s->vectors, w->out,
        offset_of(w, HNSW_BASE_ORIGINALS, space) + (uint64_t)*slot * vector.len, vector, err);
}

static lls_err put_record(writer *w, streams *s, const lls_kv_item *item, lls_error *err)
{
    uint8_t row[HNSW_ROW_BYTES] = {0};
    const uint8_t *vector;
    lls_vec_item view;
    uint32_t space;
    uint32_t slot = 0;

    lls_vec_record_view(item, &view, &vector);
    lls_bytes body = {item->value.data, body_len(item, &view)};
    LLS_TRY(meet(w, &view.space, &space, err));
    if (space != HNSW_NONE) {
        lls_bytes floats = {vector, view.space.dim * sizeof(float)};
        LLS_TRY(put_vector(w, s, space, floats, &slot, err));
        lls_little_set(row + 76, lls_checksum(&floats, 1), 4);
    }
    lls_little_set(row, s->id_at, 8);
    lls_little_set(row + 8, s->body_at, 8);
    lls_little_set(row + 16, item->meta.version, 8);
    lls_little_set(row + 24, (uint64_t)item->meta.created_usec, 8);
    lls_little_set(row + 32, (uint64_t)item->meta.updated_usec, 8);
    lls_little_set(row + 40, (uint64_t)item->meta.expires_usec, 8);
    lls_little_set(row + 48, (uint64_t)view.event_usec, 8);
    lls_little_set(row + 56, body.len, 4);
    lls_little_set(row + 60, item->key.len, 2);
    lls_little_set(row + 62, space == HNSW_NONE ? UINT16_MAX : space, 2);
    lls_little_set(row + 64, slot, 4);
    lls_little_set(row + 72, hnsw_row_checksum(row, item->key, body), 4);
    LLS_TRY(hnsw_stream_put(&s->rows, w->out, (lls_bytes){row, sizeof(row)}, err));
    LLS_TRY(hnsw_stream_put(&s->ids, w->out, item->key, err));
    LLS_TRY(hnsw_stream_put(&s->bodies, w->out, body, err));
    s->id_at += item->key.len;
    s->body_at += body.len;
    s->doc++;
    return LLS_OK;
}

static void streams_fini(streams *s)
{
    hnsw_stream_fini(&s->rows);
    hnsw_stream_fini(&s->ids);
    hnsw_stream_fini(&s->bodies);
    hnsw_stream_fini(&s->vectors);
}

static lls_err fill_records(writer *w, streams *s, lls_error *err)
{
    lls_kv_item item;
    lls_err e;

    LLS_TRY(w->source->rewind(w->source->user, err));
    while ((e = w->source->next(w->source->user, &item, err)) == LLS_OK)
        LLS_TRY(put_record(w, s, &item, err));
    if (e != LLS_END)
        return e;
    if (s->doc != w->records || s->id_at != w->id_bytes || s->body_at != w->body_bytes)
        return lls_fail(err, LLS_E_INTERNAL, "the records changed while they were written");
    LLS_TRY(hnsw_stream_flush(&s->rows, w->out, err));
    LLS_TRY(hnsw_stream_flush(&s->ids, w->out, err));
    LLS_TRY(hnsw_stream_flush(&s->bodies, w->out, err));
    return hnsw_stream_flush(&s->vectors, w->out, err);
}

static lls_err fill_spaces(writer *w, lls_error *err)
{
    for (uint32_t i = 0; i < w->space_count; i++) {
        const met *at = &w->spaces[i];
        uint8_t entry[HNSW_SPACE_BYTES] = {0};
        lls_little_set(entry, at->space.dim, 4);
        entry[4] = (uint8_t)at->space.metric;
        entry[5] = at->space.normalised;
        lls_little_set(entry + 6, at->space.model.len, 2);
        lls_little_set(entry + 8, at->count, 4);
        memcpy(entry + 16, at->model, at->space.model.len);
        LLS_TRY(hnsw_output_write(w->out, offset_of(w, HNSW_BASE_SPACES, 0) + i * sizeof(entry),
                                  (lls_bytes){entry, sizeof(entry)}, err));
        LLS_TRY(hnsw_output_write(w->out, offset_of(w, HNSW_BASE_DOCS, i),
                                  (lls_bytes){at->docs, (size_t)at->count * 4}, err));
    }
    return LLS_OK;
}

static lls_err fill(writer *w, lls_error *err)
{
    streams s = {.rows = {.at = offset_of(w, HNSW_BASE_ROWS, 0)},
                 .ids = {.at = offset_of(w, HNSW_BASE_IDS, 0)},
                 .bodies = {.at = offset_of(w, HNSW_BASE_BODIES, 0)}};

    lls_err e = fill_records(w, &s, err);
    streams_fini(&s);
    return e == LLS_OK ? fill_spaces(w, err) : e;
}

static lls_err write_all(writer *w, const char *path, lls_error *err)
{
    LLS_TRY(measure(w, err));
    LLS_TRY(plan(w, err));
    LLS_TRY(hnsw_output_open(path, w->head.length, &w->out, err));
    LLS_TRY(fill(w, err));
    return hnsw_output_publish(w->out, &w->head, err);
}

lls_err hnsw_base_write(const char *path, uint64_t number, uint64_t sequence,
                        const hnsw_source *source, uint32_t *records, lls_error *err)
{
    writer w = {.source = source, .head = {.number = number, .sequence = sequence}};

    memcpy(w.head.magic, HNSW_BASE_MAGIC, sizeof(w.head.magic));
    lls_err e = write_all(&w, path, err);
    if (e == LLS_OK && records)
        *records = w.records;
    hnsw_output_close(w.out);
    for (size_t i = 0; i < w.space_count; i++)
        lls_free(w.spaces[i].docs);
    lls_free(w.spaces);
    hnsw_sections_fini(&w.head);
    return e;
}
