#include "base/alloc.h"
#include "base/scope.h"
#include "testing/check.h"

#include <llmspell/storage.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SESSIONS LLS_STR("sessions")

enum { WRITERS = 2, COUNTERS = 8, FILLING = 3000, TIME_LIMIT_SEC = 240 };

typedef struct fixture {
    char folder[32];
    lls_config *config;
    lls_store *store;
} fixture;

/* Two embedded stores, `a` and `b`, and a second name for the first. */
static int open_store(void **state)
{
    static const char *const nothing[] = {"LLMSPELL_CONFIG=/dev/null", NULL};
    fixture *f = calloc(1, sizeof(*f));
    char paths[3][96];
    lls_error err = {0};

    assert_non_null(f);
    memcpy(f->folder, "/tmp/lls-swap-XXXXXX", sizeof("/tmp/lls-swap-XXXXXX"));
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(paths[0], sizeof(paths[0]), "storage.backends.a.path=%s/a", f->folder);
    (void)snprintf(paths[1], sizeof(paths[1]), "storage.backends.b.path=%s/b", f->folder);
    (void)snprintf(paths[2], sizeof(paths[2]), "storage.backends.alias.path=%s/a", f->folder);
    const char *const flags[] = {"storage.backend=a",
                                 "storage.backends.a.type=lmdb",
                                 "storage.backends.b.type=lmdb",
                                 "storage.backends.alias.type=lmdb",
                                 "storage.backends.m.type=memory",
                                 "storage.backends.a.durability=relaxed",
                                 "storage.backends.b.durability=relaxed",
                                 paths[0],
                                 paths[1],
                                 paths[2]};
    lls_config_sources sources = {
        .abi = LLS_ABI, .environment = nothing, .flags = flags, .flag_count = LLS_COUNT(flags)};
    assert_ok(lls_config_load(&sources, &f->config, &err), err);
    assert_ok(lls_store_open(f->config, NULL, &f->store, &err), err);
    *state = f;
    return 0;
}

