/* Order and stable versions of the tree, against a plain array. */
#include "backends/memory/tree.h"
#include "base/alloc.h"
#include "base/scope.h"
#include "testing/check.h"

#include <pthread.h>

enum { KEYS = 400, STEPS = 30000, KEPT = 24 };

/* What a version should hold: the length of the value under each key; 0: the key is not there. */
typedef struct model {
    uint16_t lens[KEYS];
} model;

/* A version that somebody holds, and what it held when he took it. */
typedef struct version {
    memory_tree tree;
    model want;
} version;

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* Two bytes, then more of them for some keys: every key is a prefix of others or has one. */
static lls_bytes key_of(uint32_t k, uint8_t room[8])
{
    size_t len = 2 + (k % 3);

    memset(room, 0xff, 8);
    room[0] = (uint8_t)(k / 3 >> 8);
    room[1] = (uint8_t)(k / 3);
    return (lls_bytes){room, len};
}

static memory_record *record_of(uint32_t k, uint16_t len)
{
    static const uint8_t zeros[64];
    uint8_t room[8];
    lls_kv_meta meta = {.version = len};

    return memory_record_new(key_of(k, room), (lls_bytes){zeros, len}, &meta);
}

static void put(memory_tree *tree, uint32_t k, uint16_t len)
{
    lls_error err = {0};
    memory_record *record = record_of(k, len);

    assert_non_null(record);
    assert_ok(memory_tree_put(tree, record, &err), err);
}

static void take(memory_tree *tree, uint32_t k)
{
    uint8_t room[8];
    lls_error err = {0};

    assert_ok(memory_tree_remove(tree, key_of(k, room), &err), err);
}

/* The first key of the model from `k` on, or KEYS. */
static uint32_t model_next(const model *m, uint32_t k)
{
    while (k < KEYS && m->lens[k] == 0)
        k++;
    return k;
}

static void expect_record(const memory_record *record, const model *m, uint32_t k)
{
    uint8_t room[8];

    if (k == KEYS) {
        assert_null(record);
        return;
    }
    assert_non_null(record);
    assert_true(lls_bytes_eq(record->item.key, key_of(k, room)));
    assert_int_equal(record->item.value.len, m->lens[k]);
    assert_int_equal(record->item.meta.version, m->lens[k]);
}

/* Everything that can be asked of a version, beside the model of it. */
static void expect_model(memory_tree tree, const model *m)
{
    uint64_t count = 0;
    uint64_t bytes = 0;
    uint32_t last = KEYS;
    uint8_t room[8];

    for (uint32_t k = 0; k < KEYS; k++) {
        lls_bytes key = key_of(k, room);
        expect_record(memory_tree_find(tree, key), m, m->lens[k] ? k : KEYS);
        expect_record(memory_tree_next(tree, key, MEMORY_FROM), m, model_next(m, k));
        expect_record(memory_tree_next(tree, key, MEMORY_AFTER), m, model_next(m, k + 1));
        if (m->lens[k] == 0)
            continue;
        count++;
        bytes += key.len + m->lens[k];
        last = k;
    }
    assert_int_equal(memory_tree_count(tree), count);
    assert_int_equal(memory_tree_bytes(tree), bytes);
    expect_record(memory_tree_last(tree), m, last);
}

/* One version is changed all the time; others, taken at random moments, must stay as they were. */
static void versions_stay_what_they_were(void **state)
{
    static version kept[KEPT];
    version now = {0};
    uint64_t random = 1989;

    (void)state;
    for (int i = 0; i < STEPS; i++) {
        uint32_t k = next_random(&random) % KEYS;
        uint16_t len = (uint16_t)(next_random(&random) % 64);
        if (len == 0 || next_random(&random) % 3 == 0) { // more or less half of the keys are there
            take(&now.tree, k);
            now.want.lens[k] = 0;
        } else {
            put(&now.tree, k, len);
            now.want.lens[k] = len;
        }
        if (next_random(&random) % 50 != 0)
            continue;
        version *v = &kept[next_random(&random) % KEPT];
        expect_model(v->tree, &v->want);
        memory_tree_drop(v->tree);
        *v = (version){memory_tree_hold(now.tree), now.want};
    }
    expect_model(now.tree, &now.want);
    memory_tree_drop(now.tree);
    for (size_t i = 0; i < KEPT; i++) { // they hold all that they need by themselves
        expect_model(kept[i].tree, &kept[i].want);
        memory_tree_drop(kept[i].tree);
    }
}

