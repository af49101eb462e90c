/**
 * kill_test.c - SIGKILL at random moments, and two processes at once. LLS_TORTURE_ROUNDS sets how
 * often (25), and LLS_TORTURE_SEED repeats a run.
 *
 * The engine has threads, so it is only ever in a child; this process looks through the reader.
 */
#include "testing/sled_fixture.h"

#include <poll.h>
#include <signal.h>
#include <time.h>

enum { ROUNDS = 25, SLOTS = 64, IN_BATCH = 8, KEYS = 800, VALUE = 1500 };

static unsigned rounds(void)
{
    const char *set = getenv("LLS_TORTURE_ROUNDS");

    return set ? (unsigned)strtoul(set, NULL, 10) : ROUNDS;
}

static unsigned seed(void)
{
    const char *set = getenv("LLS_TORTURE_SEED");
    unsigned n = set ? (unsigned)strtoul(set, NULL, 10) : (unsigned)time(NULL);

    print_message("LLS_TORTURE_SEED=%u\n", n);
    return n;
}

static void sleep_up_to(unsigned usec, unsigned *random)
{
    (void)usleep((useconds_t)rand_r(random) % usec);
}

static void kill_and_wait(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    int status = fixture_wait(pid);
    if (status != 1000 + SIGKILL && status != 0)
        fail_msg("the child failed by itself: %d", status);
}

/* ---- batches ---- */

/* Batch `n` replaces the records of slot n modulo SLOTS, in two collections. */
static lls_err write_batch(lls_backend *backend, uint32_t n, lls_error *err)
{
    static const char *const colls[] = {"things", "others"};
    char keys[IN_BATCH][16];
    uint8_t values[IN_BATCH][200];
    lls_kv_write writes[IN_BATCH];

    for (unsigned i = 0; i < IN_BATCH; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "s%02u-%u", n % SLOTS, i);
        memset(values[i], (int)(n & 255), sizeof(values[i]));
        memcpy(values[i], &n, sizeof(n));
        writes[i] = (lls_kv_write){.verb = LLS_KV_PUT,
                                   .coll = lls_str_of(colls[i % 2]),
                                   .key = lls_bytes_of(lls_str_of(keys[i])),
                                   .value = {values[i], sizeof(n) + n % 190}};
    }
    return lls_kv_apply(backend->kv, fixture_space.tenant, writes, IN_BATCH, err);
}

static int write_until_killed(const char *path, uint32_t from, int acknowledge)
{
    lls_backend *backend = NULL;
    lls_error err = {0};

    if (fixture_try(path, LLS_READ_WRITE, &backend, &err) != LLS_OK)
        return 2;
    for (uint32_t n = from;; n++) {
        if (write_batch(backend, n, &err) != LLS_OK)
            return 3;
        if (write(acknowledge, &n, sizeof(n)) != sizeof(n))
            return 4;
    }
}

/* The number of the batch that a slot has, the same in all its records; 0 when it has none. */
static uint32_t read_slot(lls_backend *backend, unsigned slot)
{
    static const char *const colls[] = {"things", "others"};
    LLS_AUTO(lls_buf) value = {0};
    lls_error err = {0};
    uint32_t first = 0;

    for (unsigned i = 0; i < IN_BATCH; i++) {
        char key[16];
        uint32_t n = 0;
        (void)snprintf(key, sizeof(key), "s%02u-%u", slot, i);
        lls_buf_clear(&value);
        lls_err e =
            lls_kv_get(backend->kv, (lls_kv_space){fixture_space.tenant, lls_str_of(colls[i % 2])},
                       lls_bytes_of(lls_str_of(key)), &value, NULL, &err);
        if (e != LLS_E_NOTFOUND)
            assert_ok(e, err);
        if (e == LLS_OK) {
            memcpy(&n, value.data, sizeof(n));
            assert_int_equal(value.len, sizeof(n) + n % 190);
        }
        if (i == 0)
            first = n;
        assert_int_equal(n, first); // whole, or not there
    }
    return first;
}

static uint32_t check_slots(const char *path, uint32_t acknowledged)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_look(path);
    uint32_t greatest = 0;

    for (unsigned slot = 0; slot < SLOTS; slot++) {
        uint32_t n = read_slot(backend, slot);
        if (n > greatest)
            greatest = n;
        // the newest acknowledged batch of this slot, or a later one
        if (acknowledged >= slot + 1) {
            uint32_t newest = acknowledged - (acknowledged - slot) % SLOTS;
            if (newest > 0)
                assert_in_range(n, newest, newest + SLOTS);
        }
    }
    assert_in_range(greatest, acknowledged, acknowledged + 1); // one may lack only its answer
    return greatest;
}

