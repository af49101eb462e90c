#include "testing/cut.h"

#include "base/alloc.h"
#include "base/scope.h"

#include <assert.h>

static const lls_kv_ops kv_ops;
static const lls_kv_stage_ops stage_ops;
static const lls_kv_iter_ops spoilt_ops;

typedef struct cut_stage {
    lls_kv_stage base;
    lls_kv_stage *inner;
    lls_cut *cut;
} cut_stage;

typedef struct spoilt_iter {
    lls_kv_iter base;
    lls_kv_iter *inner;
    lls_cut *cut;
    size_t count; /* records handed out */
    lls_buf value;
    lls_buf key;
} spoilt_iter;

static lls_cut *cut_of(lls_kv *kv)
{
    assert(kv->ops == &kv_ops); // the ops pointer is the type tag
    return LLS_OUTER(kv, lls_cut, base);
}

static cut_stage *stage_of(lls_kv_stage *stage)
{
    assert(stage->ops == &stage_ops);
    return LLS_OUTER(stage, cut_stage, base);
}

static spoilt_iter *spoilt_of(lls_kv_iter *it)
{
    assert(it->ops == &spoilt_ops);
    return LLS_OUTER(it, spoilt_iter, base);
}

static lls_err is_cut(lls_error *err)
{
    return lls_fail(err, LLS_E_UNAVAILABLE, "the connection was cut");
}

static lls_err alive(const lls_cut *cut, lls_error *err)
{
    return cut->dead ? is_cut(err) : LLS_OK;
}

/* Before a changing call: whether it is still made. */
static lls_err before(lls_cut *cut, lls_error *err)
{
    LLS_TRY(alive(cut, err));
    bool now = cut->at >= 0 && cut->changes >= cut->at;
    cut->changes++;
    cut->dead = now;
    return now && cut->when == LLS_CUT_BEFORE ? is_cut(err) : LLS_OK;
}

/* After it: what the caller hears of its result. */
static lls_err after(const lls_cut *cut, lls_err result, lls_error *err)
{
    return cut->dead ? is_cut(err) : result;
}

static lls_err get(lls_kv *kv, lls_kv_space space, lls_bytes key, lls_buf *out, lls_kv_meta *meta,
                   lls_error *err)
{
    lls_cut *cut = cut_of(kv);

    LLS_TRY(alive(cut, err));
    return cut->inner->ops->get(cut->inner, space, key, out, meta, err);
}

static lls_err apply(lls_kv *kv, lls_str tenant, int64_t now_usec, const lls_kv_write *writes,
                     size_t count, lls_error *err)
{
    lls_cut *cut = cut_of(kv);

    LLS_TRY(before(cut, err));
    return after(cut, cut->inner->ops->apply(cut->inner, tenant, now_usec, writes, count, err),
                 err);
}

static lls_err scan(lls_kv *kv, lls_kv_space space, lls_kv_range range, lls_kv_iter **out,
                    lls_error *err)
{
    lls_cut *cut = cut_of(kv);

    LLS_TRY(alive(cut, err));
    return cut->inner->ops->scan(cut->inner, space, range, out, err);
}

static lls_err clear(lls_kv *kv, lls_kv_space space, lls_error *err)
{
    lls_cut *cut = cut_of(kv);

    LLS_TRY(before(cut, err));
    return after(cut, cut->inner->ops->clear(cut->inner, space, err), err);
}

static lls_err stage_open(lls_kv *kv, const lls_stage_spec *spec, lls_kv_stage **out,
                          lls_error *err)
{
    lls_cut *cut = cut_of(kv);
    cut_stage *stage = lls_alloc(sizeof(*stage));
    if (!stage)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");

    lls_err e = before(cut, err);
    if (e == LLS_OK)
        e = after(cut, lls_stage_open(cut->inner, spec, &stage->inner, err), err);
    if (e != LLS_OK) {
        lls_stage_close(stage->inner);
        lls_free(stage);
        return e;
    }
    stage->base.ops = &stage_ops;
    stage->cut = cut;
    *out = &stage->base;
    return LLS_OK;
}

static lls_err stage_discard(lls_kv *kv, lls_str tenant, lls_str run, lls_error *err)
{
    lls_cut *cut = cut_of(kv);

    LLS_TRY(before(cut, err));
    return after(cut, lls_stage_discard(cut->inner, tenant, run, err), err);
}

