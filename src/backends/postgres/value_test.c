/* Values come back byte for byte, and what is JSON can be asked for in SQL. */
#include "backends/postgres/value.h"

#include "testing/postgres_fixture.h"

static lls_private_postgres server;
static lls_backend *backend;

static const lls_kv_space own = {LLS_STR_INIT("t"), LLS_STR_INIT("agent_state")};
static const lls_kv_space shared = {LLS_STR_INIT("t"), LLS_STR_INIT("notes")};

static int start(void **state)
{
    (void)state;
    fixture_start_server(&server, NULL);
    backend = fixture_open(server.connection, NULL, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lls_backend_close(backend);
    lls_private_postgres_stop(&server);
    return 0;
}

static void assert_comes_back(lls_kv_space space, lls_bytes key, lls_bytes value)
{
    LLS_AUTO(lls_buf) got = {0};
    lls_error err = {0};

    assert_ok(lls_kv_put(backend->kv, space, key, value, &err), err);
    assert_ok(lls_kv_get(backend->kv, space, key, &got, NULL, &err), err);
    if (!lls_bytes_eq(lls_buf_view(&got), value))
        fail_msg("%zu bytes went in, %zu other ones came back", value.len, got.len);
}

/* Each with the column that it belongs into. */
static const struct {
    lls_bytes value;
    bool is_json;
} samples[] = {
#define SAMPLE(literal, json)                                                                      \
    {                                                                                              \
        {(const uint8_t *)(literal), sizeof(literal) - 1}, json                                    \
    }
    SAMPLE("{}", true),
    SAMPLE("null", true),
    SAMPLE(" \t\n{ \"b\" : 1 ,\r\n \"a\":2 } \n", true),
    SAMPLE("{\"a\": 1, \"a\": 2, \"a\": 3}", true),
    SAMPLE("{\"z\": 1e400, \"y\": -0.0, \"x\": 1.50, \"w\": 123456789012345678901234567890}", true),
    SAMPLE("\"\\u0000 \\ud83d\\ude00 \\/ \xf0\x9f\x98\x80 \xc3\xa9\"", true),
    SAMPLE("\"\\ud83d\"", false),
    SAMPLE("{\"a\": 1", false),
    SAMPLE("", false),
    SAMPLE(" ", false),
    SAMPLE("plain text", false),
    SAMPLE("\0", false),
    SAMPLE("{\"a\": \"\0\"}", false),
    SAMPLE("\"\xff\xfe\"", false),
    SAMPLE("\"\xc0\x80\"", false),
    SAMPLE("\"\xed\xa0\x80\"", false),
    SAMPLE("\xef\xbb\xbf{}", false),
    SAMPLE("\\x00", false),
    SAMPLE("[1] x", false),
    SAMPLE("nul", false),
    SAMPLE("'; DROP TABLE llmspell.agent_state; --", false),
};

static void values_come_back_byte_for_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < LLS_COUNT(samples); i++) {
        assert_comes_back(own, B("v"), samples[i].value);
        assert_comes_back(shared, B("v"), samples[i].value);
        assert_int_equal(lls_pg_is_json(samples[i].value), samples[i].is_json);
        assert_string_equal(
            fixture_sql(server.connection, "SELECT value IS NOT NULL FROM llmspell.agent_state"),
            samples[i].is_json ? "t" : "f");
    }
}

