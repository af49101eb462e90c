/* From what rs-llmspell left in a row to a clean record. */
#include "backends/sled/kinds.h"
#include "backends/sled/packed.h"
#include "base/json.h"
#include "base/scope.h"
#include "base/time.h"

#include <lz4.h>

/* An LZ4 block grows to at most so many times its size. */
enum { LZ4_GROWTH = 255, LZ4_SIZE = 4 };

static const sled_field usage_fields[] = {{"total_invocations", NULL, false},
                                          {"successful_invocations", NULL, false},
                                          {"failed_invocations", NULL, false},
                                          {"tool_performance", NULL, false},
                                          {0}};
static const sled_field message_fields[] = {{"role", NULL, false},
                                            {"content", NULL, false},
                                            {"timestamp", NULL, false},
                                            {"metadata", NULL, false},
                                            {0}};
static const sled_field agent_inner_fields[] = {{"conversation_history", message_fields, true},
                                                {"context_variables", NULL, false},
                                                {"tool_usage_stats", usage_fields, false},
                                                {"execution_state", NULL, false},
                                                {"custom_data", NULL, false},
                                                {0}};
static const sled_field agent_metadata_fields[] = {{"name", NULL, false},
                                                   {"description", NULL, false},
                                                   {"version", NULL, false},
                                                   {"capabilities", NULL, false},
                                                   {"provider_config", NULL, false},
                                                   {"tags", NULL, false},
                                                   {0}};
static const sled_field agent_fields[] = {{"agent_id", NULL, false},
                                          {"agent_type", NULL, false},
                                          {"state", agent_inner_fields, false},
                                          {"metadata", agent_metadata_fields, false},
                                          {"creation_time", NULL, false},
                                          {"last_modified", NULL, false},
                                          {"schema_version", NULL, false},
                                          {"hook_registrations", NULL, false},
                                          {"last_hook_execution", NULL, false},
                                          {"correlation_context", NULL, false},
                                          {0}};
static const sled_field session_metadata_fields[] = {{"id", NULL, false},
                                                     {"status", NULL, false},
                                                     {"created_at", NULL, false},
                                                     {"updated_at", NULL, false},
                                                     {"started_at", NULL, false},
                                                     {"ended_at", NULL, false},
                                                     {"created_by", NULL, false},
                                                     {"name", NULL, false},
                                                     {"description", NULL, false},
                                                     {"artifact_count", NULL, false},
                                                     {"total_artifact_size", NULL, false},
                                                     {"operation_count", NULL, false},
                                                     {"tags", NULL, false},
                                                     {"parent_session_id", NULL, false},
                                                     {"custom_metadata", NULL, false},
                                                     {0}};
static const sled_field limit_fields[] = {{"max_memory_bytes", NULL, false},
                                          {"max_cpu_seconds", NULL, false},
                                          {"max_operations", NULL, false},
                                          {"max_storage_bytes", NULL, false},
                                          {0}};
static const sled_field hook_fields[] = {{"on_start", NULL, false},
                                         {"on_end", NULL, false},
                                         {"on_suspend", NULL, false},
                                         {"on_resume", NULL, false},
                                         {"on_artifact_create", NULL, false},
                                         {"timeout_ms", NULL, false},
                                         {0}};
static const sled_field session_config_fields[] = {
    {"max_duration_secs", NULL, false},  {"auto_save_interval_secs", NULL, false},
    {"max_artifacts", NULL, false},      {"auto_collect_artifacts", NULL, false},
    {"enable_replay", NULL, false},      {"retention_days", NULL, false},
    {"metadata", NULL, false},           {"resource_limits", limit_fields, false},
    {"hook_config", hook_fields, false}, {0}};
static const sled_field session_fields[] = {{"metadata", session_metadata_fields, false},
                                            {"config", session_config_fields, false},
                                            {"state", NULL, false},
                                            {"artifact_ids", NULL, false},
                                            {"snapshot_at", NULL, false},
                                            {"version", NULL, false},
                                            {0}};

static lls_err odd(const char *what, lls_error *err)
{
    return lls_fail(err, LLS_E_PARSE, "%s", what);
}

