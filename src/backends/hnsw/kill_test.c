/**
 * kill_test.c - SIGKILL at random moments, while threads write, fold and build and other processes
 * read. LLS_TORTURE_ROUNDS sets how often (90), and LLS_TORTURE_SEED repeats a run.
 *
 * Each writing thread has keys of its own and numbers its batches. Batch n replaces, removes or
 * patches the records of one slot, the same in all of them, so that any reader can see whether it
 * is whole; it is acknowledged by a message to the parent.
 */
#include "testing/hnsw_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

enum { ROUNDS = 90, THREADS = 3, SLOTS = 12, IN_BATCH = 4, READERS = 2 };

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

/* ---- batches ---- */

/* What batch `n` leaves in the records of its slot. */
static bool removes(unsigned n)
{
    return n % 11 == 10;
}

static unsigned number_of(unsigned thread, unsigned slot, unsigned i)
{
    return (thread * SLOTS + slot) * IN_BATCH + i;
}

static lls_kv_space coll_of(unsigned thread)
{
    return thread % 2 ? fixture_others : fixture_space;
}

/* By patching, where the batch before left something: the text stays, and the salt is the new one.
 */
static lls_err write_batch(lls_backend *backend, unsigned thread, unsigned n, lls_error *err)
{
    fixture_record records[IN_BATCH];
    lls_vec_write writes[IN_BATCH];

    for (unsigned i = 0; i < IN_BATCH; i++) {
        writes[i] = (lls_vec_write){.verb = removes(n) ? LLS_VEC_DELETE : LLS_VEC_PUT};
        writes[i].item = *fixture_make(number_of(thread, n % SLOTS, i), n, &records[i]);
        if (!removes(n) && n % 5 == 2 && n > SLOTS && !removes(n - SLOTS))
            writes[i].verb = LLS_VEC_PATCH;
    }
    return lls_vec_apply(backend->vec, coll_of(thread), writes, IN_BATCH, err);
}

typedef struct writer {
    lls_backend *backend;
    unsigned thread;
    unsigned from;
    int acknowledge;
} writer;

typedef struct message {
    unsigned thread;
    unsigned n;
} message;

static void *write_on(void *user)
{
    const writer *w = user;
    lls_error err = {0};

    for (unsigned n = w->from;; n++) {
        if (write_batch(w->backend, w->thread, n, &err) != LLS_OK) {
            (void)fprintf(stderr, "thread %u, batch %u: %s\n", w->thread, n, err.msg);
            _exit(3);
        }
        message done = {w->thread, n};
        if (write(w->acknowledge, &done, sizeof(done)) != sizeof(done))
            _exit(4);
        if (n % 7 == w->thread &&
            lls_vec_tend(w->backend->vec, coll_of(w->thread), &err) != LLS_OK) {
            (void)fprintf(stderr, "tend: %s\n", err.msg);
            _exit(5);
        }
    }
}

static int write_until_killed(const char *path, const unsigned *greatest, int acknowledge)
{
    writer writers[THREADS];
    pthread_t threads[THREADS];
    lls_backend *backend = NULL;
    lls_error err = {0};

    if (fixture_try(path, LLS_READ_WRITE, &backend, &err) != LLS_OK)
        return 2;
    for (unsigned i = 0; i < THREADS; i++) {
        writers[i] = (writer){backend, i, greatest[i] + 1, acknowledge};
        if (pthread_create(&threads[i], NULL, write_on, &writers[i]) != 0)
            return 6;
    }
    (void)pthread_join(threads[0], NULL);
    return 7;
}

/* ---- reading ---- */

/* The batch that a slot has, the same in all its records, which are whole; 0: none. */
static lls_err read_slot(lls_backend *backend, unsigned thread, unsigned slot, unsigned *out,
                         lls_error *err)
{
    LLS_AUTO(lls_vec_hits) hits = {0};
    fixture_record records[IN_BATCH];
    lls_bytes ids[IN_BATCH];

    for (unsigned i = 0; i < IN_BATCH; i++)
        ids[i] = fixture_make(number_of(thread, slot, i), 0, &records[i])->id;
    LLS_TRY(
        lls_vec_get_many(backend->vec, coll_of(thread), ids, IN_BATCH, LLS_VEC_WHOLE, &hits, err));
    *out = 0;
    if (hits.count == 0)
        return LLS_OK;
    if (hits.count != IN_BATCH)
        return lls_fail(err, LLS_E_INTERNAL, "slot %u of %u has %zu records", slot, thread,
                        hits.count);
    unsigned salt = fixture_salt(&hits.hits[0].item);
    for (unsigned i = 0; i < IN_BATCH; i++) {
        const lls_vec_item *item = &hits.hits[i].item;
        unsigned written = 0;
        char text[64]; // the view ends without a NUL
        (void)snprintf(text, sizeof(text), LLS_FMT, LLS_ARG(item->text));
        if (sscanf(text, "word%*u written by %u", &written) != 1)
            return lls_fail(err, LLS_E_INTERNAL, "a text of nobody");
        fixture_record record;
        lls_vec_item want = *fixture_make(number_of(thread, slot, i), written, &record);
        want.metadata = item->metadata;
        if (fixture_salt(item) != salt || !lls_str_eq(item->text, want.text) ||
            item->space.dim != want.space.dim ||
            (want.space.dim && memcmp(item->vector, want.vector, sizeof(record.vector)) != 0))
            return lls_fail(err, LLS_E_INTERNAL, "slot %u of %u is torn", slot, thread);
    }
    *out = salt;
    return LLS_OK;
}