/* Two versions that part from a third do not see each other. */
static void versions_may_part(void **state)
{
    version base = {0};

    (void)state;
    for (uint32_t k = 0; k < KEYS; k += 2)
        put(&base.tree, k, base.want.lens[k] = 1);
    version left = {memory_tree_hold(base.tree), base.want};
    version right = {memory_tree_hold(base.tree), base.want};
    for (uint32_t k = 0; k < KEYS; k++) {
        put(&left.tree, k, left.want.lens[k] = 2);
        take(&right.tree, k);
        right.want.lens[k] = 0;
        if (k % 40 == 0) {
            expect_model(base.tree, &base.want);
            expect_model(left.tree, &left.want);
            expect_model(right.tree, &right.want);
        }
    }
    assert_null(right.tree);
    memory_tree_drop(base.tree);
    expect_model(left.tree, &left.want);
    memory_tree_drop(left.tree);
}

static void records_may_be_in_two_trees(void **state)
{
    memory_tree one = NULL;
    memory_tree two = NULL;
    model want = {0};
    lls_error err = {0};

    (void)state;
    for (uint32_t k = 0; k < KEYS; k++)
        put(&one, k, want.lens[k] = 5);
    const memory_record *r = memory_tree_next(one, (lls_bytes){0}, MEMORY_FROM);
    for (; r; r = memory_tree_next(one, r->item.key, MEMORY_AFTER))
        assert_ok(memory_tree_put_shared(&two, r, &err), err);
    memory_tree_drop(one);
    expect_model(two, &want);
    memory_tree_drop(two);
}

static void empty_tree_has_nothing(void **state)
{
    memory_tree tree = NULL;
    const model nothing = {0};

    (void)state;
    expect_model(tree, &nothing);
    take(&tree, 7);
    expect_model(tree, &nothing);
    assert_null(memory_tree_hold(tree));
    memory_tree_drop(tree);
}

/* Keys that rise or fall would make a plain search tree a list of 200,000 levels. */
static void rising_and_falling_keys_do_no_harm(void **state)
{
    enum { MANY = 200000 };
    memory_tree tree = NULL;
    lls_error err = {0};
    const lls_kv_meta meta = {.version = 1};

    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        uint32_t n = i % 2 ? MANY + i : MANY - i;
        uint8_t key[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
        memory_record *record = memory_record_new((lls_bytes){key, 4}, (lls_bytes){0}, &meta);
        assert_non_null(record);
        assert_ok(memory_tree_put(&tree, record, &err), err);
    }
    memory_tree kept = memory_tree_hold(tree);
    while (memory_tree_count(tree) > MANY / 2)
        assert_ok(memory_tree_remove(&tree, memory_tree_last(tree)->item.key, &err), err);
    assert_int_equal(memory_tree_count(kept), MANY);
    assert_int_equal(memory_tree_bytes(tree), MANY / 2 * 4);
    memory_tree_drop(tree);
    memory_tree_drop(kept);
}

/* One change, with the Nth allocation failing. Gives whether it succeeded. */
static bool change_with(long n, memory_tree *tree, uint32_t k, uint16_t len)
{
    uint8_t room[8];
    lls_error err = {0};
    memory_record *record = len ? record_of(k, len) : NULL;

    assert_true(record || len == 0);
    lls_alloc_fail_after(n);
    lls_err e =
        len ? memory_tree_put(tree, record, &err) : memory_tree_remove(tree, key_of(k, room), &err);
    lls_alloc_fail_after(-1);
    assert_true(e == LLS_OK || e == LLS_E_NOMEM);
    return e == LLS_OK;
}

