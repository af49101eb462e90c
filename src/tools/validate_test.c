#include <llmspell/inspect.h>

#include "base/file.h"
#include "base/scope.h"
#include "testing/store_folder.h"

#include <fcntl.h>
#include <unistd.h>

#define PUT(coll_, key_, value_)                                                                   \
    {                                                                                              \
        .verb = LLS_KV_PUT, .coll = LLS_STR(coll_), .key = B(key_), .value = B(value_)             \
    }

/* What a validation told, one thing a line. */
typedef struct told {
    lls_buf findings;
    lls_buf components;
    char digest[64]; // of the component that came last
    uint64_t done;
    volatile int cancel;
} told;

static void told_auto(told *t)
{
    lls_buf_fini(&t->findings);
    lls_buf_fini(&t->components);
}

static void on_finding(void *user, const lls_finding *finding)
{
    told *t = user;

    lls_buf_printf(&t->findings, "%s, %s: %s\n", finding->component ? finding->component : "-",
                   finding->key ? finding->key : "-", finding->what);
}

static void on_component(void *user, const char *component, uint64_t records, uint64_t findings,
                         const char *digest)
{
    told *t = user;

    lls_buf_printf(&t->components, "%s %d %d\n", component, (int)records, (int)findings);
    assert_int_equal(strlen(digest), 32);
    memcpy(t->digest, digest, 33);
}

static void on_progress(void *user, const char *component, uint64_t done, uint64_t total)
{
    told *t = user;

    assert_non_null(component);
    assert_true(done <= total);
    t->done = done;
}

static lls_err validate(lls_store_folder *f, told *t, const char *component, lls_error *err)
{
    lls_validate_options options = {
        .abi = LLS_ABI,
        .components = component ? &component : NULL,
        .component_count = component ? 1 : 0,
        .finding = on_finding,
        .progress = on_progress,
        .component = on_component,
        .user = t,
        .cancel = &t->cancel,
    };

    return lls_validate(f->config, NULL, &options, err);
}

static void a_sound_store_has_no_finding(void **state)
{
    LLS_AUTO(told) t = {0};
    lls_error err = {0};
    const lls_kv_write writes[] = {
        PUT("agent_state", "agent:a:1", "{}"),
        PUT("agent_state", "agent:a:2", "{\"n\": [1, 2]}"),
        PUT("workflow_state", "custom:workflow_w:state", "{}"),
        {.verb = LLS_KV_PUT, // expired, but still stored
         .coll = LLS_STR("sessions"),
         .key = B("session:1"),
         .value = B("{}"),
         .meta = {.expires_usec = 1}},
    };

    lls_store_folder_write(*state, writes, LLS_COUNT(writes));
    assert_ok(validate(*state, &t, NULL, &err), err);
    assert_string_equal(lls_buf_cstr(&t.findings), "");
    assert_string_equal(lls_buf_cstr(&t.components),
                        "agent_state 2 0\nagent_state_history 0 0\nworkflow_state 1 0\nsessions 1 "
                        "0\nunrecognised 0 0\n");
    assert_ok(lls_validate(((lls_store_folder *)*state)->config, "lmdb", NULL, &err), err);
}

static void the_digest_changes_with_any_record(void **state)
{
    const lls_kv_write first[] = {PUT("sessions", "session:1", "{}"),
                                  PUT("sessions", "session:2", "{}")};
    const lls_kv_write second[] = {PUT("sessions", "session:1", "{ }")};
    LLS_AUTO(told) before = {0};
    LLS_AUTO(told) again = {0};
    LLS_AUTO(told) after = {0};
    lls_error err = {0};

    lls_store_folder_write(*state, first, LLS_COUNT(first));
    assert_ok(validate(*state, &before, "sessions", &err), err);
    assert_ok(validate(*state, &again, "sessions", &err), err);
    assert_string_equal(before.digest, again.digest);
    lls_store_folder_write(*state, second, LLS_COUNT(second));
    assert_ok(validate(*state, &after, "sessions", &err), err);
    assert_string_not_equal(before.digest, after.digest);
    assert_string_equal(lls_buf_cstr(&after.components), "sessions 2 0\n");
}

