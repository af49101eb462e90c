#include "components/episode_json.h"

#include "base/json.h"
#include "base/scope.h"
#include "ports/vec_record.h"
#include "testing/check.h"

#include <float.h>

static void read_back(lls_str json, lls_buf *value)
{
    lls_error err = {0};

    assert_ok(lls_episode_from_json(json, value, &err), err);
}

static void an_episode_is_the_same_behind_its_json(void **state)
{
    (void)state;
    static const lls_str texts[] = {
        LLS_STR_INIT("{\"session_id\": \"s\", \"role\": \"user\", \"content\": \"\\\"hi\\\"\\n\","
                     " \"happened\": \"2025-01-15T10:30:00.000001Z\", \"processed\": true,"
                     " \"metadata\": {\"a\": [1.50, null]}, \"embedding\": {\"model\": \"m\","
                     " \"metric\": \"l2\", \"normalised\": false, \"vector\": [1,-0,3.40282347e+38,"
                     "1.40129846e-45,0.100000001,0.333333343]}}"),
        LLS_STR_INIT("{\"session_id\": \"s\", \"role\": \"r\", \"content\": \"\","
                     " \"happened\": \"1969-12-31T23:59:59Z\", \"processed\": false,"
                     " \"metadata_text\": \"{\\n}\"}"),
    };

    for (size_t i = 0; i < LLS_COUNT(texts); i++) {
        LLS_AUTO(lls_buf) value = {0};
        LLS_AUTO(lls_buf) json = {0};
        lls_error err = {0};
        read_back(texts[i], &value);
        lls_kv_item item = {B("id"), lls_buf_view(&value), {.version = 1}};
        assert_ok(lls_episode_to_json(&item, &json, &err), err);
        assert_string_equal(lls_buf_cstr(&json), texts[i].data);
    }
}

static void every_float_survives_its_text(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) text = {0};
    uint64_t random = 1;
    lls_error err = {0};

    for (int i = 0; i < 100000; i++) {
        float number;
        double back;
        random = random * 6364136223846793005U + 1442695040888963407U;
        uint32_t bits = (uint32_t)(random >> 32);
        memcpy(&number, &bits, sizeof(number));
        if (number != number || number > FLT_MAX || number < -FLT_MAX)
            continue;
        lls_buf_clear(&text);
        assert_ok(lls_json_add_floats(&number, 1, &text, &err), err);
        lls_str inner = {(const char *)text.data + 1, text.len - 2};
        assert_ok(lls_json_number(inner, &back, &err), err);
        float again = (float)back;
        assert_memory_equal(&again, &number, sizeof(number));
    }
}

static void what_no_episode_is_made_like_stays_bytes(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) value = {0};
    LLS_AUTO(lls_buf) json = {0};
    lls_error err = {0};

    lls_vec_record_encode(&(lls_vec_item){.text = LLS_STR("bare")}, &value);
    lls_kv_item item = {B("id"), lls_buf_view(&value), {.version = 1}};
    assert_code(lls_episode_to_json(&item, &json, &err), LLS_E_UNSUPPORTED, err);
    item.value = B("no record");
    assert_code(lls_episode_to_json(&item, &json, &err), LLS_E_CORRUPT, err);
}

#define MUST "\"session_id\":\"s\",\"role\":\"r\",\"content\":\"c\""

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        lls_str json;
        const char *part;
    } bad[] = {
        {LLS_STR_INIT("[]"), "not a JSON object"},
        {LLS_STR_INIT("{\"role\":\"r\",\"content\":\"c\"}"), "\"session_id\" is missing"},
        {LLS_STR_INIT("{" MUST ",\"content\":\"c\"}"), "\"content\" stands twice"},
        {LLS_STR_INIT("{" MUST ",\"mood\":1}"), "unknown member \"mood\""},
        {LLS_STR_INIT("{" MUST ",\"processed\":1}"), "\"processed\" is not true or false"},
        {LLS_STR_INIT("{" MUST ",\"happened\":\"noon\"}"), "\"happened\""},
        {LLS_STR_INIT("{" MUST ",\"embedding\":{}}"), "\"vector\" of the embedding is missing"},
        {LLS_STR_INIT("{" MUST ",\"embedding\":{\"vector\":[1,\"2\"]}}"), "array of numbers"},
        {LLS_STR_INIT("{" MUST ",\"embedding\":{\"vector\":[1e39]}}"), "not a finite number"},
        {LLS_STR_INIT("{" MUST ",\"embedding\":{\"vector\":[1],\"metric\":\"far\"}}"),
         "no metric 'far'"},
        {LLS_STR_INIT("{" MUST ",\"metadata\":{},\"metadata_text\":\"{}\"}"), "exclude each other"},
        {LLS_STR_INIT("{" MUST ",\"metadata\":3}"), "not an object"},
    };

    for (size_t i = 0; i < LLS_COUNT(bad); i++) {
        LLS_AUTO(lls_buf) value = {0};
        lls_error err = {0};
        assert_true(lls_episode_from_json(bad[i].json, &value, &err) != LLS_OK);
        if (!strstr(err.msg, bad[i].part))
            fail_msg("%s: '%s'", bad[i].json.data, err.msg);
        assert_int_equal(value.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_episode_is_the_same_behind_its_json),
        cmocka_unit_test(every_float_survives_its_text),
        cmocka_unit_test(what_no_episode_is_made_like_stays_bytes),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