/* The value as a JSON object, or LLS_E_PARSE. */
static lls_err object_of(lls_bytes value, lls_json_value *out, lls_error *err)
{
    lls_str text = {(const char *)value.data, value.len};

    LLS_TRY(lls_json_check(text, out, err));
    return out->type == LLS_JSON_OBJECT ? LLS_OK : odd("not a JSON object", err);
}

/* A moment in microseconds, from RFC 3339, or from {"secs_since_epoch": …, "nanos_since_epoch": …},
 * or from [secs, nanos]; 0 when it is none of them. */
static int64_t moment_of(lls_json_value value)
{
    static const lls_str names[] = {LLS_STR_INIT("secs_since_epoch"),
                                    LLS_STR_INIT("nanos_since_epoch")};
    lls_json_value parts[2];
    double numbers[2] = {0, 0};
    lls_str name;
    int64_t usec = 0;

    if (value.type == LLS_JSON_STRING) {
        lls_str text = {value.text.data + 1, value.text.len - 2};
        return lls_time_parse(text, &usec, NULL) == LLS_OK ? usec : 0;
    }
    lls_json_walk walk = {0};
    if (value.type == LLS_JSON_ARRAY)
        walk = lls_json_walk_begin(value);
    else if (value.type != LLS_JSON_OBJECT)
        return 0;
    for (size_t i = 0; i < 2; i++) {
        bool there = value.type == LLS_JSON_ARRAY ? lls_json_walk_next(&walk, &name, &parts[i])
                                                  : lls_json_member(value, names[i], &parts[i]);
        if (!there || parts[i].type != LLS_JSON_NUMBER ||
            lls_json_number(parts[i].text, &numbers[i], NULL) != LLS_OK)
            return 0;
    }
    if (numbers[0] < 0 || numbers[0] > 2.5e11 || numbers[1] < 0 || numbers[1] >= 1e9)
        return 0;
    return (int64_t)numbers[0] * 1000000 + (int64_t)(numbers[1] / 1000);
}

static int64_t moment_at(lls_json_value object, const char *name)
{
    lls_json_value value;

    return lls_json_member(object, lls_str_of(name), &value) ? moment_of(value) : 0;
}

static lls_err text_at(lls_json_value object, const char *name, lls_buf *out, lls_error *err)
{
    lls_json_value value;

    if (!lls_json_member(object, lls_str_of(name), &value) || value.type != LLS_JSON_STRING)
        return odd("a name or a type is missing", err);
    lls_json_unescape(value.text, out);
    return lls_buf_status(out, err);
}

static lls_err take_text(lls_bytes key, lls_bytes value, sled_record *out, lls_error *err)
{
    lls_buf_clear(&out->key);
    lls_buf_clear(&out->value);
    lls_buf_add(&out->key, key);
    lls_buf_add(&out->value, value);
    LLS_TRY(lls_buf_status(&out->key, err));
    return lls_buf_status(&out->value, err);
}

/* As documented: the row is the record. */
static lls_err decode_plain(lls_bytes key, lls_bytes value, sled_record *out, lls_error *err)
{
    lls_json_value object;

    LLS_TRY(object_of(value, &object, err));
    return take_text(key, value, out, err);
}

/* `state:agent_state:ID` becomes `agent:TYPE:ID`: the type stands in the value. */
static lls_err decode_agent(lls_bytes key, lls_bytes value, sled_record *out, lls_error *err)
{
    static const lls_str prefix = LLS_STR_INIT("state:agent_state:");
    LLS_AUTO(lls_buf) type = {0};
    LLS_AUTO(lls_buf) json = {0};
    lls_json_value object;
    lls_err e = object_of(value, &object, NULL);

    if (e != LLS_OK) { // ids that begin with "test:" went another way
        LLS_TRY(sled_packed_to_json(value, agent_fields, &json, err));
        value = lls_buf_view(&json);
        LLS_TRY(object_of(value, &object, err));
    }
    LLS_TRY(text_at(object, "agent_type", &type, err));
    if (type.len == 0 || memchr(type.data, ':', type.len))
        return odd("the agent's type is empty or has a colon", err);
    LLS_TRY(take_text((lls_bytes){0}, value, out, err));
    lls_buf_add_text(&out->key, "agent:");
    lls_buf_add(&out->key, lls_buf_view(&type));
    lls_buf_add_text(&out->key, ":");
    lls_buf_add(&out->key, (lls_bytes){key.data + prefix.len, key.len - prefix.len});
    out->created_usec = moment_at(object, "creation_time");
    out->updated_usec = moment_at(object, "last_modified");
    return lls_buf_status(&out->key, err);
}

