#include "testing/component_suite.h"

#include "base/scope.h"

#include <llmspell/agent_state.h>

#include <stdio.h>

static lls_store *store_of(void **state)
{
    const lls_component_fixture *fixture = *state;

    return fixture->store;
}

static lls_err save(lls_store *store, const char *id, uint64_t version, lls_error *err)
{
    char json[LLS_KEY_MAX + 64];

    (void)snprintf(json, sizeof(json), "{\"id\": \"%s\", \"n\": %d}", id, (int)version + 1);
    lls_agent_state agent = {.agent_type = LLS_STR("chat"),
                             .agent_id = lls_str_of(id),
                             .json = lls_str_of(json),
                             .version = version};
    return lls_agent_state_save(store, &agent, err);
}

/* Save versions 1 to `count`, one second apart. */
static void save_all(void **state, const char *id, uint64_t count)
{
    lls_component_fixture *fixture = *state;
    lls_error err = {0};

    for (uint64_t i = 0; i < count; i++) {
        fixture->now_usec += 1000000;
        assert_ok(save(fixture->store, id, i, &err), err);
    }
}

/* The versions that are kept must be `first` to `last`, with what was saved as each. */
static void assert_history(lls_store *store, const char *id, uint64_t first, uint64_t last)
{
    lls_agent_list *list = NULL;
    lls_agent_state agent = {0};
    lls_error err = {0};
    uint64_t version = first;
    int64_t before = 0;
    lls_err e;

    assert_ok(lls_agent_history_open(store, LLS_STR("chat"), lls_str_of(id), &list, &err), err);
    while ((e = lls_agent_list_next(list, &agent, &err)) == LLS_OK) {
        char json[LLS_KEY_MAX + 64];
        (void)snprintf(json, sizeof(json), "{\"id\": \"%s\", \"n\": %d}", id, (int)version);
        assert_int_equal(agent.version, version);
        assert_true(lls_str_eq(agent.agent_id, lls_str_of(id)));
        assert_true(lls_str_eq(agent.json, lls_str_of(json)));
        assert_true(agent.saved_usec > before);
        before = agent.saved_usec;
        version++;
    }
    assert_code(e, LLS_END, err);
    assert_int_equal(version, last + 1);
    lls_agent_list_close(list);
}

void history_keeps_the_newest_versions(void **state)
{
    lls_store *store = store_of(state);
    lls_agent_state agent = {0};
    lls_error err = {0};

    save_all(state, "1", 6);
    assert_history(store, "1", 3, 5);
    for (uint64_t version = 0; version < 9; version++) {
        lls_err e = lls_agent_state_load_version(store, LLS_STR("chat"), LLS_STR("1"), version,
                                                 &agent, &err);
        bool kept = version >= 3 && version <= 6;
        assert_code(e, version == 0 ? LLS_E_INVALID : kept ? LLS_OK : LLS_E_NOTFOUND, err);
        if (!kept)
            continue;
        assert_int_equal(agent.version, version);
        assert_int_equal(agent.json.data[agent.json.len - 2], '0' + (int)version);
        lls_agent_state_fini(&agent);
    }
}

void history_goes_with_its_state(void **state)
{
    lls_store *store = store_of(state);
    lls_error err = {0};

    save_all(state, "1", 3);
    save_all(state, "2", 3);
    assert_ok(lls_agent_state_delete(store, LLS_STR("chat"), LLS_STR("1"), &err), err);
    assert_history(store, "1", 1, 0);
    assert_history(store, "2", 1, 2);
    save_all(state, "1", 2);
    assert_history(store, "1", 1, 1);
}

void histories_of_similar_ids_do_not_mix(void **state)
{
    static const char *const ids[] = {"x", "x@", "x@00000000000000000001",
                                      "x@00000000000000000001@00000000000000000001"};
    lls_store *store = store_of(state);
    lls_error err = {0};

    for (size_t i = 0; i < LLS_COUNT(ids); i++)
        save_all(state, ids[i], 5);
    for (size_t i = 0; i < LLS_COUNT(ids); i++)
        assert_history(store, ids[i], 2, 4);
    assert_ok(lls_agent_state_delete(store, LLS_STR("chat"), LLS_STR("x"), &err), err);
    for (size_t i = 1; i < LLS_COUNT(ids); i++)
        assert_history(store, ids[i], 2, 4);
}

void history_has_nothing_of_a_save_that_failed(void **state)
{
    lls_store *store = store_of(state);
    lls_error err = {0};

    save_all(state, "1", 3);
    assert_code(save(store, "1", 1, &err), LLS_E_CONFLICT, err);
    assert_code(save(store, "1", 0, &err), LLS_E_CONFLICT, err);
    assert_code(save(store, "1", 7, &err), LLS_E_CONFLICT, err);
    assert_history(store, "1", 1, 2);
}

void history_is_kept_however_it_is_written(void **state)
{
    lls_store *store = store_of(state);
    lls_error err = {0};

    save_all(state, "1", 2);
    lls_record raw = {
        .component = LLS_STR("agent_state"), .key = B("agent:chat:1"), .value = B("{}")};
    assert_ok(lls_store_put(store, &raw, LLS_PUT_ANY, &err), err);
    assert_history(store, "1", 1, 2);
    raw.key = B("agent:chat:new");
    assert_ok(lls_store_put(store, &raw, LLS_PUT_ANY, &err), err);
    assert_history(store, "new", 1, 0);
}

void history_of_a_key_without_room_for_it_is_refused(void **state)
{
    lls_store *store = store_of(state);
    char id[LLS_KEY_MAX];
    lls_error err = {0};

    memset(id, 'a', sizeof(id));
    id[LLS_KEY_MAX - 11 - 21] = '\0'; // "agent:chat:" before it, and '@' and 20 digits behind it
    save_all(state, id, 1);
    lls_agent_state agent = {.agent_type = LLS_STR("chat"),
                             .agent_id = lls_str_of(id),
                             .json = LLS_STR("{}"),
                             .version = 1};
    assert_ok(lls_agent_state_save(store, &agent, &err), err);

    id[LLS_KEY_MAX - 11 - 21] = 'a';
    id[LLS_KEY_MAX - 11 - 20] = '\0';
    agent.agent_id = lls_str_of(id);
    agent.version = 0;
    assert_ok(lls_agent_state_save(store, &agent, &err), err);
    assert_code(lls_agent_state_save(store, &agent, &err), LLS_E_INVALID, err);
    assert_non_null(strstr(err.msg, "too long to keep a history"));
    assert_ok(lls_agent_state_delete(store, agent.agent_type, agent.agent_id, &err), err);
}