static void what_was_acknowledged_survives_sigkill(void **state)
{
    unsigned random = seed();
    uint32_t acknowledged = 0;
    uint32_t greatest = 0;

    for (unsigned round = 0; round < rounds(); round++) {
        int answers[2];
        uint32_t n;
        assert_int_equal(pipe(answers), 0);
        pid_t pid = fork();
        if (pid == 0)
            _exit(write_until_killed(*state, greatest + 1, answers[1]));
        (void)close(answers[1]);
        struct pollfd first = {.fd = answers[0], .events = POLLIN};
        (void)poll(&first, 1, 10000); // its first answer
        sleep_up_to(20000, &random);
        kill_and_wait(pid);
        while (read(answers[0], &n, sizeof(n)) == sizeof(n))
            acknowledged = n;
        (void)close(answers[0]);
        greatest = check_slots(*state, acknowledged);
        acknowledged = greatest;
    }
    print_message("%u batches in %u rounds\n", acknowledged, rounds());
    assert_true(acknowledged >= rounds());
}

/* ---- stages ---- */

typedef struct plan {
    lls_stage_mode mode;
    unsigned from;
    unsigned to;
    unsigned salt;
} plan;

static lls_err stage_all(lls_kv_stage *stage, const plan *p, lls_error *err)
{
    LLS_AUTO(lls_buf) last = {0};
    uint64_t count;

    LLS_TRY(lls_stage_last(stage, COLL, &last, &count, err));
    for (unsigned i = p->from + (unsigned)count; i < p->to; i++) {
        uint8_t value[VALUE];
        char key[16];
        fixture_value(i, p->salt, value, VALUE);
        lls_kv_item item = {.key = fixture_key(i, key), .value = {value, VALUE}};
        item.meta = (lls_kv_meta){.version = 1, .created_usec = 1, .updated_usec = 2};
        LLS_TRY(lls_stage_add(stage, COLL, &item, 1, err));
        if (i % 50 == 0)
            LLS_TRY(lls_stage_flush(stage, err));
    }
    LLS_TRY(lls_stage_flush(stage, err));
    LLS_TRY(lls_stage_prepare(stage, err));
    return lls_stage_publish(stage, err);
}

static lls_err run_stage(lls_backend *backend, const plan *p, lls_error *err)
{
    LLS_AUTO(lls_kv_stage_ref) stage = NULL;
    lls_str colls[] = {COLL};
    lls_stage_spec spec = {.tenant = fixture_space.tenant,
                           .run = LLS_STR("torture"),
                           .colls = colls,
                           .coll_count = 1,
                           .mode = p->mode};

    LLS_TRY(lls_stage_open(backend->kv, &spec, &stage, err));
    return stage_all(stage, p, err);
}

/* What a child says of its end: the parent sees a number only. */
static int tell(const lls_error *err)
{
    (void)fprintf(stderr, "child: %s\n", err->msg);
    return 2;
}

static int stage_in_child(const char *path, const plan *p)
{
    lls_backend *backend = NULL;
    lls_error err = {0};

    if (fixture_try(path, LLS_READ_WRITE, &backend, &err) != LLS_OK ||
        run_stage(backend, p, &err) != LLS_OK)
        return tell(&err);
    lls_backend_close(backend);
    return 0;
}

static int discard_in_child(const char *path, const plan *p)
{
    lls_backend *backend = NULL;
    lls_error err = {0};

    (void)p;
    if (fixture_try(path, LLS_READ_WRITE, &backend, &err) != LLS_OK ||
        lls_stage_discard(backend->kv, fixture_space.tenant, LLS_STR("torture"), &err) != LLS_OK)
        return tell(&err);
    lls_backend_close(backend);
    return 0;
}

/* Whether the store holds exactly what `salts` says: for each key a salt, or 0 for no record. */
static bool holds(lls_backend *backend, const unsigned *salts)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_kv_item item;
    lls_error err = {0};
    unsigned i = 0;

    assert_ok(lls_kv_scan(backend->kv, fixture_space, (lls_kv_range){0}, LLS_KV_ALL, &it, &err),
              err);
    for (; i < KEYS; i++) {
        uint8_t value[VALUE];
        char key[16];
        if (salts[i] == 0)
            continue;
        fixture_value(i, salts[i], value, VALUE);
        lls_err e = lls_kv_iter_next(it, &item, &err);
        if (e != LLS_END)
            assert_ok(e, err);
        if (e == LLS_END || !lls_bytes_eq(item.key, fixture_key(i, key)) ||
            !lls_bytes_eq(item.value, (lls_bytes){value, VALUE}))
            return false;
    }
    return lls_kv_iter_next(it, &item, &err) == LLS_END;
}

static bool shows(const char *path, const unsigned *salts)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_look(path);

    return holds(backend, salts);
}

