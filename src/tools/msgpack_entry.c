#include "tools/msgpack_entry.h"

#include "base/json.h"
#include "base/packed.h"
#include "base/time.h"

#include <inttypes.h>
#include <math.h>

static const msgpack_object *member(const msgpack_object *map, const char *name)
{
    for (uint32_t i = 0; map->type == MSGPACK_OBJECT_MAP && i < map->via.map.size; i++) {
        const msgpack_object *key = &map->via.map.ptr[i].key;
        if (key->type == MSGPACK_OBJECT_STR &&
            lls_str_eq((lls_str){key->via.str.ptr, key->via.str.size}, lls_str_of(name)))
            return &map->via.map.ptr[i].val;
    }
    return NULL;
}

static bool is_text(const msgpack_object *value)
{
    return value && value->type == MSGPACK_OBJECT_STR && value->via.str.size > 0;
}

static lls_str text_of(const msgpack_object *value)
{
    return (lls_str){value->via.str.ptr, value->via.str.size};
}

/* SystemTime is [seconds, nanoseconds]; chrono's time a text. */
static bool time_of(const msgpack_object *value, int64_t *usec)
{
    const msgpack_object *part;

    if (!value || value->type == MSGPACK_OBJECT_NIL)
        return false;
    if (value->type == MSGPACK_OBJECT_STR)
        return lls_time_parse(text_of(value), usec, NULL) == LLS_OK;
    if (value->type != MSGPACK_OBJECT_ARRAY || value->via.array.size != 2)
        return false;
    part = value->via.array.ptr;
    if (part[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
        part[1].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
        part[0].via.u64 > (uint64_t)LLS_TIME_MAX_USEC / 1000000 - 1 || part[1].via.u64 > 999999999)
        return false;
    *usec = (int64_t)(part[0].via.u64 * 1000000 + part[1].via.u64 / 1000);
    return true;
}

/* The session: said by the metadata, or the scope; otherwise the namespace stands for it. */
static lls_str session_of(lls_str namespace, const msgpack_object *field)
{
    const msgpack_object *said = member(&field[LLS_MSGPACK_METADATA], "session_id");

    if (!is_text(said))
        said = member(&field[LLS_MSGPACK_SCOPE], "Session");
    return is_text(said) ? text_of(said) : namespace;
}

static bool add_vector(const msgpack_object *list, lls_buf *json)
{
    lls_buf_add_text(json, "[");
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        const msgpack_object *value = &list->via.array.ptr[i];
        lls_buf_add_text(json, i ? "," : "");
        if ((value->type == MSGPACK_OBJECT_FLOAT32 || value->type == MSGPACK_OBJECT_FLOAT64) &&
            isfinite(value->via.f64))
            (void)!lls_json_add_number(value->via.f64, json, NULL);
        else if (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
            lls_buf_printf(json, "%" PRIu64, value->via.u64);
        else if (value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
            lls_buf_printf(json, "%" PRId64, value->via.i64);
        else
            return false;
    }
    lls_buf_add_text(json, "]");
    return true;
}

/* The entry's own metadata, whole, and what an episode has no place for beside it. */
static bool add_metadata(const msgpack_object *field, lls_buf *json)
{
    lls_buf_add_text(json, "{\"metadata\":");
    bool good = lls_packed_add_json(&field[LLS_MSGPACK_METADATA], json);
    lls_buf_add_text(json, ",\"scope\":");
    good = good && lls_packed_add_json(&field[LLS_MSGPACK_SCOPE], json);
    if (is_text(&field[LLS_MSGPACK_TENANT])) {
        lls_buf_add_text(json, ",\"tenant_id\":");
        good = good && lls_packed_add_json(&field[LLS_MSGPACK_TENANT], json);
    }
    lls_buf_add_text(json, "}");
    return good;
}

static void add_texts(lls_str namespace, const msgpack_object *field, lls_buf *json)
{
    const msgpack_object *role = member(&field[LLS_MSGPACK_METADATA], "role");
    const msgpack_object *content = member(&field[LLS_MSGPACK_METADATA], "content");

    if (!is_text(content))
        content = member(&field[LLS_MSGPACK_METADATA], "text");
    lls_buf_add_text(json, "{\"session_id\":");
    lls_json_quote(session_of(namespace, field), json);
    lls_buf_add_text(json, ",\"role\":");
    lls_json_quote(is_text(role) ? text_of(role) : LLS_STR("document"), json);
    lls_buf_add_text(json, ",\"content\":");
    lls_json_quote(is_text(content) ? text_of(content) : (lls_str){0}, json);
}

static void add_times(const msgpack_object *field, lls_buf *json)
{
    const msgpack_object *processed = member(&field[LLS_MSGPACK_METADATA], "processed");
    char text[LLS_TIME_TEXT];
    int64_t usec;

    if (time_of(member(&field[LLS_MSGPACK_METADATA], "timestamp"), &usec) ||
        time_of(&field[LLS_MSGPACK_EVENT], &usec) || time_of(&field[LLS_MSGPACK_CREATED], &usec)) {
        lls_time_format(usec, text);
        lls_buf_printf(json, ",\"happened\":\"%s\"", text);
    }
    if (processed && processed->type == MSGPACK_OBJECT_BOOLEAN && processed->via.boolean)
        lls_buf_add_text(json, ",\"processed\":true");
}

const char *lls_msgpack_entry_json(const msgpack_object *entry,
                                   const lls_msgpack_defaults *defaults, lls_buf *json)
{
    const msgpack_object *field = entry->via.array.ptr;

    if (entry->type != MSGPACK_OBJECT_ARRAY || entry->via.array.size != LLS_MSGPACK_FIELDS)
        return "not an entry of a vector store";
    if (!is_text(&field[LLS_MSGPACK_ID]))
        return "its id is no text";
    if (field[LLS_MSGPACK_EMBEDDING].type != MSGPACK_OBJECT_ARRAY)
        return "its embedding is no list";
    add_texts(defaults->namespace, field, json);
    add_times(field, json);
    lls_buf_add_text(json, ",\"metadata\":");
    if (!add_metadata(field, json))
        return "its metadata has something that JSON does not have";
    if (field[LLS_MSGPACK_EMBEDDING].via.array.size > 0) {
        lls_buf_add_text(json, ",\"embedding\":{\"model\":");
        lls_json_quote(defaults->model, json);
        lls_buf_printf(json,
                       ",\"metric\":\"%s\",\"vector\":", lls_vec_metric_name(defaults->metric));
        if (!add_vector(&field[LLS_MSGPACK_EMBEDDING], json))
            return "its embedding has something that is no finite number";
        lls_buf_add_text(json, "}");
    }
    lls_buf_add_text(json, "}");
    return json->status == LLS_OK ? NULL : "no memory for it";
}

int64_t lls_msgpack_entry_expiry(const msgpack_object *field)
{
    const msgpack_object *ttl = &field[LLS_MSGPACK_TTL];
    int64_t usec;

    if (time_of(&field[LLS_MSGPACK_EXPIRES], &usec))
        return usec;
    if (ttl->type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
        !time_of(&field[LLS_MSGPACK_CREATED], &usec) ||
        ttl->via.u64 > (uint64_t)(LLS_TIME_MAX_USEC - usec) / 1000000)
        return 0;
    return usec + (int64_t)ttl->via.u64 * 1000000;
}
