/**
 * shelf.c - the backend that docs/backends.md writes: a sorted array in memory, as plain as it can
 * be. Every batch makes a new array of the same records, so a scan's stable view is the array that
 * was there when it was opened, and a batch that fails is simply not put in place.
 */
#include "base/alloc.h"
#include "base/scope.h"
#include "ports/backend.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

/* 1. What is stored. A book is never changed; the space, the key and the value are one block. */
typedef struct book {
    atomic_int refs;
    lls_kv_space space;
    lls_kv_item item;
    char block[];
} book;

typedef struct shelf {
    atomic_int refs;
    size_t count;
    book *books[]; /* in order of tenant, collection, key */
} shelf;

typedef struct shelf_kv {
    lls_kv base; /* first: the port is this struct's beginning */
    pthread_mutex_t lock;
    shelf *now;
} shelf_kv;

typedef struct shelf_backend {
    lls_backend base;
    shelf_kv kv;
} shelf_backend;

static const lls_kv_ops kv_ops;

static shelf_kv *downcast(lls_kv *kv)
{
    assert(kv->ops == &kv_ops); // the ops pointer is the type tag
    return LLS_OUTER(kv, shelf_kv, base);
}

static void book_drop(book *b)
{
    if (atomic_fetch_sub(&b->refs, 1) == 1)
        lls_free(b);
}

static void shelf_drop(shelf *s)
{
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    for (size_t i = 0; i < s->count; i++)
        book_drop(s->books[i]);
    lls_free(s);
}

static shelf *shelf_hold(shelf_kv *kv)
{
    (void)pthread_mutex_lock(&kv->lock);
    shelf *s = kv->now;
    if (s)
        (void)atomic_fetch_add(&s->refs, 1);
    (void)pthread_mutex_unlock(&kv->lock);
    return s;
}

/* 2. Order: tenant, then collection, then key, each by unsigned bytes. */
static int compare(const book *b, lls_kv_space space, lls_bytes key)
{
    int c = lls_bytes_cmp(lls_bytes_of(b->space.tenant), lls_bytes_of(space.tenant));

    if (c == 0)
        c = lls_bytes_cmp(lls_bytes_of(b->space.coll), lls_bytes_of(space.coll));
    return c ? c : lls_bytes_cmp(b->item.key, key);
}

