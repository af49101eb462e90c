/* A swap takes earlier versions along, also those that are written while it is on its way. */
#include "base/scope.h"
#include "testing/check.h"

#include <llmspell/storage.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEPT = 5, AGENTS = 400, ROUNDS = 3 };

#define TYPE LLS_STR("chat")

typedef struct fixture {
    char folder[40];
    lls_store *store;
    atomic_bool done;
    uint64_t saved[AGENTS]; /* the newest version of each */
} fixture;

static int open_store(void **state)
{
    static const char *const nothing[] = {"LLMSPELL_CONFIG=/dev/null", NULL};
    fixture *f = calloc(1, sizeof(*f));
    lls_config *config = NULL;
    char path[80];
    lls_error err = {0};

    assert_non_null(f);
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/lls-swap-history-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(path, sizeof(path), "storage.backends.b.path=%s/b", f->folder);
    const char *const flags[] = {"storage.backend=a",
                                 "storage.backends.a.type=memory",
                                 "storage.backends.b.type=lmdb",
                                 "storage.backends.b.durability=relaxed",
                                 "storage.backends.c.type=memory",
                                 "storage.agent_state.history=5",
                                 path};
    lls_config_sources sources = {
        .abi = LLS_ABI, .environment = nothing, .flags = flags, .flag_count = LLS_COUNT(flags)};
    assert_ok(lls_config_load(&sources, &config, &err), err);
    assert_ok(lls_store_open(config, NULL, &f->store, &err), err);
    lls_config_free(config);
    *state = f;
    return 0;
}

static int close_store(void **state)
{
    fixture *f = *state;
    char command[80];

    lls_store_close(f->store);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", f->folder);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static lls_err save_next(fixture *f, unsigned agent, lls_error *err)
{
    char id[16];
    char json[32];

    (void)snprintf(id, sizeof(id), "%u", agent);
    (void)snprintf(json, sizeof(json), "{\"n\": %d}", (int)f->saved[agent] + 1);
    lls_agent_state state = {.agent_type = TYPE,
                             .agent_id = lls_str_of(id),
                             .json = lls_str_of(json),
                             .version = f->saved[agent]};
    lls_err e = lls_agent_state_save(f->store, &state, err);
    if (e == LLS_OK)
        f->saved[agent] = state.version;
    return e;
}

static void *save_on(void *user)
{
    fixture *f = user;
    lls_error err = {0};

    for (unsigned i = 0; !atomic_load(&f->done); i = (i * 7 + 3) % AGENTS)
        if (save_next(f, i, &err) != LLS_OK)
            return f;
    return NULL;
}

static void assert_kept(fixture *f, unsigned agent)
{
    lls_agent_list *list = NULL;
    lls_agent_state state = {0};
    char id[16];
    lls_error err = {0};
    uint64_t newest = f->saved[agent];
    uint64_t version = newest > KEPT ? newest - KEPT : 1;
    lls_err e;

    (void)snprintf(id, sizeof(id), "%u", agent);
    assert_ok(lls_agent_history_open(f->store, TYPE, lls_str_of(id), &list, &err), err);
    while ((e = lls_agent_list_next(list, &state, &err)) == LLS_OK) {
        char json[32];
        (void)snprintf(json, sizeof(json), "{\"n\": %d}", (int)version);
        assert_int_equal(state.version, version++);
        assert_true(lls_str_eq(state.json, lls_str_of(json)));
    }
    assert_code(e, LLS_END, err);
    lls_agent_list_close(list);
    assert_int_equal(version, newest);
    assert_ok(lls_agent_state_load(f->store, TYPE, lls_str_of(id), &state, &err), err);
    assert_int_equal(state.version, newest);
    lls_agent_state_fini(&state);
}

static void a_history_moves_with_what_it_is_of(void **state)
{
    fixture *f = *state;
    pthread_t writer;
    void *failed;
    lls_error err = {0};

    for (int round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < AGENTS; i++)
            assert_ok(save_next(f, i, &err), err);
    assert_int_equal(pthread_create(&writer, NULL, save_on, f), 0);
    assert_ok(lls_store_swap(f->store, LLS_STR("agent_state"), "b", &err), err);
    assert_ok(lls_store_swap(f->store, LLS_STR("agent_state"), "c", &err), err);
    atomic_store(&f->done, true);
    assert_int_equal(pthread_join(writer, &failed), 0);
    assert_null(failed);
    assert_string_equal(lls_store_backend_of(f->store, LLS_STR("agent_state_history")), "memory");
    for (unsigned i = 0; i < AGENTS; i++)
        assert_kept(f, i);
}

static void a_history_does_not_move_alone(void **state)
{
    fixture *f = *state;
    lls_error err = {0};

    assert_code(lls_store_swap(f->store, LLS_STR("agent_state_history"), "b", &err), LLS_E_INVALID,
                err);
    assert_string_equal(err.msg, "'agent_state_history' moves together with 'agent_state'");
}

static void a_target_with_a_history_is_refused(void **state)
{
    fixture *f = *state;
    lls_error err = {0};

    for (int i = 0; i < 3; i++)
        assert_ok(save_next(f, 0, &err), err);
    assert_ok(lls_store_swap(f->store, LLS_STR("agent_state"), "b", &err), err);
    assert_ok(lls_store_swap(f->store, LLS_STR("agent_state"), "c", &err), err);
    assert_code(lls_store_swap(f->store, LLS_STR("agent_state"), "b", &err), LLS_E_EXISTS, err);
    assert_kept(f, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_history_moves_with_what_it_is_of, open_store,
                                        close_store),
        cmocka_unit_test_setup_teardown(a_history_does_not_move_alone, open_store, close_store),
        cmocka_unit_test_setup_teardown(a_target_with_a_history_is_refused, open_store,
                                        close_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
