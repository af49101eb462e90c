#include "ports/vec_record.h"

#include "base/json.h"
#include "base/little.h"
#include "base/scope.h"
#include "base/time.h"
#include "ports/record.h"

#include <math.h>

/* docs/formats/vector-record.md */
enum {
    FORMAT = 1,
    HEAD = 32,
    FLAG_NORMALISED = 1,
};

static void add_floats(lls_buf *out, const float *floats, size_t count)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    lls_buf_add(out, (lls_bytes){(const uint8_t *)floats, count * sizeof(float)});
#else
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &floats[i], sizeof(bits));
        lls_little_add(out, bits, sizeof(bits));
    }
#endif
}

void lls_vec_record_encode(const lls_vec_item *item, lls_buf *out)
{
    lls_str scope = item->scope.len ? item->scope : LLS_STR("global");
    lls_str metadata = item->metadata.len ? item->metadata : LLS_STR("{}");
    const lls_vec_space *space = &item->space;

    lls_buf_reserve(out, HEAD + space->model.len + scope.len + item->text.len + metadata.len +
                             space->dim * sizeof(float));
    lls_little_add(out, FORMAT, 1);
    lls_little_add(out, space->metric, 1);
    lls_little_add(out, space->normalised ? FLAG_NORMALISED : 0, 1);
    lls_little_add(out, 0, 1);
    lls_little_add(out, space->dim, 4);
    lls_little_add(out, (uint64_t)item->event_usec, 8);
    lls_little_add(out, space->model.len, 2);
    lls_little_add(out, scope.len, 2);
    lls_little_add(out, item->text.len, 4);
    lls_little_add(out, metadata.len, 4);
    lls_little_add(out, 0, 4);
    lls_buf_add_str(out, space->model);
    lls_buf_add_str(out, scope);
    lls_buf_add_str(out, item->text);
    lls_buf_add_str(out, metadata);
    add_floats(out, item->vector, space->dim);
}

static lls_err damaged(const lls_kv_item *item, const char *what, lls_error *err)
{
    LLS_AUTO(lls_buf) shown = {0};

    lls_key_show(item->key, &shown);
    return lls_fail(err, LLS_E_CORRUPT, "vector record '%s': %s", lls_buf_cstr(&shown), what);
}

lls_err lls_vec_record_floats(const uint8_t *at, size_t count, lls_buf *floats, lls_error *err)
{
    lls_buf_clear(floats);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    lls_buf_add(floats, (lls_bytes){at, count * sizeof(float)});
#else
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)lls_little_get(at + 4 * i, 4);
        lls_buf_add(floats, (lls_bytes){(const uint8_t *)&bits, sizeof(bits)});
    }
#endif
    return lls_buf_status(floats, err);
}

/* The next `len` bytes; the total was compared with what is there. */
static lls_str take(const uint8_t **at, size_t len)
{
    lls_str view = {(const char *)*at, len};

    *at += len;
    return view;
}

/* Read the head; gives how long the value must be. */
static size_t read_head(const uint8_t *at, lls_vec_item *out)
{
    out->space.metric = (lls_vec_metric)at[1];
    out->space.normalised = at[2] == FLAG_NORMALISED;
    out->space.dim = (uint32_t)lls_little_get(at + 4, 4);
    out->event_usec = (int64_t)lls_little_get(at + 8, 8);
    out->space.model.len = lls_little_get(at + 16, 2);
    out->scope.len = lls_little_get(at + 18, 2);
    out->text.len = lls_little_get(at + 20, 4);
    out->metadata.len = lls_little_get(at + 24, 4);
    return HEAD + out->space.model.len + out->scope.len + out->text.len + out->metadata.len +
           (size_t)out->space.dim * sizeof(float);
}

/* Point the texts to where they are; gives where the vector is. */
static const uint8_t *place_texts(const uint8_t *at, lls_vec_item *out)
{
    at += HEAD;
    out->space.model = take(&at, out->space.model.len);
    out->scope = take(&at, out->scope.len);
    out->text = take(&at, out->text.len);
    out->metadata = take(&at, out->metadata.len);
    return at;
}

void lls_vec_record_view(const lls_kv_item *item, lls_vec_item *out, const uint8_t **vector)
{
    *out = (lls_vec_item){.id = item->key, .meta = item->meta};
    (void)read_head(item->value.data, out);
    *vector = place_texts(item->value.data, out);
}

lls_err lls_vec_record_decode(const lls_kv_item *item, lls_buf *floats, lls_vec_item *out,
                              lls_error *err)
{
    const uint8_t *at = item->value.data;
    lls_vec_item got = {.id = item->key, .meta = item->meta};
    lls_error why = {0};

    if (item->value.len < HEAD)
        return damaged(item, "too short", err);
    if (at[0] != FORMAT)
        return damaged(item, "a format that this version does not know", err);
    if (at[1] > LLS_VEC_L1 || at[2] > FLAG_NORMALISED || at[3] != 0 ||
        lls_little_get(at + 28, 4) != 0)
        return damaged(item, "an impossible header", err);
    if (read_head(at, &got) != item->value.len || got.space.dim > LLS_VEC_DIM_MAX)
        return damaged(item, "lengths that do not add up", err);

    LLS_TRY(lls_vec_record_floats(place_texts(at, &got), got.space.dim, floats, err));
    got.vector = (const float *)(const void *)floats->data;
    if (got.scope.len == 0 || got.metadata.len == 0)
        return damaged(item, "no scope or no metadata", err);
    if (lls_vec_item_check(&got, &why) != LLS_OK)
        return damaged(item, why.msg, err);
    *out = got;
    return LLS_OK;
}