/* The same ones through COPY, and in bulk through arrays. */
static void values_come_back_from_stages_and_batches(void **state)
{
    enum { COUNT = LLS_COUNT(samples) };
    lls_kv_item items[COUNT];
    lls_kv_write writes[COUNT];
    char keys[COUNT][8];
    lls_error err = {0};
    lls_kv_stage *stage = NULL;
    lls_stage_spec spec = {LLS_STR("s"), LLS_STR("values"), &own.coll, 1, LLS_STAGE_MERGE};

    (void)state;
    for (int i = 0; i < (int)COUNT; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "%03d", i);
        lls_bytes key = lls_bytes_of(lls_str_of(keys[i]));
        items[i] = (lls_kv_item){key, samples[i].value, {(uint64_t)i + 7, i - 1, i + 1, i}};
        writes[i] = (lls_kv_write){.verb = LLS_KV_RESTORE,
                                   .coll = own.coll,
                                   .key = key,
                                   .value = samples[i].value,
                                   .meta = items[i].meta};
    }
    assert_ok(lls_kv_apply(backend->kv, LLS_STR("b"), writes, COUNT, &err), err);
    assert_ok(lls_stage_open(backend->kv, &spec, &stage, &err), err);
    assert_ok(lls_stage_add(stage, own.coll, items, COUNT, &err), err);
    assert_ok(lls_stage_prepare(stage, &err), err);
    assert_ok(lls_stage_publish(stage, &err), err);
    lls_stage_close(stage);
    for (const char *tenant = "sb"; *tenant; tenant++) {
        LLS_AUTO(lls_kv_iter_ref) it = NULL;
        lls_kv_space space = {{tenant, 1}, own.coll};
        lls_kv_item item;
        assert_ok(lls_kv_scan(backend->kv, space, (lls_kv_range){0}, LLS_KV_ALL, &it, &err), err);
        for (size_t i = 0; i < COUNT; i++) {
            assert_ok(lls_kv_iter_next(it, &item, &err), err);
            assert_true(lls_bytes_eq(item.key, items[i].key));
            assert_true(lls_bytes_eq(item.value, items[i].value));
            assert_memory_equal(&item.meta, &items[i].meta, sizeof(item.meta));
        }
        assert_code(lls_kv_iter_next(it, &item, &err), LLS_END, err);
    }
}

static void the_largest_values_come_back(void **state)
{
    uint8_t *bytes = malloc(LLS_VALUE_MAX);

    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i < LLS_VALUE_MAX; i++)
        bytes[i] = (uint8_t)(i * 31 >> 3);
    assert_comes_back(own, B("large"), (lls_bytes){bytes, LLS_VALUE_MAX});
    memset(bytes, 'x', LLS_VALUE_MAX);
    bytes[0] = bytes[LLS_VALUE_MAX - 1] = '"';
    assert_comes_back(own, B("large"), (lls_bytes){bytes, LLS_VALUE_MAX});
    free(bytes);
}

static void keys_may_hold_any_byte_and_sort_as_bytes(void **state)
{
    lls_kv_space space = {LLS_STR("order"), own.coll};
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_error err = {0};
    lls_kv_item item;
    uint8_t last = 0;
    int count = 0;

    (void)state;
    for (int i = 255; i >= 0; i--) {
        uint8_t key[LLS_KEY_MAX];
        memset(key, i, sizeof(key));
        assert_ok(lls_kv_put(backend->kv, space,
                             (lls_bytes){key, i % 2 ? sizeof(key) : 1 + (size_t)i % 5}, B("{}"),
                             &err),
                  err);
    }
    assert_ok(lls_kv_scan(backend->kv, space, (lls_kv_range){0}, LLS_KV_ALL, &it, &err), err);
    while (lls_kv_iter_next(it, &item, &err) == LLS_OK) {
        assert_true(count == 0 || item.key.data[0] > last);
        last = item.key.data[0];
        count++;
    }
    assert_int_equal(count, 256);
    lls_kv_iter_close(it);
    it = NULL;
    lls_kv_range high = {.prefix = B("\xff"), .after = B("\xff")};
    assert_ok(lls_kv_scan(backend->kv, space, high, LLS_KV_ALL, &it, &err), err);
    assert_ok(lls_kv_iter_next(it, &item, &err), err);
    assert_int_equal(item.key.len, LLS_KEY_MAX);
    assert_code(lls_kv_iter_next(it, &item, &err), LLS_END, err);
}

static void json_can_be_asked_for_in_sql(void **state)
{
    lls_error err = {0};

    (void)state;
    assert_ok(fixture_put(backend->kv, "q", "agent_state", "agent:writer:a:b",
                          "{\"mood\": \"good\", \"n\": {\"deep\": [1, 2]}}", &err),
              err);
    assert_ok(fixture_put(backend->kv, "q", "workflow_state", "custom:workflow_w1:state",
                          "{\"status\": \"running\"}", &err),
              err);
    assert_ok(fixture_put(backend->kv, "q", "sessions", "session:s1", "{}", &err), err);
#define AS_Q                                                                                       \
    "BEGIN; SELECT set_config('llmspell.current_tenant', 'q', true), set_config('role',"           \
    " 'llmspell_app', true); "
    assert_string_equal(
        fixture_sql(server.connection, AS_Q "SELECT value->>'mood' FROM llmspell.agent_state"),
        "good");
    assert_string_equal(fixture_sql(server.connection,
                                    AS_Q "SELECT agent_type || '/' || agent_id ||"
                                         " (value->'n'->'deep'->>1) FROM llmspell.agent_states"),
                        "writer/a:b2");
    assert_string_equal(
        fixture_sql(server.connection,
                    AS_Q "SELECT workflow_id || (value->>'status') FROM llmspell.workflow_states"),
        "w1running");
    assert_string_equal(
        fixture_sql(server.connection, AS_Q "SELECT session_id FROM llmspell.session_list"), "s1");
}