static void everything_wrong_is_named(void **state)
{
    LLS_AUTO(told) t = {0};
    lls_error err = {0};
    const lls_kv_write writes[] = {
        PUT("agent_state", "agent:a:1", "{}"),
        PUT("agent_state", "agent:a:2", "[]"),
        PUT("agent_state", "agent::3", "{}"),
        PUT("agent_state", "agent:a:4", "{\"a\" 1}"),
        PUT("agent_state", "b\xFF", "1"),
        PUT("agent_state_history", "agent:a:1@7", "{}"),
        PUT("workflow_state", "custom:workflow_:state", "{}"),
        PUT("sessions", "session:1", "\"text\""),
    };

    lls_store_folder_write(*state, writes, LLS_COUNT(writes));
    assert_code(validate(*state, &t, NULL, &err), LLS_E_CORRUPT, err);
    assert_string_equal(err.msg, "8 findings");
    assert_string_equal(
        lls_buf_cstr(&t.findings),
        "agent_state, agent::3: key 'agent::3' is not of the form agent:<type>:<id>\n"
        "agent_state, agent:a:2: value is not a JSON object but an array\n"
        "agent_state, agent:a:4: value is not JSON: byte 5: a colon is missing\n"
        "agent_state, b\\xff: key 'b\\xff' is not of the form agent:<type>:<id>\n"
        "agent_state, b\\xff: value is not a JSON object but a number\n"
        "agent_state_history, agent:a:1@7: key 'agent:a:1@7' is not of the form "
        "agent:<type>:<id>@<version>\n"
        "workflow_state, custom:workflow_:state: key 'custom:workflow_:state' is not of the form "
        "custom:workflow_<id>:state\n"
        "sessions, session:1: value is not a JSON object but a string\n");
    assert_string_equal(lls_buf_cstr(&t.components),
                        "agent_state 5 5\nagent_state_history 1 1\nworkflow_state 1 1\nsessions 1 "
                        "1\nunrecognised 0 0\n");

    LLS_AUTO(told) one = {0};
    assert_code(validate(*state, &one, "sessions", &err), LLS_E_CORRUPT, err);
    assert_string_equal(err.msg, "1 finding");
    assert_string_equal(lls_buf_cstr(&one.components), "sessions 1 1\n");
}

/* Change one byte of a stored value, behind the store's back. */
static void damage(const lls_store_folder *f, const char *marker)
{
    LLS_AUTO(lls_buf) path = {0};
    LLS_AUTO(lls_buf) data = {0};
    LLS_AUTO(lls_fd) fd = -1;
    lls_error err = {0};
    int changed = 0;

    lls_buf_printf(&path, LLS_FMT "/data.mdb", LLS_ARG(lls_buf_str(&f->path)));
    assert_ok(lls_file_read(lls_buf_cstr(&path), 64 << 20, &data, &err), err);
    fd = open(lls_buf_cstr(&path), O_WRONLY | O_CLOEXEC);
    for (size_t i = 0; i + strlen(marker) <= data.len; i++) {
        if (memcmp(data.data + i, marker, strlen(marker)) != 0)
            continue;
        assert_int_equal(pwrite(fd, "X", 1, (off_t)i), 1);
        changed++;
    }
    assert_true(changed >= 1);
}