/* "record 'x': …" */
static lls_err refuse(const lls_vec_item *item, const char *what, lls_error *err)
{
    LLS_AUTO(lls_buf) shown = {0};

    lls_key_show(item->id, &shown);
    return lls_fail(err, LLS_E_INVALID, "record '%s': %s", lls_buf_cstr(&shown), what);
}

static lls_err check_vector(const lls_vec_item *item, lls_error *err)
{
    const lls_vec_space *space = &item->space;
    double square = 0;

    if (space->dim > LLS_VEC_DIM_MAX)
        return refuse(item, "a vector of more than 16384 dimensions", err);
    if (space->metric > LLS_VEC_L1)
        return refuse(item, "an unknown metric", err);
    if (space->dim == 0) {
        if (space->model.len || space->metric != LLS_VEC_COSINE || space->normalised)
            return refuse(item, "a model, but no vector", err);
        return LLS_OK;
    }
    for (uint32_t i = 0; i < space->dim; i++) {
        if (!isfinite(item->vector[i]))
            return refuse(item, "the vector has a component that is not a finite number", err);
        square += (double)item->vector[i] * (double)item->vector[i];
    }
    if (space->metric == LLS_VEC_COSINE && square == 0)
        return refuse(item, "a vector of length 0 has no cosine", err);
    if (space->normalised && fabs(sqrt(square) - 1) > 1e-3)
        return refuse(item, "the vector does not have length 1, as its space says", err);
    return LLS_OK;
}

static bool is_name(lls_str text, size_t most)
{
    if (text.len > most || !lls_utf8_check(lls_bytes_of(text)))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    return true;
}

static lls_err check_metadata(const lls_vec_item *item, lls_error *err)
{
    lls_error why = {0};
    lls_json_value object;

    if (item->metadata.len == 0)
        return LLS_OK;
    if (item->metadata.len > LLS_VEC_METADATA_MAX)
        return refuse(item, "metadata of more than 1 MiB", err);
    if (lls_json_check(item->metadata, &object, &why) != LLS_OK || object.type != LLS_JSON_OBJECT)
        return refuse(item, "the metadata is not a JSON object", err);
    return LLS_OK;
}

lls_err lls_vec_item_check(const lls_vec_item *item, lls_error *err)
{
    if (item->id.len == 0)
        return lls_fail(err, LLS_E_INVALID, "record with an empty id");
    if (item->id.len > LLS_VEC_ID_MAX)
        return refuse(item, "the id has more than 511 bytes", err);
    if (!is_name(item->space.model, LLS_VEC_MODEL_MAX))
        return refuse(item, "the model's name is too long, or not plain UTF-8", err);
    if (!is_name(item->scope, LLS_VEC_SCOPE_MAX))
        return refuse(item, "the scope is too long, or not plain UTF-8", err);
    if (item->text.len > LLS_VEC_TEXT_MAX)
        return refuse(item, "the text has more than 16 MiB", err);
    if (!lls_utf8_check(lls_bytes_of(item->text)))
        return refuse(item, "the text is not UTF-8", err);
    if (!lls_time_is_good(item->event_usec))
        return refuse(item, "it happened outside the years 1 to 9999", err);
    LLS_TRY(check_metadata(item, err));
    return check_vector(item, err);
}

void lls_vec_space_name(lls_str model, uint32_t dim, lls_buf *out)
{
    lls_buf_clear(out);
    if (model.len)
        lls_buf_add_str(out, model);
    else
        lls_buf_printf(out, "dim:%u", dim);
}

lls_err lls_vec_space_agree(const lls_vec_space *declared, const lls_vec_space *given,
                            lls_error *err)
{
    LLS_AUTO(lls_buf) name = {0};
    const char *differs = declared->dim != given->dim                 ? "dimension"
                          : declared->metric != given->metric         ? "metric"
                          : declared->normalised != given->normalised ? "normalisation"
                                                                      : NULL;

    if (!differs)
        return LLS_OK;
    lls_vec_space_name(declared->model, declared->dim, &name);
    return lls_fail(err, LLS_E_MISMATCH,
                    "another %s than that of the space '%s': %u dimensions, %s%s; given: %u, %s%s",
                    differs, lls_buf_cstr(&name), declared->dim,
                    lls_vec_metric_name(declared->metric),
                    declared->normalised ? ", normalised" : "", given->dim,
                    lls_vec_metric_name(given->metric), given->normalised ? ", normalised" : "");
}
