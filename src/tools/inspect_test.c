#include <llmspell/inspect.h>

#include "base/file.h"
#include "base/scope.h"
#include "testing/store_folder.h"

static const char backend_name[] = "lmdb";

#define PUT(coll_, key_, value_)                                                                   \
    {                                                                                              \
        .verb = LLS_KV_PUT, .coll = LLS_STR_INIT(coll_), .key = B(key_), .value = B(value_)        \
    }

static void backends_come_in_name_order(void **state)
{
    lls_backend_info info = {0};
    const char *before = "";
    bool volatile_one = false;
    size_t count = 0;

    (void)state;
    for (; lls_backend_info_at(count, &info); count++) {
        assert_true(strcmp(before, info.name) < 0);
        assert_non_null(info.summary);
        volatile_one = volatile_one || !info.persistent;
        assert_true(info.transactional && info.atomic_ops);
        before = info.name;
    }
    assert_true(count >= 1);
    assert_true(volatile_one);
    assert_false(lls_backend_info_at(count, &info));
}

static void options_are_told_one_by_one(void **state)
{
    lls_option_info option = {0};
    bool has_path = false;
    size_t count = 0;

    (void)state;
    for (; lls_option_info_at(backend_name, count, &option); count++) {
        assert_non_null(option.meaning);
        assert_int_equal(option.choices != NULL, strcmp(option.type, "choice") == 0);
        has_path =
            has_path || (strcmp(option.name, "path") == 0 && strcmp(option.type, "path") == 0);
    }
    assert_true(has_path);
    assert_false(lls_option_info_at(backend_name, count, &option));
    assert_false(lls_option_info_at("none", 0, &option));
}

typedef struct seen {
    lls_buf text;
    volatile int cancel;
} seen;

static void see_fact(void *user, const char *name, const char *value)
{
    seen *s = user;

    if (strcmp(name, "backend") == 0 || strcmp(name, "persistent") == 0)
        lls_buf_printf(&s->text, "%s=%s ", name, value);
    assert_true(strlen(name) > 0 && value != NULL);
}

static void see_component(void *user, const lls_component_info *info)
{
    seen *s = user;

    lls_buf_printf(&s->text, "%s=%d%s ", info->component, (int)info->count,
                   info->bytes ? "" : " without bytes");
}

static void inspection_creates_nothing(void **state)
{
    lls_store_folder *f = *state;
    seen s = {0};
    lls_info_handler handler = {.fact = see_fact, .component = see_component, .user = &s};
    lls_error err = {0};

    assert_code(lls_inspect(f->config, NULL, &handler, &err), LLS_E_NOTFOUND, err);
    assert_non_null(strstr(err.msg, lls_buf_cstr(&f->path)));
    assert_code(lls_validate(f->config, NULL, NULL, &err), LLS_E_NOTFOUND, err);
    assert_false(lls_file_exists(lls_buf_cstr(&f->path)));
    assert_int_equal(s.text.len, 0);
}

static void inspection_tells_what_is_there(void **state)
{
    lls_store_folder *f = *state;
    seen s = {0};
    lls_info_handler handler = {.fact = see_fact, .component = see_component, .user = &s};
    lls_error err = {0};
    const lls_kv_write writes[] = {
        PUT("agent_state", "agent:a:1", "{}"),
        PUT("agent_state", "agent:a:2", "{}"),
        PUT("sessions", "session:1", "{}"),
        {.verb = LLS_KV_PUT,
         .coll = LLS_STR("sessions"),
         .key = B("session:2"),
         .value = B("{}"),
         .meta = {.expires_usec = 1}},
    };

    lls_store_folder_write(f, writes, LLS_COUNT(writes));
    assert_ok(lls_inspect(f->config, backend_name, &handler, &err), err);
    lls_str text = lls_buf_str(&s.text);
    assert_non_null(strstr(lls_buf_cstr(&s.text), "backend=lmdb persistent=yes "));
    assert_non_null(strstr(lls_buf_cstr(&s.text), "agent_state=2 "));
    assert_non_null(strstr(lls_buf_cstr(&s.text), "workflow_state=0"));
    assert_non_null(strstr(lls_buf_cstr(&s.text), "sessions=1 ")); // the other one expired
    assert_true(text.len > 0);
    lls_buf_fini(&s.text);
}

static void an_empty_handler_is_fine(void **state)
{
    lls_store_folder *f = *state;
    lls_info_handler handler = {0};
    lls_error err = {0};

    lls_store_folder_write(f, NULL, 0);
    assert_ok(lls_inspect(f->config, NULL, &handler, &err), err);
}

static void backends_that_do_not_exist_are_named(void **state)
{
    lls_store_folder *f = *state;
    lls_info_handler handler = {0};
    lls_error err = {0};

    assert_code(lls_inspect(f->config, "oracle", &handler, &err), LLS_E_INVALID, err);
    assert_non_null(strstr(err.msg, "'oracle'"));
    assert_code(lls_schema_status(f->config, "oracle", NULL, NULL, &err), LLS_E_INVALID, err);
}

static void backends_without_a_schema_say_so(void **state)
{
    lls_store_folder *f = *state;
    lls_error err = {0};

    assert_code(lls_schema_status(f->config, NULL, NULL, NULL, &err), LLS_E_UNSUPPORTED, err);
    assert_string_equal(err.msg,
                        "backend 'lmdb' has no schema: it sets itself up when it is first used");
    assert_code(lls_schema_apply(f->config, NULL, NULL, NULL, &err), LLS_E_UNSUPPORTED, err);
    assert_false(lls_file_exists(lls_buf_cstr(&f->path)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backends_come_in_name_order),
        cmocka_unit_test(options_are_told_one_by_one),
        cmocka_unit_test_setup_teardown(inspection_creates_nothing, lls_store_folder_open,
                                        lls_store_folder_close),
        cmocka_unit_test_setup_teardown(inspection_tells_what_is_there, lls_store_folder_open,
                                        lls_store_folder_close),
        cmocka_unit_test_setup_teardown(an_empty_handler_is_fine, lls_store_folder_open,
                                        lls_store_folder_close),
        cmocka_unit_test_setup_teardown(backends_that_do_not_exist_are_named, lls_store_folder_open,
                                        lls_store_folder_close),
        cmocka_unit_test_setup_teardown(backends_without_a_schema_say_so, lls_store_folder_open,
                                        lls_store_folder_close),
    };

    if (!lls_store_folder_possible())
        return 77; // this build does not have it
    return cmocka_run_group_tests(tests, NULL, NULL);
}
