/* A long random history of everything that can be written, in several spaces, beside a model. */
#include "testing/clock.h"
#include "testing/kv_space.h"
#include "testing/kv_suite.h"

#include <stdio.h>

enum { SPACES = 4, KEYS = 24, ROUNDS = 700, BATCH_MAX = 9, SECOND = 1000000 };

typedef struct slot {
    bool stored;
    lls_kv_meta meta;
    uint32_t value;
} slot;

/* Two tenants with two collections each: the first index is tenant * 2 + collection. */
typedef struct model {
    slot slots[SPACES][KEYS];
} model;

typedef struct history {
    lls_kv *kv;
    lls_test_clock clock;
    uint64_t random;
    model now;
} history;

/* A write with room for what its views show. */
typedef struct step {
    lls_kv_write write;
    char key[8];
    char value[600];
} step;

static lls_kv_space space_at(size_t index)
{
    return (lls_kv_space){index / 2 ? stranger.tenant : space.tenant,
                          index % 2 ? other.coll : space.coll};
}

static uint32_t draw(history *h, uint32_t below)
{
    h->random = h->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(h->random >> 33) % below;
}

/* The value that a number stands for: its digits, then from none to some hundred spaces. */
static lls_bytes value_of(uint32_t number, char room[600])
{
    int len = snprintf(room, 600, "%u%*s", number, (int)(number % 500), "");

    return (lls_bytes){(const uint8_t *)room, (size_t)len};
}

static lls_bytes key_at(uint32_t k, char room[8])
{
    (void)snprintf(room, 8, "key%02u", k);
    return lls_bytes_of(lls_str_of(room));
}

/* What the port promises of one write, on the model. */
static lls_err write_model(slot *s, const lls_kv_write *w, uint32_t number, int64_t now_usec)
{
    bool expired = s->stored && lls_kv_expired(&s->meta, now_usec);
    bool there = s->stored && !expired;
    bool conditional =
        w->verb == LLS_KV_REPLACE || (w->verb == LLS_KV_DELETE && w->meta.version != 0);

    if (w->verb == LLS_KV_SWEEP) {
        s->stored = there;
        return LLS_OK;
    }
    if (w->verb == LLS_KV_CREATE && there)
        return LLS_E_EXISTS;
    if (conditional && (!there || s->meta.version != w->meta.version))
        return LLS_E_CONFLICT;
    if (w->verb == LLS_KV_DELETE) {
        s->stored = false;
        return LLS_OK;
    }
    lls_kv_meta meta = {
        .version = there ? s->meta.version + 1 : 1,
        .created_usec = there ? s->meta.created_usec : now_usec,
        .updated_usec = now_usec,
        .expires_usec = w->meta.expires_usec,
    };
    *s = (slot){true, w->verb == LLS_KV_RESTORE ? w->meta : meta, number};
    return LLS_OK;
}

static const lls_kv_verb verbs[] = {
    LLS_KV_PUT,     LLS_KV_PUT,    LLS_KV_PUT,    LLS_KV_CREATE, LLS_KV_REPLACE,
    LLS_KV_REPLACE, LLS_KV_DELETE, LLS_KV_DELETE, LLS_KV_SWEEP,  LLS_KV_RESTORE,
};

/* Make a random write that mostly succeeds, and do it to `m`. */
static lls_err make_step(history *h, model *m, size_t tenant, step *out)
{
    uint32_t coll = draw(h, 2);
    uint32_t k = draw(h, KEYS);
    uint32_t number = draw(h, 1000000);
    int64_t now = h->clock.now_usec;
    slot *s = &m->slots[tenant * 2 + coll][k];
    lls_kv_verb verb = verbs[draw(h, LLS_COUNT(verbs))];

    if (verb == LLS_KV_CREATE && s->stored && draw(h, 8) != 0)
        verb = LLS_KV_PUT;
    out->write = (lls_kv_write){
        .verb = verb,
        .coll = coll ? other.coll : space.coll,
        .key = key_at(k, out->key),
        .value = value_of(number, out->value),
    };
    if (verb == LLS_KV_RESTORE)
        out->write.meta = (lls_kv_meta){1 + number, now - number, now - 1, 0};
    else if (verb == LLS_KV_REPLACE || (verb == LLS_KV_DELETE && draw(h, 2)))
        out->write.meta.version = s->stored ? s->meta.version + (draw(h, 16) == 0) : 1;
    if (verb != LLS_KV_DELETE && verb != LLS_KV_SWEEP && draw(h, 4) == 0)
        out->write.meta.expires_usec = now + (int64_t)draw(h, 20) * SECOND;
    return write_model(s, &out->write, number, now);
}

