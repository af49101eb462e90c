#include "testing/component_suite.h"

#include "base/scope.h"

#include <llmspell/workflow_state.h>

static lls_store *store_of(void **state)
{
    const lls_component_fixture *fixture = *state;

    return fixture->store;
}

static lls_err save(lls_store *store, const char *id, const char *json, uint64_t version,
                    lls_error *err)
{
    lls_workflow_state workflow = {
        .workflow_id = lls_str_of(id),
        .json = lls_str_of(json),
        .version = version,
    };
    lls_err e = lls_workflow_state_save(store, &workflow, err);

    assert_int_equal(workflow.version, e == LLS_OK ? version + 1 : version);
    return e;
}

void workflow_loads_as_it_was_saved(void **state)
{
    static const char json[] = "{\"status\": \"running\",\r\n \"workflow_state\":{\"step\":2.50}}";
    lls_component_fixture *fixture = *state;
    lls_workflow_state workflow = {0};
    lls_error err = {0};

    assert_ok(save(fixture->store, "W:1", json, 0, &err), err);
    assert_ok(lls_workflow_state_load(fixture->store, LLS_STR("W:1"), &workflow, &err), err);
    assert_bytes(lls_bytes_of(workflow.workflow_id), "W:1");
    assert_true(lls_str_eq(workflow.json, lls_str_of(json)));
    assert_int_equal(workflow.status, LLS_WORKFLOW_RUNNING);
    assert_int_equal(workflow.version, 1);
    assert_int_equal(workflow.created_usec, fixture->now_usec);
    assert_int_equal(workflow.saved_usec, fixture->now_usec);
    lls_workflow_state_fini(&workflow);
    assert_null(workflow.memory.data);
}

void workflow_status_is_read_from_its_state(void **state)
{
    static const struct {
        const char *json;
        lls_workflow_status status;
    } cases[] = {
        {"{\"status\":\"pending\"}", LLS_WORKFLOW_PENDING},
        {"{\"status\":\"Running\"}", LLS_WORKFLOW_RUNNING},
        {"{\"status\":\"COMPLETED\"}", LLS_WORKFLOW_COMPLETED},
        {"{\"status\":\"failed\"}", LLS_WORKFLOW_FAILED},
        {"{\"status\":\"Cancelled\"}", LLS_WORKFLOW_CANCELLED},
        {"{\"status\":\"partially_completed\"}", LLS_WORKFLOW_PARTIALLY_COMPLETED},
        {"{\"status\":\"PartiallyCompleted\"}", LLS_WORKFLOW_PARTIALLY_COMPLETED},
        {"{\"status\":\"partially-completed\"}", LLS_WORKFLOW_PARTIALLY_COMPLETED},
        {"{\"status\":\"failed\",\"status\":\"running\"}", LLS_WORKFLOW_RUNNING}, // the last
        {"{\"status\":\"run\"}", LLS_WORKFLOW_ANY},
        {"{\"status\":\"runnings\"}", LLS_WORKFLOW_ANY},
        {"{\"status\":\"\"}", LLS_WORKFLOW_ANY},
        {"{\"status\":3}", LLS_WORKFLOW_ANY},
        {"{\"status\":{\"status\":\"failed\"}}", LLS_WORKFLOW_ANY},
        {"{\"x\":{\"status\":\"failed\"}}", LLS_WORKFLOW_ANY},
        {"{}", LLS_WORKFLOW_ANY},
    };
    lls_store *store = store_of(state);
    lls_error err = {0};

    for (size_t i = 0; i < LLS_COUNT(cases); i++) {
        lls_workflow_state workflow = {0};
        assert_ok(save(store, "w", cases[i].json, i, &err), err);
        assert_ok(lls_workflow_state_load(store, LLS_STR("w"), &workflow, &err), err);
        assert_int_equal(workflow.status, cases[i].status);
        lls_workflow_state_fini(&workflow);
    }
    assert_string_equal(lls_workflow_status_text(LLS_WORKFLOW_PENDING), "pending");
    assert_string_equal(lls_workflow_status_text(LLS_WORKFLOW_PARTIALLY_COMPLETED),
                        "partially_completed");
    assert_null(lls_workflow_status_text(LLS_WORKFLOW_ANY));
    assert_null(lls_workflow_status_text((lls_workflow_status)99));
}

