#include "testing/records_view.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/scope.h"
#include "ports/vec_record.h"

static const lls_str coded_mark = LLS_STR_INIT("{\"coded\":true}");

static lls_kv *records_of(lls_kv *kv)
{
    return LLS_OUTER(kv, lls_records_view, kv)->records;
}

/* The canonical value that stands for `raw`, into `out`, replaced. */
static lls_err dress(lls_bytes raw, lls_buf *out, lls_error *err)
{
    LLS_AUTO(lls_buf) coded = {0};
    uint32_t dice = lls_checksum(&raw, 1);
    const float vector[] = {(float)(dice & 0xff), (float)(dice >> 8 & 0xff), 1,
                            (float)(raw.len % 100)};
    lls_vec_item item = {
        .space = {.dim = LLS_COUNT(vector), .metric = LLS_VEC_L2},
        .vector = vector,
        .text = {(const char *)raw.data, raw.len},
        .event_usec = 1700000000000000,
    };

    if (!lls_utf8_check(raw)) {
        lls_base64_encode(raw, &coded);
        LLS_TRY(lls_buf_status(&coded, err));
        item.text = lls_buf_str(&coded);
        item.metadata = coded_mark;
    }
    lls_buf_clear(out);
    lls_vec_record_encode(&item, out);
    return lls_buf_status(out, err);
}

/* What the record stands for, appended to `out`. */
static lls_err undress(const lls_kv_item *item, lls_buf *out, lls_error *err)
{
    LLS_AUTO(lls_buf) floats = {0};
    lls_vec_item record;

    LLS_TRY(lls_vec_record_decode(item, &floats, &record, err));
    if (lls_str_eq(record.metadata, coded_mark))
        return lls_base64_decode(record.text, out, err);
    lls_buf_add_str(out, record.text);
    return lls_buf_status(out, err);
}

/* ---- the port: with the time of the outer one ---- */

static lls_err get(lls_kv *kv, lls_kv_space space, lls_bytes key, lls_buf *out, lls_kv_meta *meta,
                   lls_error *err)
{
    LLS_AUTO(lls_buf) value = {0};
    lls_kv *inner = records_of(kv);

    LLS_TRY(inner->ops->get(inner, space, key, &value, meta, err));
    LLS_TRY(lls_buf_status(&value, err));
    const lls_kv_item item = {key, lls_buf_view(&value), *meta};
    return undress(&item, out, err);
}

static lls_err dress_all(const lls_kv_write *writes, size_t count, lls_kv_write *dressed,
                         lls_buf *values, lls_error *err)
{
    for (size_t i = 0; i < count; i++) {
        dressed[i] = writes[i];
        if (writes[i].verb == LLS_KV_DELETE || writes[i].verb == LLS_KV_SWEEP)
            continue;
        LLS_TRY(dress(writes[i].value, &values[i], err));
        dressed[i].value = lls_buf_view(&values[i]);
    }
    return LLS_OK;
}

static lls_err apply(lls_kv *kv, lls_str tenant, int64_t now_usec, const lls_kv_write *writes,
                     size_t count, lls_error *err)
{
    lls_kv *inner = records_of(kv);
    lls_kv_write *dressed = lls_alloc(count * sizeof(*dressed));
    lls_buf *values = lls_alloc(count * sizeof(*values));
    lls_err e = dressed && values ? dress_all(writes, count, dressed, values, err)
                                  : lls_fail(err, LLS_E_NOMEM, "out of memory");

    if (e == LLS_OK)
        e = inner->ops->apply(inner, tenant, now_usec, dressed, count, err);
    for (size_t i = 0; values && i < count; i++)
        lls_buf_fini(&values[i]);
    lls_free(values);
    lls_free(dressed);
    return e;
}

typedef struct view_iter {
    lls_kv_iter base;
    lls_kv_iter *inner;
    lls_buf value;
} view_iter;

static lls_err next(lls_kv_iter *base, lls_kv_item *item, lls_error *err)
{
    view_iter *it = LLS_OUTER(base, view_iter, base);
    lls_kv_item got;

    LLS_TRY(it->inner->ops->next(it->inner, &got, err));
    lls_buf_clear(&it->value);
    LLS_TRY(undress(&got, &it->value, err));
    got.value = lls_buf_view(&it->value);
    *item = got;
    return LLS_OK;
}

static void close_iter(lls_kv_iter *base)
{
    view_iter *it = LLS_OUTER(base, view_iter, base);

    lls_kv_iter_close(it->inner);
    lls_buf_fini(&it->value);
    lls_free(it);
}

static const lls_kv_iter_ops iter_ops = {.next = next, .close = close_iter};

/* Takes `inner`, also when it fails. */
static lls_err wrap_iter(lls_kv_iter *inner, lls_kv_iter **out, lls_error *err)
{
    view_iter *it = lls_alloc(sizeof(*it));

    if (!it) {
        lls_kv_iter_close(inner);
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    }
    it->base.ops = &iter_ops;
    it->inner = inner;
    *out = &it->base;
    return LLS_OK;
}