static int close_store(void **state)
{
    fixture *f = *state;
    char command[64];

    lls_store_close(f->store);
    lls_config_free(f->config);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", f->folder);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static lls_err put(lls_store *store, const char *key, const char *json, lls_error *err)
{
    lls_record record = {.component = SESSIONS,
                         .key = lls_bytes_of(lls_str_of(key)),
                         .value = lls_bytes_of(lls_str_of(json))};

    return lls_store_put(store, &record, LLS_PUT_ANY, err);
}

static void fill(lls_store *store, int count)
{
    lls_error err = {0};
    char key[32];

    for (int i = 0; i < count; i++) {
        (void)snprintf(key, sizeof(key), "session:%05d", i);
        assert_ok(put(store, key, "{\"n\":1}", &err), err);
    }
}

static int count(lls_store *store)
{
    lls_store_list *list = NULL;
    lls_record record;
    lls_error err = {0};
    lls_err e;
    int n = 0;

    assert_ok(lls_store_list_open(store, SESSIONS, (lls_bytes){0}, (lls_bytes){0}, &list, &err),
              err);
    while ((e = lls_store_list_next(list, &record, &err)) == LLS_OK)
        n++;
    assert_code(e, LLS_END, err);
    lls_store_list_close(list);
    return n;
}

/* What the backend `name` holds, seen by a store of its own. */
static int count_in(const fixture *f, const char *name)
{
    static const char *const nothing[] = {"LLMSPELL_CONFIG=/dev/null", NULL};
    char path[96];
    char backend[32];
    lls_config *config = NULL;
    lls_store *store = NULL;
    lls_error err = {0};

    (void)snprintf(backend, sizeof(backend), "storage.backend=%s", "lmdb");
    (void)snprintf(path, sizeof(path), "storage.path=%s/%s", f->folder, name);
    const char *const flags[] = {backend, path};
    lls_config_sources sources = {
        .abi = LLS_ABI, .environment = nothing, .flags = flags, .flag_count = LLS_COUNT(flags)};
    assert_ok(lls_config_load(&sources, &config, &err), err);
    assert_ok(lls_store_open(config, NULL, &store, &err), err);
    int n = count(store);
    lls_store_close(store);
    lls_config_free(config);
    return n;
}

static void swap_carries_records_with_their_versions_and_times(void **state)
{
    fixture *f = *state;
    LLS_AUTO(lls_buf) value = {0};
    lls_record before;
    lls_record after;
    lls_error err = {0};

    fill(f->store, 10000); // more than one scan reads
    assert_ok(put(f->store, "session:00007", "{\"n\":2}", &err), err);
    assert_ok(lls_store_get(f->store, SESSIONS, B("session:00007"), &value, &before, &err), err);
    assert_ok(lls_store_swap(f->store, SESSIONS, "b", &err), err);

    lls_buf_clear(&value);
    assert_ok(lls_store_get(f->store, SESSIONS, B("session:00007"), &value, &after, &err), err);
    assert_bytes(lls_buf_view(&value), "{\"n\":2}");
    assert_int_equal(after.version, 2);
    assert_int_equal(after.created_usec, before.created_usec);
    assert_int_equal(after.updated_usec, before.updated_usec);
    assert_int_equal(count(f->store), 10000);

    assert_ok(put(f->store, "session:new", "{}", &err), err);
    assert_int_equal(count(f->store), 10001);
    assert_int_equal(count_in(f, "a"), 10000); // what the old one holds stays there
    assert_int_equal(count_in(f, "b"), 10001);
}

static void swap_to_a_backend_with_records_is_refused(void **state)
{
    fixture *f = *state;
    lls_error err = {0};

    fill(f->store, 3);
    assert_ok(lls_store_swap(f->store, SESSIONS, "b", &err), err);
    assert_code(lls_store_swap(f->store, SESSIONS, "a", &err), LLS_E_EXISTS, err);
    assert_string_equal(err.msg, "move 'sessions' to 'a': 'a' holds records of 'sessions' already");
    assert_ok(put(f->store, "session:new", "{}", &err), err);
    assert_int_equal(count_in(f, "a"), 3);
    assert_int_equal(count_in(f, "b"), 4);
}

static void swap_to_another_name_of_the_same_store_is_refused(void **state)
{
    fixture *f = *state;
    lls_error err = {0};

    lls_err e = lls_store_swap(f->store, SESSIONS, "alias", &err);
    assert_true(e == LLS_E_INVALID || e == LLS_E_BUSY);
    assert_ok(put(f->store, "session:new", "{}", &err), err);
    assert_int_equal(count(f->store), 1);
}

static void swap_to_a_backend_that_is_not_there_is_refused(void **state)
{
    fixture *f = *state;
    lls_error err = {0};

    fill(f->store, 3);
    assert_code(lls_store_swap(f->store, SESSIONS, "nowhere", &err), LLS_E_INVALID, err);
    assert_non_null(strstr(err.msg, "no backend 'nowhere' in this build (it has: "));
    assert_code(lls_store_swap(f->store, LLS_STR("dreams"), "b", &err), LLS_E_INVALID, err);
    assert_ok(lls_store_swap(f->store, SESSIONS, "a", &err), err); // serves it already
    assert_int_equal(count(f->store), 3);
}

static void an_open_list_ends_on_the_backend_that_it_began_on(void **state)
{
    fixture *f = *state;
    lls_store_list *list = NULL;
    lls_record record;
    lls_error err = {0};
    int n = 1;

    fill(f->store, 100);
    assert_ok(lls_store_list_open(f->store, SESSIONS, (lls_bytes){0}, (lls_bytes){0}, &list, &err),
              err);
    assert_ok(lls_store_list_next(list, &record, &err), err);
    assert_ok(lls_store_swap(f->store, SESSIONS, "b", &err), err);
    assert_ok(put(f->store, "session:new", "{}", &err), err);
    while (lls_store_list_next(list, &record, &err) == LLS_OK)
        n++;
    assert_int_equal(n, 100);
    lls_store_list_close(list);
}

static void swap_survives_every_failed_allocation(void **state)
{
    fixture *f = *state;
    lls_error err = {0};
    lls_err e;
    long n = 0;

    fill(f->store, 300);
    do {
        lls_alloc_fail_after(n++);
        e = lls_store_swap(f->store, SESSIONS, "b", &err);
        lls_alloc_fail_after(-1);
        assert_true(e == LLS_OK || e == LLS_E_NOMEM);
        assert_int_equal(count(f->store), 300);
    } while (e != LLS_OK);
    assert_true(n > 10);
    assert_int_equal(count_in(f, "b"), 300);
}

/* ---- many threads: asserts stay in the main one ---- */

typedef struct traffic {
    lls_store *store;
    atomic_int stop;
    atomic_int wrong;
    atomic_ulong turns[WRITERS + 1];
    atomic_int threads;
    atomic_ullong done[COUNTERS];
} traffic;

static lls_err load(lls_store *store, int counter, lls_session *out)
{
    char id[32];

    (void)snprintf(id, sizeof(id), "counter-%d", counter);
    return lls_session_load(store, lls_str_of(id), out, NULL);
}

static uint64_t number_of(const lls_session *session)
{
    return strtoull(session->json.data + sizeof("{\"n\":") - 1, NULL, 10);
}

static bool count_up(traffic *t, int counter)
{
    lls_err e;

    do {
        lls_session session = {0};
        char json[48];
        e = load(t->store, counter, &session);
        if (e != LLS_OK)
            return false;
        (void)snprintf(json, sizeof(json), "{\"n\":%llu}",
                       (unsigned long long)number_of(&session) + 1);
        session.json = lls_str_of(json);
        e = lls_session_save(t->store, &session, NULL);
        lls_session_fini(&session);
    } while (e == LLS_E_CONFLICT);
    if (e == LLS_OK)
        atomic_fetch_add(&t->done[counter], 1);
    return e == LLS_OK;
}

/* Counters go up, and a record that comes and goes with them. */
static void *write_on(void *user)
{
    traffic *t = user;
    int thread = atomic_fetch_add(&t->threads, 1);

    for (int i = 0; !t->stop && !t->wrong; i++) {
        if (!count_up(t, i % COUNTERS))
            t->wrong = 1;
        if (put(t->store, "session:fleeting", "{}", NULL) != LLS_OK)
            t->wrong = 2;
        lls_err e = lls_store_delete(t->store, SESSIONS, B("session:fleeting"), NULL);
        if (e != LLS_OK && e != LLS_E_NOTFOUND)
            t->wrong = 3;
        (void)atomic_fetch_add(&t->turns[thread], 1);
    }
    return NULL;
}

/* A counter never goes back, and is always there. */
static void *read_on(void *user)
{
    traffic *t = user;
    int thread = atomic_fetch_add(&t->threads, 1);
    uint64_t seen[COUNTERS] = {0};

    for (int i = 0; !t->stop && !t->wrong; i = (i + 1) % COUNTERS) {
        lls_session session = {0};
        if (load(t->store, i, &session) != LLS_OK) {
            t->wrong = 4;
            break;
        }
        if (number_of(&session) < seen[i])
            t->wrong = 5;
        seen[i] = number_of(&session);
        lls_session_fini(&session);
        (void)atomic_fetch_add(&t->turns[thread], 1);
    }
    return NULL;
}

/* Until every thread has begun and ended a turn: what it used before, it has let go of. */
static void let_all_turn(traffic *t)
{
    for (int i = 0; i < WRITERS + 1; i++) {
        unsigned long before = t->turns[i];
        while (t->turns[i] < before + 2 && !t->wrong)
            (void)usleep(1000);
    }
}

static void remove_folder(const fixture *f, const char *name)
{
    char command[96];

    (void)snprintf(command, sizeof(command), "rm -rf '%s/%s'", f->folder, name);
    assert_int_equal(system(command), 0);
}

static void counters_lose_nothing_while_their_store_moves_about(void **state)
{
    fixture *f = *state;
    static const char *const stations[] = {"a", "b", "m", "a", "m"};
    traffic t = {.store = f->store};
    pthread_t threads[WRITERS + 1];
    lls_error err = {0};
    char id[32];

    (void)alarm(TIME_LIMIT_SEC);
    fill(f->store, FILLING);
    for (int i = 0; i < COUNTERS; i++) {
        (void)snprintf(id, sizeof(id), "session:counter-%d", i);
        assert_ok(put(f->store, id, "{\"n\":0}", &err), err);
    }
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_on, &t), 0);
    assert_int_equal(pthread_create(&threads[WRITERS], NULL, read_on, &t), 0);
    let_all_turn(&t);
    for (size_t i = 1; i < LLS_COUNT(stations); i++) {
        assert_ok(lls_store_swap(f->store, SESSIONS, stations[i], &err), err);
        let_all_turn(&t); // so that nobody has the old one open: the way back is free
        remove_folder(f, stations[i - 1]);
    }
    t.stop = 1;
    for (int i = 0; i < WRITERS + 1; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(t.wrong, 0);

    for (int i = 0; i < COUNTERS; i++) {
        lls_session session = {0};
        assert_int_equal(load(f->store, i, &session), LLS_OK);
        assert_int_equal(number_of(&session), t.done[i]);
        assert_int_equal(session.version, t.done[i] + 1);
        lls_session_fini(&session);
    }
    lls_err e = lls_store_delete(f->store, SESSIONS, B("session:fleeting"), NULL);
    assert_true(e == LLS_OK || e == LLS_E_NOTFOUND);
    assert_int_equal(count(f->store), FILLING + COUNTERS);
    (void)alarm(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(swap_carries_records_with_their_versions_and_times,
                                        open_store, close_store),
        cmocka_unit_test_setup_teardown(swap_to_a_backend_with_records_is_refused, open_store,
                                        close_store),
        cmocka_unit_test_setup_teardown(swap_to_another_name_of_the_same_store_is_refused,
                                        open_store, close_store),
        cmocka_unit_test_setup_teardown(swap_to_a_backend_that_is_not_there_is_refused, open_store,
                                        close_store),
        cmocka_unit_test_setup_teardown(an_open_list_ends_on_the_backend_that_it_began_on,
                                        open_store, close_store),
        cmocka_unit_test_setup_teardown(swap_survives_every_failed_allocation, open_store,
                                        close_store),
        cmocka_unit_test_setup_teardown(counters_lose_nothing_while_their_store_moves_about,
                                        open_store, close_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