/* One batch: all of it happens to both sides, or none of it and for the same reason. */
static void do_batch(history *h)
{
    static step steps[BATCH_MAX];
    lls_kv_write writes[BATCH_MAX];
    lls_error err = {0};
    model then = h->now;
    size_t tenant = draw(h, 2);
    size_t wanted = 1 + draw(h, BATCH_MAX);
    size_t count = 0;
    lls_err want = LLS_OK;

    while (count < wanted && want == LLS_OK) {
        want = make_step(h, &then, tenant, &steps[count]);
        writes[count] = steps[count].write;
        count++;
    }
    assert_code(lls_kv_apply(h->kv, space_at(tenant * 2).tenant, writes, count, &err), want, err);
    if (want == LLS_OK)
        h->now = then;
}

static void do_clear(history *h)
{
    size_t index = draw(h, SPACES);
    lls_error err = {0};

    assert_ok(lls_kv_clear(h->kv, space_at(index), &err), err);
    memset(h->now.slots[index], 0, sizeof(h->now.slots[index]));
}

static void do_sweep(history *h)
{
    size_t index = draw(h, SPACES);
    uint64_t want = 0;
    uint64_t removed = 0;
    lls_error err = {0};

    for (uint32_t k = 0; k < KEYS; k++) {
        slot *s = &h->now.slots[index][k];
        if (s->stored && lls_kv_expired(&s->meta, h->clock.now_usec)) {
            s->stored = false;
            want++;
        }
    }
    assert_ok(lls_kv_sweep(h->kv, space_at(index), &removed, &err), err);
    assert_int_equal(removed, want);
}

/* Scan what is stored, and what is live: every byte and every field. */
static void compare(history *h, size_t index, lls_kv_scan_mode mode)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_error err = {0};
    lls_kv_item item;
    uint64_t count = 0;

    assert_ok(lls_kv_scan(h->kv, space_at(index), (lls_kv_range){0}, mode, &it, &err), err);
    for (uint32_t k = 0; k < KEYS; k++) {
        const slot *s = &h->now.slots[index][k];
        char key[8];
        char value[600];
        if (!s->stored || (mode == LLS_KV_LIVE && lls_kv_expired(&s->meta, h->clock.now_usec)))
            continue;
        assert_ok(lls_kv_iter_next(it, &item, &err), err);
        assert_true(lls_bytes_eq(item.key, key_at(k, key)));
        assert_true(lls_bytes_eq(item.value, value_of(s->value, value)));
        assert_memory_equal(&item.meta, &s->meta, sizeof(item.meta));
        count++;
    }
    assert_code(lls_kv_iter_next(it, &item, &err), LLS_END, err);
    if (mode == LLS_KV_LIVE)
        assert_int_equal(count_of(h->kv, space_at(index)), count);
}

static void compare_all(history *h)
{
    for (size_t i = 0; i < SPACES; i++) {
        compare(h, i, LLS_KV_ALL);
        compare(h, i, LLS_KV_LIVE);
    }
}

void kv_history_of_several_spaces_matches_a_model(void **state)
{
    history h = {.kv = kv_of(state), .random = 1998};
    lls_error err = {0};

    assert_ok(lls_kv_clear(h.kv, space_at(3), &err), err); // the one that the suite does not empty
    lls_test_clock_init(&h.clock);
    h.kv->clock = &h.clock.base;
    for (int i = 0; i < ROUNDS; i++) {
        if (draw(&h, 60) == 0)
            do_clear(&h);
        else if (draw(&h, 30) == 0)
            do_sweep(&h);
        else
            do_batch(&h);
        h.clock.now_usec += draw(&h, SECOND);
        if (i % 50 == 0)
            compare_all(&h);
    }
    compare_all(&h);
    assert_ok(lls_kv_clear(h.kv, space_at(3), &err), err);
    h.kv->clock = NULL;
}