static void assert_list(lls_store *store, const lls_workflow_filter *filter, const char *want)
{
    LLS_AUTO(lls_buf) got = {0};
    lls_workflow_list *list = NULL;
    lls_workflow_state workflow = {0};
    lls_error err = {0};
    lls_err e = LLS_OK;

    assert_ok(lls_workflow_list_open(store, filter, &list, &err), err);
    while ((e = lls_workflow_list_next(list, &workflow, &err)) == LLS_OK)
        lls_buf_printf(&got, "%s" LLS_FMT, got.len ? " " : "", LLS_ARG(workflow.workflow_id));
    assert_code(e, LLS_END, err);
    lls_workflow_list_close(list);
    assert_string_equal(lls_buf_cstr(&got), want);
}

void workflows_are_listed_by_status(void **state)
{
    static const char *const workflows[][2] = {
        {"a", "{\"status\":\"running\"}"},   {"b", "{\"status\":\"failed\"}"},
        {"c", "{\"status\":\"Running\"}"},   {"d", "{}"},
        {"e", "{\"status\":\"paused\"}"},    {"f", "{\"status\":\"running\"}"},
        {"g", "{\"status\":\"completed\"}"}, {"h", "{\"status\":\"RUNNING\"}"},
    };
    lls_store *store = store_of(state);
    lls_workflow_filter filter = {.status = LLS_WORKFLOW_RUNNING};
    lls_error err = {0};

    for (size_t i = 0; i < LLS_COUNT(workflows); i++)
        assert_ok(save(store, workflows[i][0], workflows[i][1], 0, &err), err);
    assert_list(store, NULL, "a b c d e f g h");
    assert_list(store, &filter, "a c f h");
    filter.limit = 3; // of those that are given, not of those looked at
    assert_list(store, &filter, "a c f");
    filter.after_id = LLS_STR("c");
    assert_list(store, &filter, "f h");
    filter = (lls_workflow_filter){.status = LLS_WORKFLOW_CANCELLED};
    assert_list(store, &filter, "");
}

void workflow_prefix_ends_before_the_suffix(void **state)
{
    lls_store *store = store_of(state);
    lls_workflow_filter filter = {.id_prefix = LLS_STR("x:sta")};
    lls_error err = {0};

    // The key of "x" begins with the prefix too: its suffix is ":state".
    assert_ok(save(store, "x", "{}", 0, &err), err);
    assert_ok(save(store, "x:state", "{}", 0, &err), err);
    assert_ok(save(store, "x:stable", "{}", 0, &err), err);
    assert_list(store, &filter, "x:stable x:state");
    filter.id_prefix = LLS_STR("x");
    assert_list(store, &filter, "x:stable x x:state");
}

void workflows_are_listed_in_pages(void **state)
{
    static const char *const ids[] = {"n", "n-1", "n:1", "n_1", "o", "ö", "0"};
    lls_store *store = store_of(state);
    lls_workflow_filter filter = {.limit = 3};
    lls_error err = {0};

    for (size_t i = 0; i < LLS_COUNT(ids); i++)
        assert_ok(save(store, ids[i], "{}", 0, &err), err);
    assert_list(store, &filter, "0 n-1 n:1"); // the order of the keys, not of the ids
    filter.after_id = LLS_STR("n:1");
    assert_list(store, &filter, "n n_1 o");
    filter.after_id = LLS_STR("o");
    assert_list(store, &filter, "ö");
    filter = (lls_workflow_filter){.id_prefix = LLS_STR("n_"), .limit = 3};
    assert_list(store, &filter, "n_1");
}

void workflow_conflicts_and_deletes(void **state)
{
    lls_store *store = store_of(state);
    lls_workflow_state workflow = {.version = 42};
    lls_error err = {0};

    assert_code(save(store, "", "{}", 0, &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "the workflow id is empty");
    assert_code(save(store, "w", "[]", 0, &err), LLS_E_PARSE, err);
    assert_ok(save(store, "w", "{}", 0, &err), err);
    assert_code(save(store, "w", "{}", 0, &err), LLS_E_CONFLICT, err);
    assert_ok(save(store, "w", "{}", 1, &err), err);
    assert_code(save(store, "w", "{}", 1, &err), LLS_E_CONFLICT, err);
    assert_ok(lls_workflow_state_delete(store, LLS_STR("w"), &err), err);
    assert_code(lls_workflow_state_delete(store, LLS_STR("w"), &err), LLS_E_NOTFOUND, err);
    assert_code(lls_workflow_state_load(store, LLS_STR("w"), &workflow, &err), LLS_E_NOTFOUND, err);
    assert_int_equal(workflow.version, 42);
}
