#include <llmspell/transfer.h>

#include "base/scope.h"
#include "testing/component_suite.h"
#include "testing/transfer.h"

#define AGENTS LLS_STR("agent_state")

static const lls_transfer_options full = {.abi = LLS_ABI, .full = true};

static int open_store(void **state)
{
    static const char *const flags[] = {"storage.backend=memory"};

    return lls_component_open(flags, LLS_COUNT(flags), state);
}

static lls_store *store_of(void **state)
{
    const lls_component_fixture *fixture = *state;

    return fixture->store;
}

static void plain_lines_are_saved_as_a_new_version(void **state)
{
    lls_component_fixture *fixture = *state;
    lls_bytes text = B("{\"key\": \"agent:a:1\", \"value\": {\"n\": 1}}\n");
    LLS_AUTO(lls_buf) value = {0};
    lls_record meta = {0};
    lls_error err = {0};

    assert_ok(lls_import_text(fixture->store, AGENTS, text, NULL, NULL, &err), err);
    assert_ok(lls_import_text(fixture->store, AGENTS, text, NULL, NULL, &err), err);
    assert_ok(lls_store_get(fixture->store, AGENTS, B("agent:a:1"), &value, &meta, &err), err);
    assert_bytes(lls_buf_view(&value), "{\"n\": 1}");
    assert_int_equal(meta.version, 2);
    assert_int_equal(meta.updated_usec, fixture->now_usec);
    lls_assert_export(fixture->store, AGENTS, NULL, text);
}

static void lines_may_come_in_any_order_and_layout(void **state)
{
    lls_error err = {0};
    uint64_t records = 0;

    assert_ok(
        lls_import_text(store_of(state), AGENTS,
                        B("\r\n{\"value\":{},\"key\":\"agent:z:1\"}\r\n"
                          "\n\n { \"key\" : \"agent:a:\\u00e9\" , \"value\" :  {\"x\": [ 1 ]} } \n"
                          "{\"key_base64\": \"YWdlbnQ6bTox\", \"value_base64\": \"ewp9\"}"),
                        NULL, &records, &err),
        err);
    assert_int_equal(records, 3);
    lls_assert_export(store_of(state), AGENTS, NULL,
                      B("{\"key\": \"agent:a:é\", \"value\": {\"x\": [ 1 ]}}\n"
                        "{\"key\": \"agent:m:1\", \"value_base64\": \"ewp9\"}\n"
                        "{\"key\": \"agent:z:1\", \"value\": {}}\n"));
}

static void a_bad_line_is_named_and_says_how_far_it_got(void **state)
{
    lls_transfer_options options = {.abi = LLS_ABI, .batch = 5};
    LLS_AUTO(lls_buf) text = {0};
    lls_store_list *list = NULL;
    lls_record record = {0};
    lls_error err = {0};
    uint64_t records = 99;
    int count = 0;

    for (int i = 1; i <= 30; i++)
        lls_buf_printf(&text, "{\"key\": \"agent:a:%02d\", \"value\": {}%s}\n", i,
                       i == 17 ? ", \"colour\": 1" : "");
    assert_code(
        lls_import_text(store_of(state), AGENTS, lls_buf_view(&text), &options, &records, &err),
        LLS_E_PARSE, err);
    assert_string_equal(err.msg, "import 'agent_state': line 17: unknown member \"colour\"");
    assert_int_equal(records, 15);
    assert_ok(lls_store_list_open(store_of(state), AGENTS, B(""), B(""), &list, &err), err);
    while (lls_store_list_next(list, &record, &err) == LLS_OK)
        count++;
    lls_store_list_close(list);
    assert_int_equal(count, 15);
}

static void what_does_not_belong_is_refused(void **state)
{
    static const struct {
        const char *line;
        lls_err code;
        const char *message;
    } cases[] = {
        {"{\"key\": \"session:1\", \"value\": {}}", LLS_E_INVALID,
         "import 'agent_state': line 2: key 'session:1' is not of the form agent:<type>:<id>"},
        {"{\"key\": \"agent:a:2\", \"value\": [1]}", LLS_E_PARSE,
         "import 'agent_state': line 2: value is not a JSON object but an array"},
        {"{\"key\": \"agent:a:2\", \"value_base64\": \"gICA\"}", LLS_E_PARSE, NULL},
        {"{\"key\": \"agent:a:2\", \"value\": {}, \"created\": \"2025-01-01T00:00:00Z\"}",
         LLS_E_PARSE,
         "import 'agent_state': line 2: members \"created\" and \"updated\" need \"version\""},
        {"{\"key\": \"agent:a:2\", \"value\": {}, \"version\": 0}", LLS_E_PARSE, NULL},
        {"{\"key\": \"\", \"value\": {}}", LLS_E_INVALID, NULL},
        {"{\"key\": \"agent:a:2\"}", LLS_E_PARSE, NULL},
        {"not json", LLS_E_PARSE, NULL},
        {"\xEF\xBB\xBF{}", LLS_E_PARSE, NULL},
    };

    for (size_t i = 0; i < LLS_COUNT(cases); i++) {
        LLS_AUTO(lls_buf) text = {0};
        lls_error err = {0};
        uint64_t records = 99;
        lls_buf_printf(&text, "{\"key\": \"agent:a:1\", \"value\": {}}\n%s\n", cases[i].line);
        assert_code(
            lls_import_text(store_of(state), AGENTS, lls_buf_view(&text), NULL, &records, &err),
            cases[i].code, err);
        assert_int_equal(records, 0);
        assert_non_null(strstr(err.msg, "import 'agent_state': line 2: "));
        if (cases[i].message)
            assert_string_equal(err.msg, cases[i].message);
        lls_assert_export(store_of(state), AGENTS, NULL, B(""));
    }
}