/* A reader sees whole batches, and none goes back. Searches find the nearest there are. */
static lls_err watch(lls_backend *backend, unsigned *seen, lls_error *err)
{
    for (unsigned thread = 0; thread < THREADS; thread++) {
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            unsigned n;
            unsigned *before = &seen[thread * SLOTS + slot];
            LLS_TRY(read_slot(backend, thread, slot, &n, err));
            if (n && n < *before)
                return lls_fail(err, LLS_E_INTERNAL, "batch %u after %u", n, *before);
            *before = n ? n : *before;
        }
    }
    float origin[HNSW_FIXTURE_DIM] = {0};
    lls_vec_query query = {
        .model = LLS_STR("model"), .vector = origin, .dim = HNSW_FIXTURE_DIM, .k = 5};
    LLS_AUTO(lls_vec_hits) hits = {0};
    return lls_vec_search(backend->vec, fixture_space, &query, &hits, err);
}

static int read_until_killed(const char *path)
{
    unsigned seen[THREADS * SLOTS] = {0};
    lls_backend *backend = NULL;
    lls_error err = {0};

    while (fixture_try(path, LLS_READ_ONLY, &backend, &err) == LLS_E_NOTFOUND)
        (void)usleep(200);
    while (backend && watch(backend, seen, &err) == LLS_OK)
        continue;
    (void)fprintf(stderr, "reader: %s\n", err.msg);
    return 2;
}

static void kill_and_wait(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    int status = fixture_wait(pid);
    if (status != 1000 + SIGKILL)
        fail_msg("the child failed by itself: %d", status);
}

/* ---- checks ---- */

/* The greatest batch up to `n` of this slot that is there or, having removed, is not. */
static void expect_slot(unsigned found, unsigned slot, unsigned acknowledged, unsigned *greatest)
{
    if (found)
        assert_int_equal(found % SLOTS, slot);
    if (found > *greatest)
        *greatest = found;
    if (acknowledged < SLOTS)
        return;
    unsigned newest = acknowledged - (acknowledged + SLOTS - slot) % SLOTS;
    bool later = found == newest + SLOTS && found == acknowledged + 1;
    bool gone = !found && (removes(newest) || removes(acknowledged + 1));
    if (found != newest && !later && !gone)
        fail_msg("slot %u: batch %u, not %u; %u was acknowledged", slot, found, newest,
                 acknowledged);
    if (found == newest)
        assert_false(removes(newest));
}

static void check_store(const char *path, unsigned *acknowledged)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(path);
    lls_error err = {0};

    for (unsigned thread = 0; thread < THREADS; thread++) {
        unsigned greatest = acknowledged[thread];
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            unsigned n;
            assert_ok(read_slot(backend, thread, slot, &n, &err), err);
            expect_slot(n, slot, acknowledged[thread], &greatest);
        }
        assert_in_range(greatest, acknowledged[thread], acknowledged[thread] + 1);
        acknowledged[thread] = greatest;
    }
}

static void one_round(const char *path, unsigned *acknowledged, unsigned *random)
{
    int answers[2];
    message done;
    pid_t readers[READERS];

    assert_int_equal(pipe(answers), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(answers[0]);
        _exit(write_until_killed(path, acknowledged, answers[1]));
    }
    (void)close(answers[1]);
    for (unsigned i = 0; i < READERS; i++)
        if ((readers[i] = fork()) == 0)
            _exit(read_until_killed(path));
    (void)usleep((useconds_t)rand_r(random) % 60000);
    kill_and_wait(pid);
    for (unsigned i = 0; i < READERS; i++)
        kill_and_wait(readers[i]);
    while (read(answers[0], &done, sizeof(done)) == sizeof(done))
        acknowledged[done.thread] = done.n;
    (void)close(answers[0]);
}

static void what_was_acknowledged_survives_sigkill(void **state)
{
    unsigned random = seed();
    unsigned acknowledged[THREADS] = {0};
    unsigned all = 0;

    for (unsigned round = 0; round < rounds(); round++) {
        one_round(*state, acknowledged, &random);
        check_store(*state, acknowledged);
    }
    for (unsigned i = 0; i < THREADS; i++)
        all += acknowledged[i];
    print_message("%u batches in %u rounds\n", all, rounds());
    assert_true(all > rounds() / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_acknowledged_survives_sigkill, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