static lls_err stage_last(lls_kv_stage *base, lls_str coll, lls_buf *key, uint64_t *count,
                          lls_error *err)
{
    cut_stage *stage = stage_of(base);

    LLS_TRY(alive(stage->cut, err));
    return lls_stage_last(stage->inner, coll, key, count, err);
}

static lls_err stage_add(lls_kv_stage *base, lls_str coll, const lls_kv_item *items, size_t count,
                         lls_error *err)
{
    cut_stage *stage = stage_of(base);

    LLS_TRY(before(stage->cut, err));
    return after(stage->cut, lls_stage_add(stage->inner, coll, items, count, err), err);
}

static lls_err stage_flush(lls_kv_stage *base, lls_error *err)
{
    cut_stage *stage = stage_of(base);

    LLS_TRY(before(stage->cut, err));
    return after(stage->cut, lls_stage_flush(stage->inner, err), err);
}

static lls_err stage_prepare(lls_kv_stage *base, lls_error *err)
{
    cut_stage *stage = stage_of(base);

    LLS_TRY(before(stage->cut, err));
    return after(stage->cut, lls_stage_prepare(stage->inner, err), err);
}

static lls_err stage_publish(lls_kv_stage *base, lls_error *err)
{
    cut_stage *stage = stage_of(base);

    LLS_TRY(before(stage->cut, err));
    return after(stage->cut, lls_stage_publish(stage->inner, err), err);
}

static void stage_close(lls_kv_stage *base)
{
    cut_stage *stage = stage_of(base);

    lls_stage_close(stage->inner);
    lls_free(stage);
}

static lls_err stage_scan(lls_kv_stage *base, lls_str coll, lls_kv_iter **out, lls_error *err)
{
    cut_stage *stage = stage_of(base);

    LLS_TRY(alive(stage->cut, err));
    spoilt_iter *it = lls_alloc(sizeof(*it));
    if (!it)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    it->base.ops = &spoilt_ops;
    it->cut = stage->cut;
    lls_err e = lls_stage_scan(stage->inner, coll, &it->inner, err);
    if (e == LLS_OK)
        *out = &it->base;
    else
        lls_free(it);
    return e;
}

static lls_err spoilt_next(lls_kv_iter *base, lls_kv_item *item, lls_error *err)
{
    spoilt_iter *it = spoilt_of(base);
    bool here = it->count++ == it->cut->spoil_at;

    if (here && it->cut->spoil == LLS_SPOIL_EXTRA) {
        lls_buf_add_text(&it->key, "\x01"); // right behind the one before
        *item = (lls_kv_item){.key = lls_buf_view(&it->key), .meta = {.version = 1}};
        return lls_buf_status(&it->key, err);
    }
    LLS_TRY(lls_kv_iter_next(it->inner, item, err));
    if (here && it->cut->spoil == LLS_SPOIL_LOSE)
        return lls_kv_iter_next(it->inner, item, err);
    if (here && it->cut->spoil == LLS_SPOIL_META)
        item->meta.version++;
    if (here && it->cut->spoil == LLS_SPOIL_VALUE) {
        lls_buf_add(&it->value, item->value);
        lls_buf_add_text(&it->value, "!");
        LLS_TRY(lls_buf_status(&it->value, err));
        item->value = lls_buf_view(&it->value);
    }
    lls_buf_clear(&it->key);
    lls_buf_add(&it->key, item->key);
    return LLS_OK;
}

static void spoilt_close(lls_kv_iter *base)
{
    spoilt_iter *it = spoilt_of(base);

    lls_kv_iter_close(it->inner);
    lls_buf_fini(&it->value);
    lls_buf_fini(&it->key);
    lls_free(it);
}

static const lls_kv_iter_ops spoilt_ops = {.next = spoilt_next, .close = spoilt_close};

static const lls_kv_stage_ops stage_ops = {
    .last = stage_last,
    .add = stage_add,
    .flush = stage_flush,
    .prepare = stage_prepare,
    .scan = stage_scan,
    .publish = stage_publish,
    .close = stage_close,
};

/* What is optional is left to kv.c, which answers with scans. */
static const lls_kv_ops kv_ops = {
    .get = get,
    .apply = apply,
    .scan = scan,
    .clear = clear,
    .stage = stage_open,
    .stage_discard = stage_discard,
};

void lls_cut_init(lls_cut *cut, lls_kv *inner)
{
    *cut = (lls_cut){.base = {.ops = &kv_ops, .clock = inner->clock}, .inner = inner, .at = -1};
}