/* The same batch may hold the same key twice, and any mix of verbs: done in order. */
static void batches_are_done_in_order(void **state)
{
    enum { COUNT = 400 };
    lls_kv_space space = {LLS_STR("batch"), shared.coll};
    lls_kv_write writes[COUNT];
    LLS_AUTO(lls_buf) got = {0};
    lls_kv_meta meta;
    lls_error err = {0};
    char keys[COUNT][8];
    uint64_t count;

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "%d", i % 100);
        writes[i] = (lls_kv_write){.verb = i % 40 == 39 ? LLS_KV_DELETE : LLS_KV_PUT,
                                   .coll = i < 200 ? space.coll : LLS_STR("sessions"),
                                   .key = lls_bytes_of(lls_str_of(keys[i])),
                                   .value = i < 100 ? B("1") : B("not json")};
    }
    assert_ok(lls_kv_apply(backend->kv, space.tenant, writes, COUNT, &err), err);
    assert_ok(lls_kv_get(backend->kv, space, B("5"), &got, &meta, &err), err);
    assert_bytes(lls_buf_view(&got), "not json");
    assert_int_equal(meta.version, 2);
    assert_code(lls_kv_get(backend->kv, space, B("19"), &got, &meta, &err), LLS_E_NOTFOUND, err);
    assert_ok(lls_kv_count(backend->kv, space, &count, &err), err);
    assert_int_equal(count, 97); // 39 and 79 were deleted at first, 19, 59 and 99 at last
    lls_kv_write bad[] = {
        writes[0],
        writes[1],
        {.verb = LLS_KV_CREATE, .coll = space.coll, .key = B("1"), .value = B("x")}};
    bad[0].value = B("changed");
    assert_code(lls_kv_apply(backend->kv, space.tenant, bad, 3, &err), LLS_E_EXISTS, err);
    assert_string_equal(err.msg, "key '1' is there already");
    lls_buf_clear(&got);
    assert_ok(lls_kv_get(backend->kv, space, B("0"), &got, &meta, &err), err);
    assert_bytes(lls_buf_view(&got), "not json");
}

static void a_store_for_reading_writes_nothing(void **state)
{
    lls_setting setting = {"connection", server.connection, "test"};
    lls_backend_params params = {.access = LLS_READ_ONLY};
    lls_backend *reader = NULL;
    lls_error err = {0};
    uint64_t count;

    (void)state;
    assert_ok(lls_backend_open(LLS_STR("postgres"), &setting, 1, &params, &reader, &err), err);
    assert_code(fixture_put(reader->kv, "t", "sessions", "k", "1", &err), LLS_E_DENIED, err);
    assert_code(lls_kv_clear(reader->kv, own, &err), LLS_E_DENIED, err);
    assert_code(reader->def->schema->apply(reader, NULL, NULL, &err), LLS_E_DENIED, err);
    assert_ok(lls_kv_count(reader->kv, own, &count, &err), err);
    assert_ok(reader->def->ready(reader, 0, &err), err);
    lls_backend_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_back_byte_for_byte),
        cmocka_unit_test(values_come_back_from_stages_and_batches),
        cmocka_unit_test(the_largest_values_come_back),
        cmocka_unit_test(keys_may_hold_any_byte_and_sort_as_bytes),
        cmocka_unit_test(json_can_be_asked_for_in_sql),
        cmocka_unit_test(batches_are_done_in_order),
        cmocka_unit_test(a_store_for_reading_writes_nothing),
    };

    fixture_need_server();
    return cmocka_run_group_tests_name("postgres values", tests, start, stop);
}
