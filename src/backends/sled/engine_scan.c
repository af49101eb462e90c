/** engine_scan.c - walking a space; the engine's side sees to it that it shows one moment. */
#include "backends/sled/engine_kv.h"

#include "backends/sled/layout.h"
#include "base/alloc.h"
#include "base/scope.h"

typedef struct scan {
    lls_kv_iter base;
    sled_kv *kv;
    sled_engine_scan *engine; /* NULL: there is nothing to see */
    uint64_t number;
    lls_buf after; /* as it is stored; this key itself is not wanted */
} scan;

static lls_err next(lls_kv_iter *it, lls_kv_item *item, lls_error *err)
{
    const scan *s = LLS_OUTER(it, scan, base);
    sled_engine_error said = {0};
    lls_bytes full;
    lls_bytes stored;

    if (!s->engine)
        return LLS_END;
    do {
        int rc = sled_engine_scan_next(s->engine, &full, &stored, &said);
        if (rc == SLED_ENGINE_NONE)
            return LLS_END;
        if (rc != SLED_ENGINE_OK)
            return sled_kv_fail(s->kv, rc, &said, "scan", err);
    } while (lls_bytes_eq(full, lls_buf_view(&s->after)));
    LLS_TRY(sled_layout_key_of(full, &item->key, err));
    return sled_layout_decode(item->key, stored, &item->meta, &item->value, err);
}

static void close_scan(lls_kv_iter *it)
{
    scan *s = LLS_OUTER(it, scan, base);

    if (s->engine)
        sled_engine_scan_close(s->engine);
    if (s->number != 0)
        sled_kv_unpin(s->kv, s->number);
    lls_buf_fini(&s->after);
    lls_free(s);
}

static const lls_kv_iter_ops iter_ops = {.next = next, .close = close_scan};

/* Turn a prefix into the first key behind all that begin with it. Each begins with a number that is
 * far from the greatest there is, so there is such a key. */
static void raise(lls_buf *prefix)
{
    while (prefix->len > 0 && prefix->data[prefix->len - 1] == 0xFF)
        prefix->len--;
    if (prefix->len > 0)
        prefix->data[prefix->len - 1]++;
}

static lls_err begin(scan *s, lls_kv_range range, lls_error *err)
{
    LLS_AUTO(lls_buf) from = {0};
    LLS_AUTO(lls_buf) to = {0};
    sled_engine_error said = {0};
    bool behind = lls_bytes_cmp(range.after, range.prefix) > 0;

    sled_layout_key(s->number, behind ? range.after : range.prefix, &from);
    sled_layout_key(s->number, range.prefix, &to);
    sled_layout_key(s->number, range.after, &s->after);
    LLS_TRY(lls_buf_status(&from, err));
    LLS_TRY(lls_buf_status(&to, err));
    LLS_TRY(lls_buf_status(&s->after, err));
    raise(&to);
    if (lls_bytes_cmp(lls_buf_view(&from), lls_buf_view(&to)) >= 0)
        return LLS_OK; // behind all that begin with the prefix
    int rc = sled_engine_scan_open(s->kv->records, lls_buf_view(&from), lls_buf_view(&to),
                                   &s->engine, &said);
    return rc == SLED_ENGINE_OK ? LLS_OK : sled_kv_fail(s->kv, rc, &said, "scan", err);
}

lls_err sled_kv_scan_number(sled_kv *kv, uint64_t number, lls_kv_range range, lls_kv_iter **out,
                            lls_error *err)
{
    scan *s = lls_alloc(sizeof(*s));

    if (!s)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    s->base.ops = &iter_ops;
    s->kv = kv;
    lls_err e = number == 0 ? LLS_OK : sled_kv_pin(kv, number, err);
    if (e == LLS_OK && number != 0) {
        s->number = number;
        e = begin(s, range, err);
    }
    if (e == LLS_OK)
        *out = &s->base;
    else
        close_scan(&s->base);
    return e;
}

/* The number is pinned before anybody can take it out of use. */
static lls_err find_and_pin(sled_kv *kv, lls_kv_space space, uint64_t *number, lls_error *err)
{
    (void)pthread_rwlock_rdlock(&kv->spaces);
    lls_err e = sled_kv_number(kv, NULL, space, number, err);
    if (e == LLS_OK)
        e = sled_kv_pin(kv, *number, err);
    (void)pthread_rwlock_unlock(&kv->spaces);
    return e;
}

lls_err sled_kv_scan(lls_kv *base, lls_kv_space space, lls_kv_range range, lls_kv_iter **out,
                     lls_error *err)
{
    sled_kv *kv = sled_kv_of(base);
    uint64_t number;

    lls_err e = find_and_pin(kv, space, &number, err);
    if (e == LLS_E_NOTFOUND)
        return sled_kv_scan_number(kv, 0, range, out, err);
    LLS_TRY(e);
    e = sled_kv_scan_number(kv, number, range, out, err);
    sled_kv_unpin(kv, number); // the scan has a pin of its own
    return e;
}
