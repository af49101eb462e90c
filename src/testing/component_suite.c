#include "testing/component_suite.h"

#include "base/scope.h"

#include <llmspell/config.h>

#include <stdlib.h>

static const int64_t beginning_usec = INT64_C(1735689600000000); // 2025-01-01

static int64_t now_usec(void *user)
{
    const lls_component_fixture *fixture = user;

    return fixture->now_usec;
}

int lls_component_open(const char *const *flags, size_t count, void **state)
{
    static const char *const nothing[] = {"XDG_CONFIG_HOME=/nonexistent", "HOME=/nonexistent",
                                          NULL};
    lls_component_fixture *fixture = calloc(1, sizeof(*fixture));
    lls_config_sources sources = {
        .abi = LLS_ABI, .environment = nothing, .flags = flags, .flag_count = count};
    lls_store_options options = {.abi = LLS_ABI, .now_usec = now_usec, .user = fixture};
    lls_config *config = NULL;
    lls_error err = {0};

    assert_non_null(fixture);
    fixture->now_usec = beginning_usec;
    assert_ok(lls_config_load(&sources, &config, &err), err);
    assert_ok(lls_store_open(config, &options, &fixture->store, &err), err);
    lls_config_free(config);
    *state = fixture;
    return 0;
}

int lls_component_close(void **state)
{
    lls_component_fixture *fixture = *state;

    if (fixture)
        lls_store_close(fixture->store);
    free(fixture);
    *state = NULL;
    return 0;
}

static void empty(lls_store *store, lls_str component)
{
    lls_store_list *list = NULL;
    lls_record record = {0};
    lls_error err = {0};
    lls_err e = LLS_OK;

    assert_ok(lls_store_list_open(store, component, (lls_bytes){0}, (lls_bytes){0}, &list, &err),
              err);
    while ((e = lls_store_list_next(list, &record, &err)) == LLS_OK)
        assert_ok(lls_store_delete(store, component, record.key, &err), err);
    assert_code(e, LLS_END, err);
    lls_store_list_close(list);
}

int lls_component_empty(void **state)
{
    static const char *const documents[] = {"agent_state", "workflow_state", "sessions"};
    lls_component_fixture *fixture = *state;

    fixture->now_usec = 1; // before everything expires
    for (size_t i = 0; i < LLS_COUNT(documents); i++)
        empty(fixture->store, lls_str_of(documents[i]));
    fixture->now_usec = beginning_usec;
    return 0;
}

int lls_episodes_empty(void **state)
{
    lls_component_fixture *fixture = *state;

    fixture->now_usec = 1;
    empty(fixture->store, LLS_STR("episodic_memory"));
    fixture->now_usec = beginning_usec;
    return 0;
}