/* Whoever held the version of before has it as it was; what was begun can be dropped. */
static void failed_changes_leave_held_versions_alone(void **state)
{
    version base = {0};
    int failures = 0;

    (void)state;
    for (uint32_t k = 0; k < KEYS; k += 2)
        put(&base.tree, k, base.want.lens[k] = 3);
    for (uint32_t k = 0; k < KEYS; k += 7) {
        for (uint16_t len = 0; len < 8; len = (uint16_t)(len + 7)) { // once out, once in
            bool done = false;
            for (long n = 0; !done; n++) {
                memory_tree next = memory_tree_hold(base.tree);
                done = change_with(n, &next, k, len);
                failures += !done;
                memory_tree_drop(next);
            }
            expect_model(base.tree, &base.want);
        }
    }
    memory_tree_drop(base.tree);
    assert_true(failures > KEYS / 7);
}

/* ---- threads: one makes versions, others read those of their moment ---- */

enum { ACCOUNTS = 64, FUNDS = 10, TRANSFERS = 4000, READERS = 3 };

typedef struct bank {
    pthread_mutex_t lock; /* over `now`, not over what it leads to */
    memory_tree now;
    uint64_t bytes; /* of every version: money only moves */
    atomic_bool closed;
    atomic_int wrong;
    atomic_int read;
} bank;

static uint64_t sum_of(memory_tree tree)
{
    uint64_t sum = 0;
    const memory_record *r = memory_tree_next(tree, (lls_bytes){0}, MEMORY_FROM);

    for (; r; r = memory_tree_next(tree, r->item.key, MEMORY_AFTER))
        sum += r->item.value.len;
    return sum;
}

static void *read_on(void *user)
{
    bank *b = user;

    do {
        (void)pthread_mutex_lock(&b->lock);
        memory_tree mine = memory_tree_hold(b->now);
        (void)pthread_mutex_unlock(&b->lock);
        if (sum_of(mine) != ACCOUNTS * FUNDS || memory_tree_count(mine) != ACCOUNTS ||
            memory_tree_bytes(mine) != b->bytes)
            (void)atomic_fetch_add(&b->wrong, 1); // a thread must not assert
        (void)atomic_fetch_add(&b->read, 1);
        memory_tree_drop(mine);
    } while (!atomic_load(&b->closed));
    return NULL;
}

/* Take one from an account and give it to another, as one version. */
static void transfer(bank *b, uint64_t *random)
{
    uint8_t room[8];
    uint32_t from = next_random(random) % ACCOUNTS;
    uint32_t to = next_random(random) % ACCOUNTS;
    memory_tree next = memory_tree_hold(b->now); // this thread alone changes it
    size_t has = memory_tree_find(next, key_of(from, room))->item.value.len;
    size_t gets = memory_tree_find(next, key_of(to, room))->item.value.len;

    if (from != to && has > 0 && gets < 63) {
        take(&next, from);
        put(&next, to, (uint16_t)(gets + 1));
        put(&next, from, (uint16_t)(has - 1));
    }
    (void)pthread_mutex_lock(&b->lock);
    memory_tree old = b->now;
    b->now = next;
    (void)pthread_mutex_unlock(&b->lock);
    memory_tree_drop(old);
}

static void readers_see_versions_and_nothing_between(void **state)
{
    static bank b = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[READERS];
    uint64_t random = 42;

    (void)state;
    for (uint32_t k = 0; k < ACCOUNTS; k++)
        put(&b.now, k, FUNDS);
    b.bytes = memory_tree_bytes(b.now);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &b), 0);
    for (int i = 0; i < TRANSFERS; i++)
        transfer(&b, &random);
    atomic_store(&b.closed, true);
    for (int i = 0; i < READERS; i++)
        (void)pthread_join(threads[i], NULL);
    assert_int_equal(b.wrong, 0);
    assert_true(b.read >= READERS);
    assert_int_equal(sum_of(b.now), ACCOUNTS * FUNDS);
    memory_tree_drop(b.now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_tree_has_nothing),
        cmocka_unit_test(versions_stay_what_they_were),
        cmocka_unit_test(versions_may_part),
        cmocka_unit_test(records_may_be_in_two_trees),
        cmocka_unit_test(rising_and_falling_keys_do_no_harm),
        cmocka_unit_test(failed_changes_leave_held_versions_alone),
        cmocka_unit_test(readers_see_versions_and_nothing_between),
    };

    return cmocka_run_group_tests_name("memory tree", tests, NULL, NULL);
}
