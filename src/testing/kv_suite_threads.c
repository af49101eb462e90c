#include "base/alloc.h"
#include "testing/kv_space.h"
#include "testing/kv_suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { THREADS = 4, ROUNDS = 40 };

typedef struct worker {
    lls_kv *kv;
    lls_err failed; /* a thread must not assert: it tells */
    lls_error err;
    atomic_bool *stop;
    int won; /* of those that it tried to create */
} worker;

/* Load, add one, save on the version that was loaded; again when somebody was quicker. */
static lls_err add_one(lls_kv *kv, lls_error *err)
{
    lls_err e;

    do {
        LLS_AUTO(lls_buf) out = {0};
        lls_kv_meta meta;
        char text[32];
        LLS_TRY(lls_kv_get(kv, space, B("counter"), &out, &meta, err));
        int value = atoi(lls_buf_cstr(&out));
        (void)snprintf(text, sizeof(text), "%d", value + 1);
        e = write_version(kv, LLS_KV_REPLACE, B("counter"), lls_bytes_of(lls_str_of(text)),
                          meta.version, err);
    } while (e == LLS_E_CONFLICT);
    return e;
}

static void *count_up(void *user)
{
    worker *w = user;

    for (int i = 0; i < ROUNDS && w->failed == LLS_OK; i++)
        w->failed = add_one(w->kv, &w->err);
    return NULL;
}

void kv_threads_lose_no_update(void **state)
{
    worker workers[THREADS];
    pthread_t threads[THREADS];
    char total[32];

    put(kv_of(state), B("counter"), B("0"));
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.kv = kv_of(state)};
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        assert_code(workers[i].failed, LLS_OK, workers[i].err);
    (void)snprintf(total, sizeof(total), "%d", THREADS * ROUNDS);
    lls_kv_meta meta = expect(kv_of(state), B("counter"), lls_bytes_of(lls_str_of(total)));
    assert_int_equal(meta.version, THREADS * ROUNDS + 1);
}

/* Several want to be the first with each key: one is, and all others are told. */
static void *create_all(void *user)
{
    worker *w = user;

    for (int i = 0; i < ROUNDS && w->failed == LLS_OK; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "%d", i);
        lls_err e =
            write_version(w->kv, LLS_KV_CREATE, lls_bytes_of(lls_str_of(key)), B("v"), 0, &w->err);
        if (e == LLS_OK)
            w->won++;
        else if (e != LLS_E_EXISTS)
            w->failed = e;
    }
    return NULL;
}

void kv_threads_create_each_key_once(void **state)
{
    worker workers[THREADS];
    pthread_t threads[THREADS];
    int won = 0;

    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.kv = kv_of(state)};
        assert_int_equal(pthread_create(&threads[i], NULL, create_all, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        assert_code(workers[i].failed, LLS_OK, workers[i].err);
        won += workers[i].won;
    }
    assert_int_equal(won, ROUNDS);
    assert_int_equal(count_of(kv_of(state), space), ROUNDS);
    assert_int_equal(expect(kv_of(state), B("0"), B("v")).version, 1);
}

/* Two keys that are always written together are always read together. */
static lls_err read_both(lls_kv *kv, lls_error *err)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    LLS_AUTO(lls_buf) first = {0};
    lls_kv_item item;

    LLS_TRY(lls_kv_scan(kv, space, (lls_kv_range){.prefix = B("pair")}, LLS_KV_LIVE, &it, err));
    LLS_TRY(lls_kv_iter_next(it, &item, err));
    lls_buf_add(&first, item.value);
    LLS_TRY(lls_kv_iter_next(it, &item, err));
    if (!lls_bytes_eq(lls_buf_view(&first), item.value))
        return lls_fail(err, LLS_E_MISMATCH, "half of a batch was seen");
    return LLS_OK;
}

static void *read_on(void *user)
{
    worker *w = user;

    while (w->failed == LLS_OK && !atomic_load(w->stop))
        w->failed = read_both(w->kv, &w->err);
    return NULL;
}