static void a_byte_order_mark_is_explained(void **state)
{
    lls_error err = {0};

    assert_code(lls_import_text(store_of(state), AGENTS, B("\xEF\xBB\xBF{}\n"), NULL, NULL, &err),
                LLS_E_PARSE, err);
    assert_string_equal(err.msg, "import 'agent_state': line 1: begins with a byte order mark: "
                                 "write the file as UTF-8 without it");
}

static void unknown_components_are_named(void **state)
{
    lls_error err = {0};

    assert_code(lls_import_text(store_of(state), LLS_STR("agents"), B(""), NULL, NULL, &err),
                LLS_E_INVALID, err);
    assert_non_null(strstr(err.msg, "'agents'"));
    assert_code(lls_export(store_of(state), LLS_STR("agents"), 1, NULL, NULL, &err), LLS_E_INVALID,
                err);
    assert_non_null(strstr(err.msg, "'agents'"));
}

static void options_of_another_version_are_refused(void **state)
{
    lls_transfer_options options = {.full = true};
    lls_error err = {0};

    assert_code(lls_import_text(store_of(state), AGENTS, B(""), &options, NULL, &err),
                LLS_E_INVALID, err);
    assert_string_equal(err.msg, "lls_transfer_options.abi is 0, not LLS_ABI (1)");
    assert_code(lls_export(store_of(state), AGENTS, 1, &options, NULL, &err), LLS_E_INVALID, err);
}

static void existing_records_are_kept_when_asked(void **state)
{
    static const char plain[] = "{\"key\": \"agent:a:2\", \"value\": {\"new\": 1}}\n";
    static const char exact[] =
        "{\"key\": \"agent:a:1\", \"value\": {\"new\": 1}, \"version\": 7}\n";
    lls_transfer_options keep = {.abi = LLS_ABI, .keep_existing = true};
    lls_bytes old = B("{\"key\": \"agent:a:1\", \"value\": {}}\n"
                      "{\"key\": \"agent:a:2\", \"value\": {}}\n");
    LLS_AUTO(lls_buf) value = {0};
    lls_record meta = {0};
    lls_error err = {0};
    uint64_t records = 99;

    assert_ok(lls_import_text(store_of(state), AGENTS, old, NULL, NULL, &err), err);
    assert_code(lls_import_text(store_of(state), AGENTS, lls_bytes_of(lls_str_of(plain)), &keep,
                                &records, &err),
                LLS_E_EXISTS, err);
    assert_int_equal(records, 0);
    assert_non_null(strstr(err.msg, "import 'agent_state': lines 1 to 1: "));
    assert_non_null(strstr(err.msg, "agent:a:2"));
    assert_code(lls_import_text(store_of(state), AGENTS, lls_bytes_of(lls_str_of(exact)), &keep,
                                &records, &err),
                LLS_E_EXISTS, err);
    lls_assert_export(store_of(state), AGENTS, NULL, old);

    // What is not there yet is restored with its version.
    assert_ok(lls_store_delete(store_of(state), AGENTS, B("agent:a:1"), &err), err);
    assert_ok(lls_import_text(store_of(state), AGENTS, lls_bytes_of(lls_str_of(exact)), &keep,
                              &records, &err),
              err);
    assert_ok(lls_store_get(store_of(state), AGENTS, B("agent:a:1"), &value, &meta, &err), err);
    assert_bytes(lls_buf_view(&value), "{\"new\": 1}");
    assert_int_equal(meta.version, 7);
}

static void what_has_expired_stays_behind(void **state)
{
    lls_component_fixture *fixture = *state;
    lls_str sessions = LLS_STR("sessions");
    lls_bytes both = B("{\"key\": \"session:1\", \"value\": {}, \"version\": 3, \"created\": "
                       "\"2024-01-01T00:00:00Z\", \"updated\": \"2024-01-02T00:00:00Z\", "
                       "\"expires\": \"2025-01-01T00:00:01Z\"}\n"
                       "{\"key\": \"session:2\", \"value\": {}, \"version\": 1, \"created\": "
                       "\"2024-01-01T00:00:00Z\", \"updated\": \"2024-01-01T00:00:00Z\"}\n");
    lls_error err = {0};

    assert_ok(lls_import_text(fixture->store, sessions, both, NULL, NULL, &err), err);
    lls_assert_export(fixture->store, sessions, &full, both);
    fixture->now_usec += 1000000;
    lls_assert_export(fixture->store, sessions, NULL,
                      B("{\"key\": \"session:2\", \"value\": {}}\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LLS_COMPONENT_TEST(plain_lines_are_saved_as_a_new_version),
        LLS_COMPONENT_TEST(lines_may_come_in_any_order_and_layout),
        LLS_COMPONENT_TEST(a_bad_line_is_named_and_says_how_far_it_got),
        LLS_COMPONENT_TEST(what_does_not_belong_is_refused),
        LLS_COMPONENT_TEST(a_byte_order_mark_is_explained),
        LLS_COMPONENT_TEST(unknown_components_are_named),
        LLS_COMPONENT_TEST(options_of_another_version_are_refused),
        LLS_COMPONENT_TEST(existing_records_are_kept_when_asked),
        LLS_COMPONENT_TEST(what_has_expired_stays_behind),
    };

    return cmocka_run_group_tests(tests, open_store, lls_component_close);
}