static int in_child(int (*work)(const char *path, const plan *p), const char *path, const plan *p)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(work(path, p));
    return fixture_wait(pid);
}

static plan make_plan(unsigned salt, unsigned *random, const unsigned *before, unsigned *after)
{
    unsigned from = (unsigned)rand_r(random) % (KEYS / 2);
    plan p = {.mode = rand_r(random) % 2 ? LLS_STAGE_MERGE : LLS_STAGE_REPLACE,
              .from = from,
              .to = from + (unsigned)rand_r(random) % (KEYS / 2),
              .salt = salt};

    for (unsigned i = 0; i < KEYS; i++) {
        bool staged = i >= p.from && i < p.to;
        after[i] = staged ? salt : p.mode == LLS_STAGE_MERGE ? before[i] : 0;
    }
    return p;
}

static void a_stage_is_published_whole_or_not_at_all(void **state)
{
    unsigned random = seed();
    unsigned before[KEYS] = {0};
    unsigned after[KEYS];
    unsigned untouched = 0;
    unsigned most_usec = 200000; // until the kill: longer after one that came too early
    plan none = {0};

    assert_int_equal(in_child(discard_in_child, *state, &none), 0); // which makes the store
    for (unsigned round = 0; round < rounds() / 2; round++) {
        plan p = make_plan(round + 1, &random, before, after);
        pid_t pid = fork();
        if (pid == 0)
            _exit(stage_in_child(*state, &p));
        sleep_up_to(most_usec, &random);
        kill_and_wait(pid);

        bool published = shows(*state, after);
        most_usec = published ? most_usec / 2 + 1 : most_usec * 2;
        if (!published) {
            assert_true(shows(*state, before));
            untouched++;
            assert_int_equal(in_child(stage_in_child, *state, &p), 0); // it goes on where it was
            assert_true(shows(*state, after));
        }
        assert_int_equal(in_child(discard_in_child, *state, &p), 0);
        assert_int_equal(fixture_faults_of(*state), 0); // nobody was killed since
        memcpy(before, after, sizeof(before));
    }
    print_message("%u of %u killed before they were published\n", untouched, rounds() / 2);
    assert_true(untouched > 0);
}

/* ---- two at once ---- */

static int hold(const char *path, int opened, int closing)
{
    lls_backend *backend = NULL;
    lls_error err = {0};
    char byte;

    if (fixture_try(path, LLS_READ_WRITE, &backend, &err) != LLS_OK || write(opened, "", 1) != 1 ||
        read(closing, &byte, 1) < 0)
        return 2;
    lls_backend_close(backend);
    return 0;
}

static void whoever_has_it_open_is_named(void **state)
{
    lls_access ways[] = {LLS_READ_WRITE, LLS_READ_ONLY};
    lls_backend *backend = NULL;
    lls_error err = {0};
    char pid_text[32];
    int opened[2];
    int closing[2];
    char byte;

    assert_int_equal(pipe(opened), 0);
    assert_int_equal(pipe(closing), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(closing[1]);
        _exit(hold(*state, opened[1], closing[0]));
    }
    assert_int_equal(read(opened[0], &byte, 1), 1);
    (void)snprintf(pid_text, sizeof(pid_text), "process %d (", (int)pid);
    for (size_t i = 0; i < LLS_COUNT(ways); i++) {
        assert_code(fixture_try(*state, ways[i], &backend, &err), LLS_E_BUSY, err);
        assert_non_null(strstr(err.msg, pid_text));
    }
    for (size_t i = 0; i < 2; i++) {
        (void)close(opened[i]);
        (void)close(closing[i]);
    }
    assert_int_equal(fixture_wait(pid), 0);
    lls_backend_close(fixture_look(*state)); // it is free now
}

static int try_to_write(const char *path, const plan *p)
{
    lls_backend *backend = NULL;
    lls_error err = {0};
    char pid_text[32];

    (void)p;
    (void)snprintf(pid_text, sizeof(pid_text), "process %d (", (int)getppid());
    lls_err e = fixture_try(path, LLS_READ_WRITE, &backend, &err);
    return e == LLS_E_BUSY && strstr(err.msg, pid_text) ? 0 : 1;
}

static void a_reader_keeps_the_engine_out_and_is_named(void **state)
{
    assert_int_equal(in_child(discard_in_child, *state, NULL), 0); // makes the store
    LLS_AUTO(lls_backend_ref) backend = fixture_look(*state);
    assert_int_equal(in_child(try_to_write, *state, NULL), 0);
    assert_int_equal(fixture_count(backend), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        T(what_was_acknowledged_survives_sigkill),
        T(a_stage_is_published_whole_or_not_at_all),
        T(whoever_has_it_open_is_named),
        T(a_reader_keeps_the_engine_out_and_is_named),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
