#include "testing/component_suite.h"

#include "base/alloc.h"
#include "base/scope.h"

#include <llmspell/agent_state.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static lls_store *store_of(void **state)
{
    const lls_component_fixture *fixture = *state;

    return fixture->store;
}

static lls_err save(lls_store *store, const char *type, const char *id, const char *json,
                    uint64_t version, lls_error *err)
{
    lls_agent_state agent = {
        .agent_type = lls_str_of(type),
        .agent_id = lls_str_of(id),
        .json = lls_str_of(json),
        .version = version,
    };
    lls_err e = lls_agent_state_save(store, &agent, err);

    assert_int_equal(agent.version, e == LLS_OK ? version + 1 : version);
    return e;
}

static lls_err load(lls_store *store, const char *type, const char *id, lls_agent_state *out,
                    lls_error *err)
{
    return lls_agent_state_load(store, lls_str_of(type), lls_str_of(id), out, err);
}

static void assert_stored(lls_store *store, const char *type, const char *id, const char *json,
                          uint64_t version)
{
    lls_agent_state agent = {0};
    lls_error err = {0};

    assert_ok(load(store, type, id, &agent, &err), err);
    assert_true(lls_str_eq(agent.agent_type, lls_str_of(type)));
    assert_true(lls_str_eq(agent.agent_id, lls_str_of(id)));
    assert_true(lls_str_eq(agent.json, lls_str_of(json)));
    assert_int_equal(agent.version, version);
    lls_agent_state_fini(&agent);
    assert_null(agent.memory.data);
}

void agent_loads_as_it_was_saved(void **state)
{
    // Order, doubled members, white space and escapes are the caller's: not one byte changes.
    static const char json[] = " {\"b\" :1, \"a\": [1.0, 1e2 ,-0],\n\t\"a\":\"\\u00e9 \\u0000 é\","
                               " \"max_tokens\": 5, \"author\": \"Zoë\"} \n";
    lls_component_fixture *fixture = *state;
    lls_agent_state agent = {0};
    lls_error err = {0};

    assert_ok(save(fixture->store, "chat", "7", json, 0, &err), err);
    fixture->now_usec += 5;
    assert_ok(load(fixture->store, "chat", "7", &agent, &err), err);
    assert_bytes(lls_bytes_of(agent.agent_type), "chat");
    assert_bytes(lls_bytes_of(agent.agent_id), "7");
    assert_true(lls_str_eq(agent.json, lls_str_of(json)));
    assert_int_equal(agent.version, 1);
    assert_int_equal(agent.created_usec, fixture->now_usec - 5);
    assert_int_equal(agent.saved_usec, fixture->now_usec - 5);

    // A save keeps the time of creation.
    assert_ok(lls_agent_state_save(fixture->store, &agent, &err), err);
    lls_agent_state_fini(&agent);
    assert_ok(load(fixture->store, "chat", "7", &agent, &err), err);
    assert_int_equal(agent.created_usec, fixture->now_usec - 5);
    assert_int_equal(agent.saved_usec, fixture->now_usec);
    lls_agent_state_fini(&agent);
}

void agent_ids_of_two_types_do_not_mix(void **state)
{
    lls_store *store = store_of(state);
    lls_error err = {0};

    assert_ok(save(store, "chat", "7", "{\"is\":\"chat\"}", 0, &err), err);
    assert_ok(save(store, "tool", "7", "{\"is\":\"tool\"}", 0, &err), err);
    assert_stored(store, "chat", "7", "{\"is\":\"chat\"}", 1);
    assert_stored(store, "tool", "7", "{\"is\":\"tool\"}", 1);
    assert_ok(lls_agent_state_delete(store, LLS_STR("chat"), LLS_STR("7"), &err), err);
    assert_stored(store, "tool", "7", "{\"is\":\"tool\"}", 1);
}

