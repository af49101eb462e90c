#include "ports/backend.h"
#include "testing/check.h"

#include "base/alloc.h"
#include "base/scope.h"

#include <llmspell/storage.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SESSIONS LLS_STR("sessions")
#define AGENTS LLS_STR("agent_state")

static const int64_t beginning_usec = INT64_C(1735689600000000); // 2025-01-01

typedef struct fixture {
    char folder[32];
    lls_config *config;
    lls_store *store;
    int64_t now_usec;
} fixture;

static int64_t now_usec(void *user)
{
    const fixture *f = user;

    return f->now_usec;
}

static lls_config *configure(const char *const *flags, size_t count)
{
    static const char *const nothing[] = {NULL};
    lls_config_sources sources = {
        .abi = LLS_ABI, .environment = nothing, .flags = flags, .flag_count = count};
    lls_config *config = NULL;
    lls_error err = {0};

    assert_ok(lls_config_load(&sources, &config, &err), err);
    return config;
}

static lls_err open_mode(fixture *f, lls_open_mode mode, lls_store **out, lls_error *err)
{
    lls_store_options options = {.abi = LLS_ABI, .mode = mode, .now_usec = now_usec, .user = f};

    return lls_store_open(f->config, &options, out, err);
}

/* Sessions in memory, the rest in a folder that is not there yet. */
static int open_store(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    char path[64];
    lls_error err = {0};

    assert_non_null(f);
    memcpy(f->folder, "/tmp/lls-store-XXXXXX", sizeof("/tmp/lls-store-XXXXXX"));
    assert_non_null(mkdtemp(f->folder));
    f->now_usec = beginning_usec;
    (void)snprintf(path, sizeof(path), "storage.path=%s/store", f->folder);
    const char *const flags[] = {path, "storage.components.sessions=memory",
                                 "storage.components.workflow_state=memory"};
    f->config = configure(flags, LLS_COUNT(flags));
    assert_ok(open_mode(f, LLS_OPEN_WRITE, &f->store, &err), err);
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

static lls_record record_of(lls_str component, const char *key)
{
    return (lls_record){
        .component = component, .key = lls_bytes_of(lls_str_of(key)), .value = B("{\"n\":1}")};
}

static lls_err put(lls_store *store, lls_str component, const char *key, lls_put_mode mode,
                   lls_error *err)
{
    lls_record record = record_of(component, key);

    return lls_store_put(store, &record, mode, err);
}

/* The keys that a list gives, each with a space behind it. */
static void keys_of(lls_store *store, lls_str component, const char *prefix, const char *after,
                    lls_buf *keys)
{
    lls_store_list *list = NULL;
    lls_record record;
    lls_error err = {0};
    lls_err e;

    lls_buf_clear(keys);
    assert_ok(lls_store_list_open(store, component, lls_bytes_of(lls_str_of(prefix)),
                                  lls_bytes_of(lls_str_of(after)), &list, &err),
              err);
    while ((e = lls_store_list_next(list, &record, &err)) == LLS_OK) {
        lls_buf_add(keys, record.key);
        lls_buf_add_text(keys, " ");
    }
    assert_code(e, LLS_END, err);
    lls_store_list_close(list);
}

static void a_record_comes_back_as_it_was_put(void **state)
{
    fixture *f = *state;
    LLS_AUTO(lls_buf) value = {0};
    lls_record meta;
    lls_error err = {0};

    assert_ok(put(f->store, SESSIONS, "session:a", LLS_PUT_ANY, &err), err);
    assert_ok(lls_store_get(f->store, SESSIONS, B("session:a"), &value, &meta, &err), err);
    assert_bytes(lls_buf_view(&value), "{\"n\":1}");
    assert_int_equal(meta.version, 1);
    assert_int_equal(meta.created_usec, beginning_usec);
    assert_int_equal(meta.updated_usec, beginning_usec);
    assert_int_equal(meta.expires_usec, 0);
    assert_ok(lls_store_delete(f->store, SESSIONS, B("session:a"), &err), err);
    assert_code(lls_store_get(f->store, SESSIONS, B("session:a"), &value, NULL, &err),
                LLS_E_NOTFOUND, err);
    assert_code(lls_store_delete(f->store, SESSIONS, B("session:a"), &err), LLS_E_NOTFOUND, err);
}

static void modes_of_put_decide_about_what_is_there(void **state)
{
    fixture *f = *state;
    lls_record record = record_of(SESSIONS, "session:a");
    lls_error err = {0};

    assert_code(put(f->store, SESSIONS, "session:a", LLS_PUT_REPLACE, &err), LLS_E_CONFLICT, err);
    assert_ok(put(f->store, SESSIONS, "session:a", LLS_PUT_CREATE, &err), err);
    assert_code(put(f->store, SESSIONS, "session:a", LLS_PUT_CREATE, &err), LLS_E_EXISTS, err);
    record.version = 2;
    assert_code(lls_store_put(f->store, &record, LLS_PUT_REPLACE, &err), LLS_E_CONFLICT, err);
    record.version = 1;
    assert_ok(lls_store_put(f->store, &record, LLS_PUT_REPLACE, &err), err);
    assert_code(put(f->store, SESSIONS, "session:a", (lls_put_mode)7, &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "7 is no lls_put_mode");
}

static void keys_and_values_of_no_form_are_refused(void **state)
{
    fixture *f = *state;
    lls_record record = record_of(SESSIONS, "session:a");
    lls_error err = {0};

    assert_code(put(f->store, SESSIONS, "agent:a:b", LLS_PUT_ANY, &err), LLS_E_INVALID, err);
    record.value = B("{");
    assert_code(lls_store_put(f->store, &record, LLS_PUT_ANY, &err), LLS_E_PARSE, err);
}

static void lists_go_in_order_by_prefix_and_from_a_place(void **state)
{
    fixture *f = *state;
    LLS_AUTO(lls_buf) keys = {0};
    lls_error err = {0};

    assert_ok(put(f->store, SESSIONS, "session:b", LLS_PUT_ANY, &err), err);
    assert_ok(put(f->store, SESSIONS, "session:a2", LLS_PUT_ANY, &err), err);
    assert_ok(put(f->store, SESSIONS, "session:a1", LLS_PUT_ANY, &err), err);
    keys_of(f->store, SESSIONS, "", "", &keys);
    assert_string_equal(lls_buf_cstr(&keys), "session:a1 session:a2 session:b ");
    keys_of(f->store, SESSIONS, "session:a", "", &keys);
    assert_string_equal(lls_buf_cstr(&keys), "session:a1 session:a2 ");
    keys_of(f->store, SESSIONS, "", "session:a1", &keys);
    assert_string_equal(lls_buf_cstr(&keys), "session:a2 session:b ");
}

static void a_sweep_removes_what_has_expired_and_nothing_else(void **state)
{
    fixture *f = *state;
    LLS_AUTO(lls_buf) keys = {0};
    lls_record record = record_of(SESSIONS, "session:short");
    uint64_t removed = 0;
    lls_error err = {0};

    record.expires_usec = beginning_usec + 10;
    assert_ok(lls_store_put(f->store, &record, LLS_PUT_ANY, &err), err);
    assert_ok(put(f->store, SESSIONS, "session:long", LLS_PUT_ANY, &err), err);
    assert_ok(lls_store_sweep(f->store, SESSIONS, &removed, &err), err);
    assert_int_equal(removed, 0);
    f->now_usec += 11;
    keys_of(f->store, SESSIONS, "", "", &keys);
    assert_string_equal(lls_buf_cstr(&keys), "session:long ");
    assert_ok(lls_store_sweep(f->store, SESSIONS, &removed, &err), err);
    assert_int_equal(removed, 1);
    assert_ok(lls_store_sweep(f->store, SESSIONS, NULL, &err), err);
}

static void two_components_live_on_two_backends(void **state)
{
    fixture *f = *state;
    LLS_AUTO(lls_buf) keys = {0};
    lls_store *again = NULL;
    lls_error err = {0};

    assert_string_equal(lls_store_backend_of(f->store, AGENTS), "lmdb");
    assert_string_equal(lls_store_backend_of(f->store, SESSIONS), "memory");
    assert_null(lls_store_backend_of(f->store, LLS_STR("dreams")));
    assert_ok(put(f->store, AGENTS, "agent:t:a", LLS_PUT_ANY, &err), err);
    assert_ok(put(f->store, SESSIONS, "session:a", LLS_PUT_ANY, &err), err);
    assert_string_equal(lls_store_backend_of(f->store, AGENTS), "lmdb");
    lls_store_close(f->store);
    f->store = NULL;

    assert_ok(open_mode(f, LLS_OPEN_WRITE, &again, &err), err);
    f->store = again;
    keys_of(again, AGENTS, "", "", &keys);
    assert_string_equal(lls_buf_cstr(&keys), "agent:t:a ");
    keys_of(again, SESSIONS, "", "", &keys);
    assert_string_equal(lls_buf_cstr(&keys), "");
}

static void a_store_that_is_read_creates_and_changes_nothing(void **state)
{
    fixture *f = *state;
    LLS_AUTO(lls_buf) value = {0};
    char path[64];
    lls_store *reader = NULL;
    lls_error err = {0};

    (void)snprintf(path, sizeof(path), "%s/store", f->folder);
    assert_ok(open_mode(f, LLS_OPEN_READ, &reader, &err), err);
    assert_code(lls_store_get(reader, AGENTS, B("agent:t:a"), &value, NULL, &err), LLS_E_NOTFOUND,
                err);
    assert_int_not_equal(access(path, F_OK), 0);

    assert_ok(put(f->store, AGENTS, "agent:t:a", LLS_PUT_ANY, &err), err);
    lls_store_close(f->store); // one process opens a store once
    f->store = reader;
    assert_ok(lls_store_get(reader, AGENTS, B("agent:t:a"), &value, NULL, &err), err);
    assert_code(put(reader, AGENTS, "agent:t:b", LLS_PUT_ANY, &err), LLS_E_DENIED, err);
    assert_code(lls_store_delete(reader, AGENTS, B("agent:t:a"), &err), LLS_E_DENIED, err);
    assert_code(lls_store_swap(reader, AGENTS, "memory", &err), LLS_E_DENIED, err);
    assert_ok(lls_store_get(reader, AGENTS, B("agent:t:a"), &value, NULL, &err), err);
}

static void what_is_unknown_is_refused_by_name(void **state)
{
    fixture *f = *state;
    LLS_AUTO(lls_buf) value = {0};
    const char *const flags[] = {"storage.backend=nowhere"};
    lls_store_options no_abi = {0};
    lls_store *store = NULL;
    lls_error err = {0};

    assert_code(lls_store_get(f->store, LLS_STR("dreams"), B("k"), &value, NULL, &err),
                LLS_E_INVALID, err);
    assert_string_equal(
        err.msg,
        "no component 'dreams' in this build "
        "(it has: agent_state, agent_state_history, workflow_state, sessions, episodic_memory, "
        "unrecognised)");
    assert_code(lls_store_open(f->config, &no_abi, &store, &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "lls_store_options.abi is 0, this library's is 1");
    assert_null(store);

    lls_config *config = configure(flags, 1);
    assert_ok(lls_store_open(config, NULL, &store, &err), err);
    lls_config_free(config); // the store holds it
    assert_string_equal(lls_store_backend_of(store, AGENTS), "nowhere");
    assert_code(lls_store_get(store, AGENTS, B("k"), &value, NULL, &err), LLS_E_INVALID, err);
    assert_memory_equal(err.msg, "no backend 'nowhere' in this build (it has: ", 44);
    lls_store_close(store);
}

static void the_tenant_is_that_of_the_configuration(void **state)
{
    fixture *f = *state;
    lls_str tenant = lls_store_tenant(f->store);

    assert_bytes(lls_bytes_of(tenant), "default");
    assert_string_equal(lls_component_at(0), "agent_state");
    assert_string_equal(lls_component_at(1), "agent_state_history");
    assert_string_equal(lls_component_at(3), "sessions");
    assert_string_equal(lls_component_at(4), "episodic_memory");
    assert_string_equal(lls_component_at(5), "unrecognised");
    assert_null(lls_component_at(6));
}

/* ---- opening ---- */

typedef struct opening {
    lls_store *store;
    lls_str component;
    const char *key;
    lls_err result;
    lls_error err;
    atomic_int *done;
} opening;

static void *put_one(void *user)
{
    opening *o = user;

    o->result = put(o->store, o->component, o->key, LLS_PUT_ANY, &o->err);
    (void)atomic_fetch_add(o->done, 1);
    return NULL;
}

/* Each open of a store in memory is a store of its own: a second one would lose what is put. */
static void a_backend_that_many_want_at_once_is_opened_once(void **state)
{
    fixture *f = *state;
    LLS_AUTO(lls_buf) keys = {0};
    char names[8][16];
    opening openings[8];
    pthread_t threads[8];
    atomic_int done = 0;

    for (size_t i = 0; i < LLS_COUNT(threads); i++) {
        (void)snprintf(names[i], sizeof(names[i]), "session:%zu", i);
        openings[i] =
            (opening){.store = f->store, .component = SESSIONS, .key = names[i], .done = &done};
        assert_int_equal(pthread_create(&threads[i], NULL, put_one, &openings[i]), 0);
    }
    for (size_t i = 0; i < LLS_COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_ok(openings[i].result, openings[i].err);
    }
    keys_of(f->store, SESSIONS, "", "", &keys);
    assert_string_equal(lls_buf_cstr(&keys),
                        "session:0 session:1 session:2 session:3 session:4 session:5 session:6 "
                        "session:7 ");
}

/* A socket that takes connections and never says anything. */
static int listen_silently(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void a_server_that_does_not_answer_holds_up_nobody_else(void **state)
{
    char connection[128];
    int port = 0;
    lls_store *store = NULL;
    pthread_t threads[3];
    opening openings[3];
    atomic_int done = 0;
    lls_error err = {0};

    (void)state;
    if (!lls_backend_find(LLS_STR("postgres")))
        skip();
    int silent = listen_silently(&port);
    (void)snprintf(connection, sizeof(connection),
                   "storage.backends.postgres.connection=postgresql://u@127.0.0.1:%d/d", port);
    const char *const flags[] = {connection, "storage.backends.postgres.connect_timeout=4s",
                                 "storage.backend=memory", "storage.components.sessions=postgres"};
    lls_config *config = configure(flags, LLS_COUNT(flags));
    assert_ok(lls_store_open(config, NULL, &store, &err), err);
    for (size_t i = 0; i < LLS_COUNT(threads); i++) {
        openings[i] =
            (opening){.store = store, .component = SESSIONS, .key = "session:a", .done = &done};
        assert_int_equal(pthread_create(&threads[i], NULL, put_one, &openings[i]), 0);
    }
    (void)usleep(200000); // they are waiting for an answer by now
    assert_ok(put(store, AGENTS, "agent:t:a", LLS_PUT_ANY, &err), err);
    assert_int_equal(done, 0);
    for (size_t i = 0; i < LLS_COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_code(openings[i].result, LLS_E_UNAVAILABLE, openings[i].err);
        assert_int_not_equal(openings[i].err.msg[0], 0);
    }
    lls_store_close(store);
    lls_config_free(config);
    (void)close(silent);
}

static void calls_survive_every_failed_allocation(void **state)
{
    fixture *f = *state;
    lls_store *store = NULL;
    lls_error err = {0};
    lls_err e;
    long n = 0;

    do {
        lls_alloc_fail_after(n++);
        e = open_mode(f, LLS_OPEN_WRITE, &store, &err);
        if (e == LLS_OK)
            e = put(store, SESSIONS, "session:a", LLS_PUT_ANY, &err);
        lls_alloc_fail_after(-1);
        assert_true(e == LLS_OK || e == LLS_E_NOMEM);
        lls_store_close(store);
        store = NULL;
    } while (e != LLS_OK);
    assert_true(n > 5);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_record_comes_back_as_it_was_put),
        STORE_TEST(modes_of_put_decide_about_what_is_there),
        STORE_TEST(keys_and_values_of_no_form_are_refused),
        STORE_TEST(lists_go_in_order_by_prefix_and_from_a_place),
        STORE_TEST(a_sweep_removes_what_has_expired_and_nothing_else),
        STORE_TEST(two_components_live_on_two_backends),
        STORE_TEST(a_store_that_is_read_creates_and_changes_nothing),
        STORE_TEST(what_is_unknown_is_refused_by_name),
        STORE_TEST(the_tenant_is_that_of_the_configuration),
        STORE_TEST(a_backend_that_many_want_at_once_is_opened_once),
        cmocka_unit_test(a_server_that_does_not_answer_holds_up_nobody_else),
        STORE_TEST(calls_survive_every_failed_allocation),
    };

    if (!lls_backend_find(LLS_STR("lmdb")) || !lls_backend_find(LLS_STR("memory")))
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