static void a_damaged_record_is_named_and_the_rest_is_read(void **state)
{
    LLS_AUTO(told) t = {0};
    lls_error err = {0};
    const lls_kv_write writes[] = {
        PUT("agent_state", "agent:a:1", "{}"),
        PUT("agent_state", "agent:a:2", "{\"marker\": \"needle in a haystack\"}"),
        PUT("agent_state", "agent:a:3", "[]"),
    };

    lls_store_folder_write(*state, writes, LLS_COUNT(writes));
    damage(*state, "needle in a haystack");
    assert_code(validate(*state, &t, "agent_state", &err), LLS_E_CORRUPT, err);
    assert_string_equal(err.msg, "2 findings");
    assert_string_equal(lls_buf_cstr(&t.components), "agent_state 3 2\n");
    assert_non_null(strstr(lls_buf_cstr(&t.findings), "agent:a:2"));
    assert_non_null(strstr(lls_buf_cstr(&t.findings), "agent:a:3: value is not a JSON object"));
}

static void other_tenants_are_not_looked_at(void **state)
{
    static const char *const nothing[] = {"HOME=/nonexistent", NULL};
    lls_store_folder *f = *state;
    const lls_kv_write writes[] = {PUT("agent_state", "x", "x")};
    LLS_AUTO(lls_buf) path = {0};
    LLS_AUTO(told) t = {0};
    lls_config *other = NULL;
    lls_error err = {0};

    lls_store_folder_write(f, writes, LLS_COUNT(writes));
    lls_buf_printf(&path, "storage.path=%s", lls_buf_cstr(&f->path));
    const char *const flags[] = {"storage.backend=lmdb", lls_buf_cstr(&path),
                                 "storage.tenant=other"};
    lls_config_sources sources = {
        .abi = LLS_ABI, .environment = nothing, .flags = flags, .flag_count = LLS_COUNT(flags)};
    assert_ok(lls_config_load(&sources, &other, &err), err);
    lls_store_folder view = {.config = other};
    assert_ok(validate(&view, &t, "agent_state", &err), err);
    assert_string_equal(lls_buf_cstr(&t.components), "agent_state 0 0\n");
    lls_config_free(other);
}

static void progress_is_told_and_may_cancel(void **state)
{
    enum { COUNT = 12000 };
    LLS_AUTO(lls_buf) keys = {0};
    LLS_AUTO(told) t = {0};
    lls_kv_write *writes = test_calloc(COUNT, sizeof(*writes));
    lls_error err = {0};

    for (int i = 0; i < COUNT; i++)
        lls_buf_printf(&keys, "session:%05d", i);
    for (size_t i = 0; i < COUNT; i++) {
        writes[i] = (lls_kv_write)PUT("sessions", "", "{}");
        writes[i].key = (lls_bytes){keys.data + i * 13, 13};
    }
    lls_store_folder_write(*state, writes, COUNT);
    test_free(writes);
    assert_ok(validate(*state, &t, "sessions", &err), err);
    assert_int_equal(t.done, COUNT);
    t.cancel = 1;
    assert_code(validate(*state, &t, "sessions", &err), LLS_E_CANCELLED, err);
    assert_string_equal(err.msg, "validate 'sessions': cancelled");
}

static void bad_options_are_refused(void **state)
{
    lls_store_folder *f = *state;
    lls_validate_options options = {0};
    LLS_AUTO(told) t = {0};
    lls_error err = {0};

    assert_code(lls_validate(f->config, NULL, &options, &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "lls_validate_options.abi is 0, not LLS_ABI (1)");
    assert_code(validate(f, &t, "agents", &err), LLS_E_INVALID, err);
    assert_non_null(strstr(err.msg, "'agents'"));
    assert_false(lls_file_exists(lls_buf_cstr(&f->path)));
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, lls_store_folder_open, lls_store_folder_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sound_store_has_no_finding),    TEST(the_digest_changes_with_any_record),
        TEST(everything_wrong_is_named),       TEST(a_damaged_record_is_named_and_the_rest_is_read),
        TEST(other_tenants_are_not_looked_at), TEST(progress_is_told_and_may_cancel),
        TEST(bad_options_are_refused),
    };

    if (!lls_store_folder_possible())
        return 77; // this build does not have the backend
    return cmocka_run_group_tests(tests, NULL, NULL);
}