void agent_id_may_have_colons_and_any_letters(void **state)
{
    static const char *const ids[] = {"a:b",          ":",    "::x:",    "100%",  "a_b",
                                      "старые-карты", "猫 🐈", "/../etc", "'; --", "\\x00"};
    lls_store *store = store_of(state);
    lls_error err = {0};

    for (size_t i = 0; i < LLS_COUNT(ids); i++)
        assert_ok(save(store, "ty pe", ids[i], "{}", 0, &err), err);
    for (size_t i = 0; i < LLS_COUNT(ids); i++)
        assert_stored(store, "ty pe", ids[i], "{}", 1);

    assert_code(save(store, "chat", "\xFF", "{}", 0, &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "key 'agent:chat:\\xff' is not of the form agent:<type>:<id>");
}

void agent_versions_count_saves(void **state)
{
    lls_store *store = store_of(state);
    lls_error err = {0};

    for (uint64_t version = 0; version < 5; version++)
        assert_ok(save(store, "chat", "7", version % 2 ? "{\"odd\":1}" : "{}", version, &err), err);
    assert_stored(store, "chat", "7", "{}", 5);
}

void agent_save_on_an_old_version_conflicts(void **state)
{
    lls_store *store = store_of(state);
    lls_error err = {0};

    assert_ok(save(store, "chat", "7", "{\"v\":1}", 0, &err), err);
    assert_ok(save(store, "chat", "7", "{\"v\":2}", 1, &err), err);
    assert_code(save(store, "chat", "7", "{\"v\":3}", 1, &err), LLS_E_CONFLICT, err);
    assert_non_null(strstr(err.msg, "agent:chat:7"));
    assert_code(save(store, "chat", "7", "{\"v\":3}", 9, &err), LLS_E_CONFLICT, err);
    assert_stored(store, "chat", "7", "{\"v\":2}", 2);
}

void agent_first_save_of_an_existing_one_conflicts(void **state)
{
    lls_store *store = store_of(state);
    lls_error err = {0};

    assert_ok(save(store, "chat", "7", "{\"v\":1}", 0, &err), err);
    assert_code(save(store, "chat", "7", "{}", 0, &err), LLS_E_CONFLICT, err);
    assert_string_equal(err.msg, "'agent:chat:7' is there already, and this is a first version");
    assert_stored(store, "chat", "7", "{\"v\":1}", 1);
}

void agent_save_after_a_delete_conflicts(void **state)
{
    lls_store *store = store_of(state);
    lls_error err = {0};

    assert_ok(save(store, "chat", "7", "{}", 0, &err), err);
    assert_ok(lls_agent_state_delete(store, LLS_STR("chat"), LLS_STR("7"), &err), err);
    assert_code(save(store, "chat", "7", "{}", 1, &err), LLS_E_CONFLICT, err);
    assert_ok(save(store, "chat", "7", "{}", 0, &err), err);
    assert_stored(store, "chat", "7", "{}", 1);
}

void agent_state_must_be_an_object(void **state)
{
    static const char *const bad[][2] = {
        {"[1]", "value is not a JSON object but an array"},
        {"\"x\"", "value is not a JSON object but a string"},
        {" 12 ", "value is not a JSON object but a number"},
        {"null", "value is not a JSON object but null"},
        {"true", "value is not a JSON object but a boolean"},
    };
    lls_store *store = store_of(state);
    lls_agent_state agent = {0};
    lls_error err = {0};

    for (size_t i = 0; i < LLS_COUNT(bad); i++) {
        assert_code(save(store, "chat", "7", bad[i][0], 0, &err), LLS_E_PARSE, err);
        assert_string_equal(err.msg, bad[i][1]);
    }
    assert_code(save(store, "chat", "7", "{\"a\":}", 0, &err), LLS_E_PARSE, err);
    assert_non_null(strstr(err.msg, "value is not JSON: byte "));
    assert_code(save(store, "chat", "7", "", 0, &err), LLS_E_PARSE, err);
    assert_code(load(store, "chat", "7", &agent, &err), LLS_E_NOTFOUND, err);
}

void agent_without_type_or_id_is_refused(void **state)
{
    lls_store *store = store_of(state);
    lls_agent_state agent = {0};
    lls_error err = {0};

    assert_code(save(store, "", "7", "{}", 0, &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "the agent type is empty");
    assert_code(save(store, "chat", "", "{}", 0, &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "the agent id is empty");
    assert_code(load(store, "a:b", "7", &agent, &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "agent type 'a:b' has a colon in it");
    assert_code(lls_agent_state_delete(store, LLS_STR("chat"), LLS_STR(""), &err), LLS_E_INVALID,
                err);
}

void agent_that_is_not_there_is_notfound(void **state)
{
    lls_store *store = store_of(state);
    lls_agent_state agent = {.version = 42};
    lls_error err = {0};

    assert_code(load(store, "chat", "7", &agent, &err), LLS_E_NOTFOUND, err);
    assert_int_equal(agent.version, 42); // as it was
    assert_null(agent.memory.data);
    assert_code(lls_agent_state_delete(store, LLS_STR("chat"), LLS_STR("7"), &err), LLS_E_NOTFOUND,
                err);
}

// The ids that a list gives, as "type:id type:id".
static void assert_list(lls_store *store, const lls_agent_filter *filter, const char *want)
{
    LLS_AUTO(lls_buf) got = {0};
    lls_agent_list *list = NULL;
    lls_agent_state agent = {0};
    lls_error err = {0};
    lls_err e = LLS_OK;

    assert_ok(lls_agent_list_open(store, filter, &list, &err), err);
    while ((e = lls_agent_list_next(list, &agent, &err)) == LLS_OK) {
        assert_null(agent.memory.data);
        assert_int_equal(agent.version, 1);
        assert_bytes(lls_bytes_of(agent.json), "{}");
        lls_buf_printf(&got, "%s" LLS_FMT ":" LLS_FMT, got.len ? " " : "",
                       LLS_ARG(agent.agent_type), LLS_ARG(agent.agent_id));
    }
    assert_code(e, LLS_END, err);
    assert_code(lls_agent_list_next(list, &agent, &err), LLS_END, err);
    lls_agent_list_close(list);
    assert_string_equal(lls_buf_cstr(&got), want);
}

static void save_zoo(lls_store *store)
{
    static const char *const agents[][2] = {{"chat", "a1"},  {"chat", "a2"},   {"chat", "b"},
                                            {"chat", "a_1"}, {"chat", "a%"},   {"chatter", "a1"},
                                            {"cha", "a"},    {"tool", "猫"},   {"tool", "a:1"},
                                            {"Tool", "x"},   {"chat", "猫-1"}, {"c", ":"}};
    lls_error err = {0};

    for (size_t i = 0; i < LLS_COUNT(agents); i++)
        assert_ok(save(store, agents[i][0], agents[i][1], "{}", 0, &err), err);
}

void agents_are_listed_by_type_and_prefix(void **state)
{
    lls_store *store = store_of(state);
    lls_agent_filter filter = {0};

    assert_list(store, NULL, "");
    save_zoo(store);
    assert_list(store, NULL,
                "Tool:x c:: cha:a chat:a% chat:a1 chat:a2 chat:a_1 chat:b chat:猫-1 chatter:a1 "
                "tool:a:1 tool:猫");
    filter.agent_type = LLS_STR("chat");
    assert_list(store, &filter, "chat:a% chat:a1 chat:a2 chat:a_1 chat:b chat:猫-1");
    filter.id_prefix = LLS_STR("a");
    assert_list(store, &filter, "chat:a% chat:a1 chat:a2 chat:a_1");
    filter.id_prefix = LLS_STR("a_"); // no wildcard, nor is the next
    assert_list(store, &filter, "chat:a_1");
    filter.id_prefix = LLS_STR("a%");
    assert_list(store, &filter, "chat:a%");
    filter.id_prefix = LLS_STR("猫");
    assert_list(store, &filter, "chat:猫-1");
    filter = (lls_agent_filter){.agent_type = LLS_STR("tool"), .id_prefix = LLS_STR("a:")};
    assert_list(store, &filter, "tool:a:1");
    filter = (lls_agent_filter){.agent_type = LLS_STR("none")};
    assert_list(store, &filter, "");
}

void agents_are_listed_in_pages(void **state)
{
    lls_store *store = store_of(state);
    lls_agent_filter filter = {.limit = 4};

    save_zoo(store);
    assert_list(store, &filter, "Tool:x c:: cha:a chat:a%");
    filter.after_type = LLS_STR("chat");
    filter.after_id = LLS_STR("a%");
    assert_list(store, &filter, "chat:a1 chat:a2 chat:a_1 chat:b");
    filter.after_id = LLS_STR("b");
    assert_list(store, &filter, "chat:猫-1 chatter:a1 tool:a:1 tool:猫");
    filter.after_type = LLS_STR("tool");
    filter.after_id = LLS_STR("猫");
    assert_list(store, &filter, "");

    // The agent that ends a page may be gone when the next one is asked for.
    filter = (lls_agent_filter){
        .agent_type = LLS_STR("chat"), .after_type = LLS_STR("chat"), .after_id = LLS_STR("a10")};
    assert_list(store, &filter, "chat:a2 chat:a_1 chat:b chat:猫-1");
    filter.id_prefix = LLS_STR("a");
    assert_list(store, &filter, "chat:a2 chat:a_1");
}

void agent_filters_that_make_no_sense_are_refused(void **state)
{
    lls_agent_filter prefix_only = {.id_prefix = LLS_STR("a")};
    lls_agent_filter after_half = {.after_id = LLS_STR("a")};
    lls_agent_filter colon = {.agent_type = LLS_STR("a:b")};
    lls_agent_list *list = NULL;
    lls_error err = {0};

    assert_code(lls_agent_list_open(store_of(state), &prefix_only, &list, &err), LLS_E_INVALID,
                err);
    assert_string_equal(err.msg, "an id prefix needs an agent type");
    assert_code(lls_agent_list_open(store_of(state), &after_half, &list, &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "the agent type is empty");
    assert_code(lls_agent_list_open(store_of(state), &colon, &list, &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "agent type 'a:b' has a colon in it");
    assert_null(list);
    lls_agent_list_close(NULL);
}

enum { ROUNDS = 100 };

// Load, count one up, save; again when somebody else was faster. Asserts stay in the main thread.
static void *count_up(void *user)
{
    lls_store *store = user;
    lls_err e = LLS_OK;

    for (int i = 0; i < ROUNDS && e == LLS_OK; i++) {
        do {
            lls_agent_state agent = {0};
            char json[48];
            e = load(store, "chat", "counter", &agent, NULL);
            if (e != LLS_OK)
                break;
            unsigned long n = strtoul(agent.json.data + sizeof("{\"n\":") - 1, NULL, 10);
            (void)snprintf(json, sizeof(json), "{\"n\":%lu}", n + 1);
            agent.json = lls_str_of(json);
            e = lls_agent_state_save(store, &agent, NULL);
            lls_agent_state_fini(&agent);
        } while (e == LLS_E_CONFLICT);
    }
    return e == LLS_OK ? NULL : store;
}

void agents_counted_by_two_threads_lose_nothing(void **state)
{
    lls_store *store = store_of(state);
    lls_error err = {0};
    pthread_t thread;
    void *failed = NULL;

    assert_ok(save(store, "chat", "counter", "{\"n\":0}", 0, &err), err);
    assert_int_equal(pthread_create(&thread, NULL, count_up, store), 0);
    assert_null(count_up(store));
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
    assert_stored(store, "chat", "counter", "{\"n\":200}", 2 * ROUNDS + 1);
}

static lls_err list_all(lls_store *store, lls_error *err)
{
    lls_agent_filter filter = {.agent_type = LLS_STR("chat"), .id_prefix = LLS_STR("7")};
    lls_agent_list *list = NULL;
    lls_agent_state agent = {0};
    lls_err e = lls_agent_list_open(store, &filter, &list, err);

    while (e == LLS_OK)
        e = lls_agent_list_next(list, &agent, err);
    lls_agent_list_close(list);
    return e == LLS_END ? LLS_OK : e;
}

void agent_calls_survive_every_failed_allocation(void **state)
{
    lls_store *store = store_of(state);
    lls_error err = {0};
    lls_err loaded = LLS_OK;
    lls_err saved = LLS_OK;
    lls_err listed = LLS_OK;
    uint64_t version = 1;
    long n = 0;

    assert_ok(save(store, "chat", "7", "{}", 0, &err), err);
    do {
        lls_agent_state agent = {0};
        lls_alloc_fail_after(n);
        loaded = load(store, "chat", "7", &agent, &err);
        lls_alloc_fail_after(-1);
        assert_true(loaded == LLS_OK || loaded == LLS_E_NOMEM);
        lls_agent_state_fini(&agent);

        lls_alloc_fail_after(n);
        listed = list_all(store, &err);
        lls_alloc_fail_after(-1);
        assert_true(listed == LLS_OK || listed == LLS_E_NOMEM);

        lls_alloc_fail_after(n++);
        saved = save(store, "chat", "7", "{}", version, &err);
        lls_alloc_fail_after(-1);
        assert_true(saved == LLS_OK || saved == LLS_E_NOMEM);
        version += saved == LLS_OK;
        assert_stored(store, "chat", "7", "{}", version); // all of it, or nothing
    } while (loaded != LLS_OK || saved != LLS_OK || listed != LLS_OK);
    assert_true(n > 3);
}