/* Index of the first book that is not less. */
static size_t lower_bound(const shelf *s, lls_kv_space space, lls_bytes key)
{
    size_t lo = 0;
    size_t hi = s ? s->count : 0;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (compare(s->books[mid], space, key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool found_at(const shelf *s, size_t i, lls_kv_space space, lls_bytes key)
{
    return s && i < s->count && compare(s->books[i], space, key) == 0;
}

/* 3. get: append the value, fill the meta, or say that there is none. */
static lls_err get(lls_kv *base, lls_kv_space space, lls_bytes key, lls_buf *out, lls_kv_meta *meta,
                   lls_error *err)
{
    shelf *s = shelf_hold(downcast(base));
    size_t i = lower_bound(s, space, key);
    lls_err e = LLS_OK;

    if (found_at(s, i, space, key)) {
        lls_buf_add(out, s->books[i]->item.value);
        *meta = s->books[i]->item.meta;
    } else {
        e = lls_fail(err, LLS_E_NOTFOUND, "no such key");
    }
    shelf_drop(s);
    return e;
}

/* 4. apply: what each verb asks of the record that is there, and what the new meta is. */
static lls_err decide(const lls_kv_write *w, const lls_kv_meta *old, int64_t now, lls_kv_meta *meta,
                      lls_error *err)
{
    if (w->verb == LLS_KV_CREATE && old)
        return lls_fail(err, LLS_E_EXISTS, "key '" LLS_FMT "' already exists", LLS_ARG(w->key));
    if ((w->verb == LLS_KV_REPLACE || (w->verb == LLS_KV_DELETE && w->meta.version != 0)) &&
        (!old || old->version != w->meta.version))
        return lls_fail(err, LLS_E_CONFLICT, "key '" LLS_FMT "' was changed by another writer",
                        LLS_ARG(w->key));
    *meta = w->verb == LLS_KV_RESTORE ? w->meta
                                      : (lls_kv_meta){.version = old ? old->version + 1 : 1,
                                                      .created_usec = old ? old->created_usec : now,
                                                      .updated_usec = now,
                                                      .expires_usec = w->meta.expires_usec};
    return LLS_OK;
}

static void *copy(char **at, const void *data, size_t len)
{
    char *to = *at;

    if (len)
        memcpy(to, data, len);
    *at += len;
    return to;
}

static book *book_new(lls_kv_space space, const lls_kv_write *w, const lls_kv_meta *meta)
{
    book *b = lls_alloc(sizeof(*b) + space.tenant.len + space.coll.len + w->key.len + w->value.len);

    if (!b)
        return NULL;
    char *at = b->block;
    b->refs = 1;
    b->space.tenant = (lls_str){copy(&at, space.tenant.data, space.tenant.len), space.tenant.len};
    b->space.coll = (lls_str){copy(&at, space.coll.data, space.coll.len), space.coll.len};
    b->item.key = (lls_bytes){copy(&at, w->key.data, w->key.len), w->key.len};
    b->item.value = (lls_bytes){copy(&at, w->value.data, w->value.len), w->value.len};
    b->item.meta = *meta;
    return b;
}

static void take_out(shelf *s, size_t i)
{
    book_drop(s->books[i]);
    memmove(&s->books[i], &s->books[i + 1], (s->count - i - 1) * sizeof(book *));
    s->count--;
}

/* One write on a shelf that nobody else sees and that has room for one more book. */
static lls_err write_one(shelf *s, lls_str tenant, int64_t now, const lls_kv_write *w,
                         lls_error *err)
{
    lls_kv_space space = {tenant, w->coll};
    size_t i = lower_bound(s, space, w->key);
    bool there = found_at(s, i, space, w->key);
    bool expired = there && lls_kv_expired(&s->books[i]->item.meta, now);
    lls_kv_meta meta;

    if (w->verb == LLS_KV_SWEEP) {
        if (expired)
            take_out(s, i);
        return LLS_OK;
    }
    LLS_TRY(decide(w, there && !expired ? &s->books[i]->item.meta : NULL, now, &meta, err));
    book *fresh = NULL;
    if (w->verb != LLS_KV_DELETE) {
        fresh = book_new(space, w, &meta);
        if (!fresh)
            return lls_fail(err, LLS_E_NOMEM, "out of memory");
    }
    if (there)
        take_out(s, i);
    if (fresh) {
        memmove(&s->books[i + 1], &s->books[i], (s->count - i) * sizeof(book *));
        s->books[i] = fresh;
        s->count++;
    }
    return LLS_OK;
}

/* A new shelf with the same books and room for `more`. */
static shelf *shelf_copy(const shelf *s, size_t more)
{
    size_t count = s ? s->count : 0;
    shelf *fresh = lls_alloc(sizeof(*fresh) + (count + more) * sizeof(book *));

    if (!fresh)
        return NULL;
    fresh->refs = 1;
    fresh->count = count;
    for (size_t i = 0; i < count; i++) {
        fresh->books[i] = s->books[i];
        (void)atomic_fetch_add(&fresh->books[i]->refs, 1);
    }
    return fresh;
}

static lls_err apply(lls_kv *base, lls_str tenant, int64_t now, const lls_kv_write *writes,
                     size_t count, lls_error *err)
{
    shelf_kv *kv = downcast(base);
    lls_err e = LLS_OK;

    (void)pthread_mutex_lock(&kv->lock); // writers one after the other; readers hold a shelf
    shelf *fresh = shelf_copy(kv->now, count);
    if (!fresh)
        e = lls_fail(err, LLS_E_NOMEM, "out of memory");
    for (size_t i = 0; i < count && e == LLS_OK; i++)
        e = write_one(fresh, tenant, now, &writes[i], err);
    shelf *done_with = fresh;
    if (e == LLS_OK) {
        done_with = kv->now;
        kv->now = fresh;
    }
    (void)pthread_mutex_unlock(&kv->lock);
    shelf_drop(done_with);
    return e;
}

/* 5. clear: everything of one space, all or none. */
static lls_err clear(lls_kv *base, lls_kv_space space, lls_error *err)
{
    shelf_kv *kv = downcast(base);

    (void)pthread_mutex_lock(&kv->lock);
    shelf *old = kv->now;
    shelf *fresh = shelf_copy(old, 0);
    if (fresh) {
        size_t from = lower_bound(fresh, space, (lls_bytes){0});
        while (from < fresh->count &&
               compare(fresh->books[from], space, fresh->books[from]->item.key) == 0)
            take_out(fresh, from);
        kv->now = fresh;
    }
    (void)pthread_mutex_unlock(&kv->lock);
    if (!fresh)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    shelf_drop(old);
    return LLS_OK;
}

/* 6. scan: hold the shelf of this moment and walk it. */
typedef struct shelf_iter {
    lls_kv_iter base;
    shelf *view;
    size_t at;
    size_t end;
} shelf_iter;

static lls_err iter_next(lls_kv_iter *base, lls_kv_item *item, lls_error *err)
{
    shelf_iter *it = LLS_OUTER(base, shelf_iter, base);

    (void)err;
    if (it->at == it->end)
        return LLS_END;
    *item = it->view->books[it->at++]->item;
    return LLS_OK;
}

static void iter_close(lls_kv_iter *base)
{
    shelf_iter *it = LLS_OUTER(base, shelf_iter, base);

    shelf_drop(it->view);
    lls_free(it);
}

static const lls_kv_iter_ops iter_ops = {.next = iter_next, .close = iter_close};

static lls_err scan(lls_kv *base, lls_kv_space space, lls_kv_range range, lls_kv_iter **out,
                    lls_error *err)
{
    shelf_iter *it = lls_alloc(sizeof(*it));

    if (!it)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    it->base.ops = &iter_ops;
    it->view = shelf_hold(downcast(base));

    bool from_prefix = lls_bytes_cmp(range.after, range.prefix) < 0;
    it->at = lower_bound(it->view, space, from_prefix ? range.prefix : range.after);
    if (!from_prefix && range.after.len && found_at(it->view, it->at, space, range.after))
        it->at++;
    for (it->end = it->at; it->view && it->end < it->view->count; it->end++) {
        const book *b = it->view->books[it->end];
        if (compare(b, space, b->item.key) != 0 || !lls_bytes_has_prefix(b->item.key, range.prefix))
            break;
    }
    *out = &it->base;
    return LLS_OK;
}

static const lls_kv_ops kv_ops = {.get = get, .apply = apply, .scan = scan, .clear = clear};

/* 7. open and close, and the one global symbol. */
static lls_err shelf_open(const void *conf, const lls_backend_params *params, lls_backend **out,
                          lls_error *err)
{
    shelf_backend *b = lls_alloc(sizeof(*b));

    (void)conf;
    (void)params;
    if (!b)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    b->base.kv = &b->kv.base;
    b->kv.base.ops = &kv_ops;
    (void)pthread_mutex_init(&b->kv.lock, NULL);
    *out = &b->base;
    return LLS_OK;
}

static void shelf_close(lls_backend *base)
{
    shelf_backend *b = LLS_OUTER(base, shelf_backend, base);

    shelf_drop(b->kv.now);
    (void)pthread_mutex_destroy(&b->kv.lock);
    lls_free(b);
}

static const lls_option options[] = {{0}};

extern const lls_backend_def lls_backend_shelf;
const lls_backend_def lls_backend_shelf = {
    .name = "shelf",
    .summary = "a sorted array in memory: the backend that the manual writes",
    .options = options,
    .conf_size = 1,
    .ports = LLS_HAS(LLS_PORT_KV),
    .characteristics = {.transactional = true,
                        .prefix_scan = true,
                        .atomic_ops = true,
                        .read_usec = 1,
                        .write_usec = 10},
    .open = shelf_open,
    .close = shelf_close,
};
