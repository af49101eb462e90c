/** engine_collect.c - the records of numbers that went out of use are removed, bit by bit. */
#include "backends/sled/engine_kv.h"

#include "backends/sled/layout.h"
#include "base/big.h"
#include "base/little.h"
#include "base/scope.h"

enum { BATCH_KEYS = 500, BATCH_BYTES = 8 << 20 };

/* ---- pins ---- */

/* Where the pin of `number` stands; the length when there is none. `pins` is held. */
static size_t find_pin(const sled_kv *kv, uint64_t number)
{
    size_t at = 0;

    while (at < kv->pinned.len && lls_little_get_u64(kv->pinned.data + at) != number)
        at += SLED_NUMBER;
    return at;
}

lls_err sled_kv_pin(sled_kv *kv, uint64_t number, lls_error *err)
{
    (void)pthread_mutex_lock(&kv->pins);
    size_t len = kv->pinned.len;
    lls_little_add(&kv->pinned, number, SLED_NUMBER);
    lls_err e = lls_buf_status(&kv->pinned, err);
    kv->pinned.status = LLS_OK; // the others are still there
    if (e != LLS_OK)
        kv->pinned.len = len;
    (void)pthread_mutex_unlock(&kv->pins);
    return e;
}

void sled_kv_unpin(sled_kv *kv, uint64_t number)
{
    (void)pthread_mutex_lock(&kv->pins);
    size_t at = find_pin(kv, number);
    kv->pinned.len -= SLED_NUMBER;
    memmove(kv->pinned.data + at, kv->pinned.data + kv->pinned.len, SLED_NUMBER);
    bool collect = kv->waiting && find_pin(kv, number) == kv->pinned.len;
    if (collect)
        kv->waiting = false;
    (void)pthread_mutex_unlock(&kv->pins);
    if (collect)
        sled_kv_collect(kv, 0);
}

static bool is_pinned(sled_kv *kv, uint64_t number)
{
    (void)pthread_mutex_lock(&kv->pins);
    bool pinned = find_pin(kv, number) < kv->pinned.len;
    if (pinned)
        kv->waiting = true;
    (void)pthread_mutex_unlock(&kv->pins);
    return pinned;
}

/* ---- collecting ---- */

typedef struct walk {
    sled_engine_scan *engine;
} walk;

static void walk_auto(walk *w)
{
    if (w->engine)
        sled_engine_scan_close(w->engine);
}

static lls_err begin(const sled_kv *kv, lls_bytes from, walk *w, lls_error *err)
{
    sled_engine_error said = {0};
    int rc = sled_engine_scan_open(kv->records, from, (lls_bytes){0}, &w->engine, &said);

    return rc == SLED_ENGINE_OK ? LLS_OK : sled_kv_fail(kv, rc, &said, "scan", err);
}

static lls_err step(const sled_kv *kv, walk *w, lls_bytes prefix, lls_bytes *key, lls_bytes *value,
                    lls_error *err)
{
    sled_engine_error said = {0};
    int rc = sled_engine_scan_next(w->engine, key, value, &said);

    if (rc == SLED_ENGINE_NONE)
        return LLS_END;
    if (rc != SLED_ENGINE_OK)
        return sled_kv_fail(kv, rc, &said, "scan", err);
    return lls_bytes_has_prefix(*key, prefix) ? LLS_OK : LLS_END;
}

/* The first dead number after `after` that nobody pinned. LLS_END when there is none. */
static lls_err find_dead(sled_kv *kv, uint64_t after, uint64_t *out, lls_error *err)
{
    LLS_AUTO(walk) w = {0};
    LLS_AUTO(lls_buf) prefix = {0};
    lls_bytes key;
    lls_bytes value;
    lls_err e;

    sled_layout_dead(0, &prefix);
    LLS_TRY(lls_buf_status(&prefix, err));
    LLS_TRY(begin(kv, lls_buf_view(&prefix), &w, err));
    while ((e = step(kv, &w, lls_buf_view(&prefix), &key, &value, err)) == LLS_OK) {
        uint64_t number = lls_big_get(key.data + prefix.len, key.len - prefix.len);
        if (number <= after || is_pinned(kv, number))
            continue;
        *out = number;
        return LLS_OK;
    }
    return e;
}

/* Put the removal of up to BATCH_KEYS records into the batch. LLS_END when that is all of them. */
static lls_err remove_some(const sled_kv *kv, uint64_t number, sled_engine_batch *batch,
                           lls_error *err)
{
    LLS_AUTO(walk) w = {0};
    LLS_AUTO(lls_buf) prefix = {0};
    LLS_AUTO(lls_buf) full = {0};
    size_t bytes = 0;
    lls_bytes key;
    lls_bytes value;

    sled_layout_key(number, (lls_bytes){0}, &prefix);
    LLS_TRY(lls_buf_status(&prefix, err));
    LLS_TRY(begin(kv, lls_buf_view(&prefix), &w, err));
    for (int i = 0; i < BATCH_KEYS && bytes < BATCH_BYTES; i++) {
        LLS_TRY(step(kv, &w, lls_buf_view(&prefix), &key, &value, err));
        bytes += value.len;
        lls_buf_clear(&full);
        lls_buf_add(&full, key);
        LLS_TRY(sled_kv_unset(kv, batch, &full, err));
    }
    return LLS_OK;
}

/* One batch of removals; LLS_END when it was the last of this number. */
static lls_err collect_some(sled_kv *kv, uint64_t number, lls_error *err)
{
    LLS_AUTO(sled_batch_ref) batch = NULL;
    uint64_t turn;

    LLS_TRY(sled_kv_batch(kv, &batch, err));
    lls_err found = remove_some(kv, number, batch, err);
    if (found == LLS_END)
        LLS_TRY(sled_kv_unbury(kv, batch, number, err));
    else
        LLS_TRY(found);
    (void)pthread_mutex_lock(&kv->write);
    lls_err e = sled_kv_commit(kv, batch, &turn, err);
    (void)pthread_mutex_unlock(&kv->write);
    return e == LLS_OK ? found : e;
}

/* Nothing of this is synced: what a loss of power takes back is removed again by the next one. */
void sled_kv_collect(sled_kv *kv, unsigned batches)
{
    uint64_t number = 0;

    for (unsigned done = 0; batches == 0 || done < batches;) {
        if (find_dead(kv, number, &number, NULL) != LLS_OK)
            return;
        lls_err e = LLS_OK;
        for (; e == LLS_OK && (batches == 0 || done < batches); done++)
            e = collect_some(kv, number, NULL);
        if (e != LLS_OK && e != LLS_END)
            return;
    }
}