/* {"key": …, "value": …, "timestamp": …, "schema_version": 1}: the value is the record. */
static lls_err decode_workflow(lls_bytes key, lls_bytes value, sled_record *out, lls_error *err)
{
    static const lls_str prefix = LLS_STR_INIT("state:");
    lls_json_value object;
    lls_json_value inner;

    LLS_TRY(object_of(value, &object, err));
    if (!lls_json_member(object, LLS_STR("value"), &inner) || inner.type != LLS_JSON_OBJECT)
        return odd("the wrapped value is missing", err);
    key = (lls_bytes){key.data + prefix.len, key.len - prefix.len};
    LLS_TRY(take_text(key, lls_bytes_of(inner.text), out, err));
    out->created_usec = moment_at(object, "timestamp");
    out->updated_usec = out->created_usec;
    return LLS_OK;
}

/* An LZ4 block behind its size, into `out`. LLS_E_PARSE when it is none. */
static lls_err unpack(lls_bytes value, lls_buf *out, lls_error *err)
{
    if (value.len <= LZ4_SIZE || value.len > INT32_MAX)
        return odd("not LZ4", err);
    uint64_t size = (uint64_t)value.data[0] | (uint64_t)value.data[1] << 8 |
                    (uint64_t)value.data[2] << 16 | (uint64_t)value.data[3] << 24;
    if (size == 0 || size > LLS_VALUE_MAX || size > (uint64_t)LZ4_GROWTH * value.len)
        return odd("not LZ4", err);
    lls_buf_reserve(out, (size_t)size);
    LLS_TRY(lls_buf_status(out, err));
    int got = LZ4_decompress_safe((const char *)value.data + LZ4_SIZE, (char *)out->data,
                                  (int)(value.len - LZ4_SIZE), (int)size);
    if (got < 0 || (uint64_t)got != size)
        return odd("not LZ4", err);
    out->len = (size_t)size;
    return LLS_OK;
}

static lls_err decode_session(lls_bytes key, lls_bytes value, sled_record *out, lls_error *err)
{
    LLS_AUTO(lls_buf) plain = {0};
    LLS_AUTO(lls_buf) json = {0};
    lls_json_value object;
    lls_json_value metadata;

    if (object_of(value, &object, NULL) == LLS_OK)
        return take_text(key, value, out, err);
    lls_err e = unpack(value, &plain, err);
    if (e == LLS_E_NOMEM)
        return e;
    LLS_TRY(sled_packed_to_json(e == LLS_OK ? lls_buf_view(&plain) : value, session_fields, &json,
                                err));
    LLS_TRY(object_of(lls_buf_view(&json), &object, err));
    LLS_TRY(take_text(key, lls_buf_view(&json), out, err));
    if (lls_json_member(object, LLS_STR("metadata"), &metadata)) {
        out->created_usec = moment_at(metadata, "created_at");
        out->updated_usec = moment_at(metadata, "updated_at");
    }
    return LLS_OK;
}

lls_err sled_record_decode(sled_kind kind, lls_bytes key, lls_bytes value, sled_record *out,
                           lls_error *err)
{
    out->created_usec = 0;
    out->updated_usec = 0;
    switch (kind) {
    case SLED_AGENT:
    case SLED_WORKFLOW:
        return decode_plain(key, value, out, err);
    case SLED_AGENT_STATE:
        return decode_agent(key, value, out, err);
    case SLED_WORKFLOW_STATE:
        return decode_workflow(key, value, out, err);
    case SLED_SESSION:
        return decode_session(key, value, out, err);
    default:
        return odd("no component understands it", err);
    }
}