void kv_readers_see_whole_batches(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    atomic_bool stop = false;
    worker reader = {.kv = kv, .stop = &stop};
    pthread_t thread;

    put(kv, B("pair:a"), B("0"));
    put(kv, B("pair:b"), B("0"));
    assert_int_equal(pthread_create(&thread, NULL, read_on, &reader), 0);
    for (int i = 0; i < 200; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "%d", i);
        lls_bytes value = lls_bytes_of(lls_str_of(text));
        const lls_kv_write writes[] = {
            write_of(LLS_KV_PUT, B("pair:a"), value),
            write_of(LLS_KV_PUT, B("pair:b"), value),
        };
        assert_ok(lls_kv_apply(kv, space.tenant, writes, LLS_COUNT(writes), &err), err);
    }
    atomic_store(&stop, true);
    (void)pthread_join(thread, NULL);
    assert_code(reader.failed, LLS_OK, reader.err);
}

/* ---- a long random history against a model: what is where, and at which version ---- */

enum { KEYS = 64, STEPS = 800, BATCH_MAX = 12 };

typedef struct model {
    uint64_t versions[KEYS]; /* 0: not there */
    uint32_t values[KEYS];
} model;

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

typedef struct step {
    lls_kv_write write;
    char key[16];
    char value[512];
} step;

/* The value that a number stands for: its digits, then from none to some hundred spaces. */
static lls_bytes value_of(uint32_t number, char room[512])
{
    int len = snprintf(room, 512, "%u%*s", number, (int)(number % 400), "");

    return (lls_bytes){(const uint8_t *)room, (size_t)len};
}

static void make_step(step *s, model *m, uint64_t *random, bool *fails)
{
    static const lls_kv_verb verbs[] = {LLS_KV_PUT,     LLS_KV_PUT,    LLS_KV_CREATE,
                                        LLS_KV_REPLACE, LLS_KV_DELETE, LLS_KV_DELETE};
    uint32_t k = next_random(random) % KEYS;
    lls_kv_verb verb = verbs[next_random(random) % LLS_COUNT(verbs)];
    uint32_t number = next_random(random);

    (void)snprintf(s->key, sizeof(s->key), "key-%02u", k);
    s->write = write_of(verb, lls_bytes_of(lls_str_of(s->key)), value_of(number, s->value));
    if (verb == LLS_KV_REPLACE) // now and then the wrong one
        s->write.meta.version = number % 16 ? m->versions[k] : m->versions[k] + 1;
    *fails = (verb == LLS_KV_CREATE && m->versions[k] != 0) ||
             (verb == LLS_KV_REPLACE &&
              (m->versions[k] == 0 || s->write.meta.version != m->versions[k]));
    m->versions[k] = verb == LLS_KV_DELETE ? 0 : m->versions[k] + 1;
    m->values[k] = number;
}

static void compare(lls_kv *kv, const model *m)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_error err = {0};
    lls_kv_item item;

    assert_ok(lls_kv_scan(kv, space, (lls_kv_range){0}, LLS_KV_ALL, &it, &err), err);
    for (int k = 0; k < KEYS; k++) {
        char want[16];
        char value[512];
        if (m->versions[k] == 0)
            continue;
        assert_ok(lls_kv_iter_next(it, &item, &err), err);
        (void)snprintf(want, sizeof(want), "key-%02d", k);
        assert_true(lls_bytes_eq(item.key, lls_bytes_of(lls_str_of(want))));
        assert_int_equal(item.meta.version, m->versions[k]);
        assert_true(lls_bytes_eq(item.value, value_of(m->values[k], value)));
    }
    assert_code(lls_kv_iter_next(it, &item, &err), LLS_END, err);
}

void kv_history_matches_a_model(void **state)
{
    static step steps[BATCH_MAX];
    lls_kv_write writes[BATCH_MAX];
    lls_error err = {0};
    uint64_t random = 2025;
    model now = {0};

    for (int i = 0; i < STEPS; i++) {
        model then = now;
        bool fails = false;
        size_t count = 1 + next_random(&random) % BATCH_MAX;
        for (size_t n = 0; n < count && !fails; n++) {
            make_step(&steps[n], &then, &random, &fails);
            writes[n] = steps[n].write;
            count = fails ? n + 1 : count;
        }
        lls_err e = lls_kv_apply(kv_of(state), space.tenant, writes, count, &err);
        assert_true(fails ? e == LLS_E_EXISTS || e == LLS_E_CONFLICT : e == LLS_OK);
        if (!fails)
            now = then;
        if (i % 40 == 0)
            compare(kv_of(state), &now);
    }
    compare(kv_of(state), &now);
}
