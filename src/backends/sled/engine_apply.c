/** engine_apply.c - a batch of writes, decided one after the other and committed at once. */
#include "backends/sled/engine_kv.h"

#include "backends/sled/layout.h"
#include "base/scope.h"
#include "ports/record.h"

typedef struct batch {
    sled_kv *kv;
    sled_batch_ref ref;
    lls_str tenant;
    int64_t now_usec;
    lls_str coll; /* of the write before, and its number; 0: it has none */
    uint64_t number;
} batch;

/* What the store holds for a key, as the verbs see it. */
typedef struct old_record {
    bool stored;    /* something stands there, */
    bool there;     /* and it is a good record that has not expired */
    lls_err damage; /* why it is not good */
    lls_kv_meta meta;
} old_record;

static lls_err fail_key(lls_err code, const lls_kv_write *w, const char *what, lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};

    lls_key_show(w->key, &key);
    return lls_fail(err, code, "key '%s' of '" LLS_FMT "' %s", lls_buf_cstr(&key), LLS_ARG(w->coll),
                    what);
}

static lls_err enter(batch *b, lls_str coll, lls_error *err)
{
    if (lls_str_eq(b->coll, coll))
        return LLS_OK;
    lls_err e = sled_kv_number(b->kv, b->ref, (lls_kv_space){b->tenant, coll}, &b->number, err);
    if (e == LLS_E_NOTFOUND)
        b->number = 0;
    else
        LLS_TRY(e);
    b->coll = coll;
    return LLS_OK;
}

static lls_err make_space(batch *b, lls_error *err)
{
    uint64_t number;

    LLS_TRY(sled_kv_new_number(b->kv, b->ref, &number, err));
    LLS_TRY(sled_kv_set_number(b->kv, b->ref, (lls_kv_space){b->tenant, b->coll}, number, err));
    b->number = number;
    return LLS_OK;
}

static lls_err look(const batch *b, const lls_kv_write *w, const lls_buf *key, old_record *old,
                    lls_error *err)
{
    LLS_AUTO(lls_buf) stored = {0};
    lls_bytes value;

    *old = (old_record){0};
    if (b->number == 0)
        return LLS_OK;
    lls_err e = sled_kv_look(b->kv, b->ref, lls_buf_view(key), &stored, err);
    if (e == LLS_E_NOTFOUND)
        return LLS_OK;
    LLS_TRY(e);
    old->stored = true;
    old->damage = sled_layout_decode(w->key, lls_buf_view(&stored), &old->meta, &value, NULL);
    old->there = old->damage == LLS_OK && !lls_kv_expired(&old->meta, b->now_usec);
    return LLS_OK;
}

/* Whether the write may be done. What depends on a damaged record may not. */
static lls_err allowed(const lls_kv_write *w, const old_record *old, lls_error *err)
{
    bool versioned =
        w->verb == LLS_KV_REPLACE || (w->verb == LLS_KV_DELETE && w->meta.version != 0);

    if ((versioned || w->verb == LLS_KV_CREATE) && old->damage != LLS_OK)
        return fail_key(old->damage, w, "is damaged: only an unconditional write replaces it", err);
    if (w->verb == LLS_KV_CREATE && old->there)
        return fail_key(LLS_E_EXISTS, w, "already exists", err);
    if (versioned && !old->there)
        return fail_key(LLS_E_CONFLICT, w, "is gone", err);
    if (versioned && old->meta.version != w->meta.version)
        return fail_key(LLS_E_CONFLICT, w, "has another version", err);
    return LLS_OK;
}

static lls_kv_meta new_meta(const batch *b, const lls_kv_write *w, const old_record *old)
{
    if (w->verb == LLS_KV_RESTORE)
        return w->meta;
    return (lls_kv_meta){
        .version = old->there ? old->meta.version + 1 : 1,
        .created_usec = old->there ? old->meta.created_usec : b->now_usec,
        .updated_usec = b->now_usec,
        .expires_usec = w->meta.expires_usec,
    };
}

static bool removes(const batch *b, const lls_kv_write *w, const old_record *old)
{
    return old->stored && (w->verb == LLS_KV_DELETE ||
                           (old->damage == LLS_OK && lls_kv_expired(&old->meta, b->now_usec)));
}

static lls_err do_write(batch *b, const lls_kv_write *w, lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};
    LLS_AUTO(lls_buf) stored = {0};
    old_record old;

    LLS_TRY(enter(b, w->coll, err));
    sled_layout_key(b->number, w->key, &key);
    LLS_TRY(lls_buf_status(&key, err));
    LLS_TRY(look(b, w, &key, &old, err));
    LLS_TRY(allowed(w, &old, err));
    if (w->verb == LLS_KV_DELETE || w->verb == LLS_KV_SWEEP)
        return removes(b, w, &old) ? sled_kv_unset(b->kv, b->ref, &key, err) : LLS_OK;

    if (b->number == 0) {
        LLS_TRY(make_space(b, err));
        sled_layout_key(b->number, w->key, &key);
    }
    lls_kv_meta meta = new_meta(b, w, &old);
    sled_layout_encode(&meta, w->value, &stored);
    LLS_TRY(lls_buf_status(&key, err));
    LLS_TRY(lls_buf_status(&stored, err));
    return sled_kv_set(b->kv, b->ref, lls_buf_view(&key), lls_buf_view(&stored), err);
}

static lls_err write_all(batch *b, const lls_kv_write *writes, size_t count, uint64_t *turn,
                         lls_error *err)
{
    for (size_t i = 0; i < count; i++)
        LLS_TRY(do_write(b, &writes[i], err));
    LLS_TRY(sled_kv_commit(b->kv, b->ref, turn, err));
    for (size_t i = 0; i < count; i++)
        if (i == 0 || !lls_str_eq(writes[i].coll, writes[i - 1].coll))
            sled_kv_changed(b->kv, (lls_kv_space){b->tenant, writes[i].coll});
    return LLS_OK;
}

static size_t bytes_of(const lls_kv_write *writes, size_t count)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        if (writes[i].verb != LLS_KV_DELETE && writes[i].verb != LLS_KV_SWEEP)
            bytes += SLED_NUMBER + SLED_HEADER + writes[i].key.len + writes[i].value.len;
    return bytes;
}

lls_err sled_kv_apply(lls_kv *base, lls_str tenant, int64_t now_usec, const lls_kv_write *writes,
                      size_t count, lls_error *err)
{
    sled_kv *kv = sled_kv_of(base);
    LLS_AUTO(sled_batch_ref) ref = NULL;
    uint64_t turn = 0;

    LLS_TRY(sled_disk_room(&kv->disk, bytes_of(writes, count), err));
    LLS_TRY(sled_kv_batch(kv, &ref, err));
    batch b = {.kv = kv, .ref = ref, .tenant = tenant, .now_usec = now_usec};
    (void)pthread_mutex_lock(&kv->write);
    lls_err e = write_all(&b, writes, count, &turn, err);
    (void)pthread_mutex_unlock(&kv->write);
    return e == LLS_OK ? sled_kv_sync(kv, turn, err) : e;
}