static lls_err scan(lls_kv *kv, lls_kv_space space, lls_kv_range range, lls_kv_iter **out,
                    lls_error *err)
{
    lls_kv *inner = records_of(kv);
    lls_kv_iter *it = NULL;

    LLS_TRY(inner->ops->scan(inner, space, range, &it, err));
    it->now_usec = 0;
    return wrap_iter(it, out, err);
}

static lls_err clear(lls_kv *kv, lls_kv_space space, lls_error *err)
{
    return lls_kv_clear(records_of(kv), space, err);
}

static lls_err count(lls_kv *kv, lls_kv_space space, int64_t now_usec, uint64_t *out,
                     lls_error *err)
{
    lls_kv *inner = records_of(kv);

    return inner->ops->count(inner, space, now_usec, out, err);
}

static lls_err stats(lls_kv *kv, lls_kv_space space, lls_kv_stats *out, lls_error *err)
{
    return lls_kv_stats_of(records_of(kv), space, out, err);
}

/* ---- the stage ---- */

typedef struct view_stage {
    lls_kv_stage base;
    lls_kv_stage *inner;
} view_stage;

static lls_kv_stage *inner_of(lls_kv_stage *stage)
{
    return LLS_OUTER(stage, view_stage, base)->inner;
}

static lls_err stage_last(lls_kv_stage *stage, lls_str coll, lls_buf *key, uint64_t *records,
                          lls_error *err)
{
    return lls_stage_last(inner_of(stage), coll, key, records, err);
}

static lls_err stage_add(lls_kv_stage *stage, lls_str coll, const lls_kv_item *items,
                         size_t item_count, lls_error *err)
{
    lls_kv_item *dressed = lls_alloc(item_count * sizeof(*dressed));
    lls_buf *values = lls_alloc(item_count * sizeof(*values));
    lls_err e = dressed && values ? LLS_OK : lls_fail(err, LLS_E_NOMEM, "out of memory");

    for (size_t i = 0; e == LLS_OK && i < item_count; i++) {
        e = dress(items[i].value, &values[i], err);
        dressed[i] = (lls_kv_item){items[i].key, lls_buf_view(&values[i]), items[i].meta};
    }
    if (e == LLS_OK)
        e = lls_stage_add(inner_of(stage), coll, dressed, item_count, err);
    for (size_t i = 0; values && i < item_count; i++)
        lls_buf_fini(&values[i]);
    lls_free(values);
    lls_free(dressed);
    return e;
}

static lls_err stage_flush(lls_kv_stage *stage, lls_error *err)
{
    return lls_stage_flush(inner_of(stage), err);
}

static lls_err stage_prepare(lls_kv_stage *stage, lls_error *err)
{
    return lls_stage_prepare(inner_of(stage), err);
}

static lls_err stage_scan(lls_kv_stage *stage, lls_str coll, lls_kv_iter **out, lls_error *err)
{
    lls_kv_iter *it = NULL;

    LLS_TRY(lls_stage_scan(inner_of(stage), coll, &it, err));
    return wrap_iter(it, out, err);
}

static lls_err stage_publish(lls_kv_stage *stage, lls_error *err)
{
    return lls_stage_publish(inner_of(stage), err);
}

static void stage_close(lls_kv_stage *stage)
{
    lls_stage_close(inner_of(stage));
    lls_free(LLS_OUTER(stage, view_stage, base));
}

static const lls_kv_stage_ops stage_ops = {
    .last = stage_last,
    .add = stage_add,
    .flush = stage_flush,
    .prepare = stage_prepare,
    .scan = stage_scan,
    .publish = stage_publish,
    .close = stage_close,
};

static lls_err open_stage(lls_kv *kv, const lls_stage_spec *spec, lls_kv_stage **out,
                          lls_error *err)
{
    view_stage *stage = lls_alloc(sizeof(*stage));

    if (!stage)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    stage->base.ops = &stage_ops;
    lls_err e = lls_stage_open(records_of(kv), spec, &stage->inner, err);
    if (e == LLS_OK)
        *out = &stage->base;
    else
        lls_free(stage);
    return e;
}

static lls_err discard(lls_kv *kv, lls_str tenant, lls_str run, lls_error *err)
{
    return lls_stage_discard(records_of(kv), tenant, run, err);
}

static const lls_kv_ops view_ops = {
    .get = get,
    .apply = apply,
    .scan = scan,
    .clear = clear,
    .count = count,
    .stats = stats,
    .stage = open_stage,
    .stage_discard = discard,
};

void lls_records_view_init(lls_records_view *view, lls_vec *vec)
{
    *view = (lls_records_view){.kv.ops = &view_ops, .records = vec->records};
    view->backend.kv = &view->kv;
}
