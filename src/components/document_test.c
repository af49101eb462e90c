#include "components/document.h"

#include "base/scope.h"
#include "testing/check.h"

static const char *check(const lls_component_def *component, lls_bytes key, lls_error *err)
{
    *err = (lls_error){0};
    lls_err e = component->check_key(key, err);

    assert_true(e == LLS_OK || e == LLS_E_INVALID);
    return e == LLS_OK ? "fine" : err->msg;
}

static void keys_of_agents_have_a_type_and_an_id(void **state)
{
    lls_error err = {0};

    (void)state;
    assert_string_equal(check(&lls_component_agent_state, B("agent:a:b"), &err), "fine");
    assert_string_equal(check(&lls_component_agent_state, B("agent:a:b:c"), &err), "fine");
    assert_string_equal(check(&lls_component_agent_state, B("agent:a::"), &err), "fine");
    assert_string_equal(check(&lls_component_agent_state, B("agent:猫:é\0x"), &err), "fine");
    assert_string_equal(check(&lls_component_agent_state, B(""), &err),
                        "key '' is not of the form agent:<type>:<id>");
    assert_string_equal(check(&lls_component_agent_state, B("agent:"), &err),
                        "key 'agent:' is not of the form agent:<type>:<id>");
    assert_string_equal(check(&lls_component_agent_state, B("agent:a"), &err),
                        "key 'agent:a' is not of the form agent:<type>:<id>");
    assert_string_equal(check(&lls_component_agent_state, B("agent:a:"), &err),
                        "key 'agent:a:' is not of the form agent:<type>:<id>");
    assert_string_equal(check(&lls_component_agent_state, B("agent::b"), &err),
                        "key 'agent::b' is not of the form agent:<type>:<id>");
    assert_string_equal(check(&lls_component_agent_state, B("Agent:a:b"), &err),
                        "key 'Agent:a:b' is not of the form agent:<type>:<id>");
    assert_string_equal(check(&lls_component_agent_state, B("agent:a:\x80"), &err),
                        "key 'agent:a:\\x80' is not of the form agent:<type>:<id>");
}

static void keys_of_workflows_end_in_state(void **state)
{
    lls_error err = {0};

    (void)state;
    assert_string_equal(check(&lls_component_workflow_state, B("custom:workflow_w:state"), &err),
                        "fine");
    assert_string_equal(
        check(&lls_component_workflow_state, B("custom:workflow_:state:state"), &err), "fine");
    assert_string_equal(
        check(&lls_component_workflow_state, B("custom:workflow_:state"), &err),
        "key 'custom:workflow_:state' is not of the form custom:workflow_<id>:state");
    assert_string_equal(check(&lls_component_workflow_state, B("custom:workflow_w:step"), &err),
                        "key 'custom:workflow_w:step' is not of the form "
                        "custom:workflow_<id>:state");
    assert_string_equal(
        check(&lls_component_workflow_state, B("custom:workflow_state"), &err),
        "key 'custom:workflow_state' is not of the form custom:workflow_<id>:state");
}

static void keys_of_sessions_have_any_id(void **state)
{
    lls_error err = {0};

    (void)state;
    assert_string_equal(check(&lls_component_sessions, B("session:x"), &err), "fine");
    assert_string_equal(check(&lls_component_sessions, B("session::"), &err), "fine");
    assert_string_equal(check(&lls_component_sessions, B("session:"), &err),
                        "key 'session:' is not of the form session:<id>");
    assert_string_equal(check(&lls_component_sessions, B("sessions:x"), &err),
                        "key 'sessions:x' is not of the form session:<id>");
}

static void values_are_objects(void **state)
{
    lls_error err = {0};

    (void)state;
    assert_ok(lls_document_check_value(B("{}"), &err), err);
    assert_ok(lls_document_check_value(B(" {\"a\": {\"b\": [null]}}\r\n"), &err), err);
    assert_code(lls_document_check_value(B("[{}]"), &err), LLS_E_PARSE, err);
    assert_string_equal(err.msg, "value is not a JSON object but an array");
    assert_code(lls_document_check_value(B("{} {}"), &err), LLS_E_PARSE, err);
    assert_code(lls_document_check_value(B(""), &err), LLS_E_PARSE, err);
    assert_code(lls_document_check_value(B("{\"\xFF\": 1}"), &err), LLS_E_PARSE, err);
    assert_code(lls_document_check_value(B("\0"), &err), LLS_E_PARSE, err);
}

static void the_catalogue_knows_each_by_its_name(void **state)
{
    static const char *const names[] = {"agent_state", "agent_state_history", "workflow_state",
                                        "sessions",    "episodic_memory",     "unrecognised"};

    (void)state;
    for (size_t i = 0; i < LLS_COUNT(names); i++) {
        const lls_component_def *found = NULL;
        lls_error err = {0};
        assert_ok(lls_component_find(lls_str_of(names[i]), &found, &err), err);
        assert_string_equal(found->name, names[i]);
        assert_ptr_equal(lls_components()[i], found);
        assert_true(strlen(found->summary) > 0 && strlen(found->key_form) > 0);
    }
    assert_null(lls_components()[LLS_COUNT(names)]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_agents_have_a_type_and_an_id),
        cmocka_unit_test(keys_of_workflows_end_in_state),
        cmocka_unit_test(keys_of_sessions_have_any_id),
        cmocka_unit_test(values_are_objects),
        cmocka_unit_test(the_catalogue_knows_each_by_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
