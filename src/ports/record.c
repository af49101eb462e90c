#include "ports/record.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/little.h"
#include "base/scope.h"
#include "ports/space.h"

lls_digest lls_record_digest(lls_str coll, const lls_kv_item *item)
{
    uint8_t numbers[32];

    lls_little_set(numbers, item->meta.version, 8);
    lls_little_set(numbers + 8, (uint64_t)item->meta.created_usec, 8);
    lls_little_set(numbers + 16, (uint64_t)item->meta.updated_usec, 8);
    lls_little_set(numbers + 24, (uint64_t)item->meta.expires_usec, 8);
    const lls_bytes parts[] = {
        lls_bytes_of(coll),
        item->key,
        item->value,
        {numbers, sizeof(numbers)},
    };
    return lls_digest_of(parts, LLS_COUNT(parts));
}

/* JSON that fills the value from its first byte to its last and stays on one line. */
static bool goes_in_as_it_is(lls_bytes value)
{
    lls_str text = {(const char *)value.data, value.len};
    lls_json_value json;

    return value.len > 0 && !memchr(value.data, '\n', value.len) &&
           !memchr(value.data, '\r', value.len) && lls_json_check(text, &json, NULL) == LLS_OK &&
           json.text.len == value.len;
}

/* Not by printf, which would take longer than all the rest of a line. */
static void add_number(uint64_t n, lls_buf *out)
{
    char text[20];
    size_t at = sizeof(text);

    do
        text[--at] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    lls_buf_add_str(out, (lls_str){text + at, sizeof(text) - at});
}

static void add_time(const char *before, int64_t usec, lls_buf *out)
{
    char text[LLS_TIME_TEXT];

    lls_time_format(usec, text);
    lls_buf_add_text(out, before);
    lls_buf_add_text(out, text);
}

static void add_base64(lls_bytes bytes, lls_buf *out)
{
    lls_buf_add_text(out, "\"");
    lls_base64_encode(bytes, out);
    lls_buf_add_text(out, "\"");
}

void lls_record_to_line(const lls_kv_item *item, lls_line_form form, lls_buf *out)
{
    if (lls_utf8_check(item->key)) {
        lls_buf_add_text(out, "{\"key\": ");
        lls_json_quote((lls_str){(const char *)item->key.data, item->key.len}, out);
    } else {
        lls_buf_add_text(out, "{\"key_base64\": ");
        add_base64(item->key, out);
    }
    if (goes_in_as_it_is(item->value)) {
        lls_buf_add_text(out, ", \"value\": ");
        lls_buf_add(out, item->value);
    } else {
        lls_buf_add_text(out, ", \"value_base64\": ");
        add_base64(item->value, out);
    }
    if (form == LLS_LINE_FULL) {
        lls_buf_add_text(out, ", \"version\": ");
        add_number(item->meta.version, out);
        add_time(", \"created\": \"", item->meta.created_usec, out);
        add_time("\", \"updated\": \"", item->meta.updated_usec, out);
        if (item->meta.expires_usec)
            add_time("\", \"expires\": \"", item->meta.expires_usec, out);
        lls_buf_add_text(out, "\"");
    }
    lls_buf_add_text(out, "}\n");
}

/* The members of a line; `seen` has a bit for each that was there. */
enum member { KEY, KEY_BASE64, VALUE, VALUE_BASE64, VERSION, CREATED, UPDATED, EXPIRES, MEMBERS };

static const char *const member_names[MEMBERS] = {
    "key", "key_base64", "value", "value_base64", "version", "created", "updated", "expires",
};

typedef struct members {
    lls_json_value values[MEMBERS];
    unsigned seen;
} members;

static bool has(const members *m, enum member which)
{
    return (m->seen >> which & 1) != 0;
}

static lls_err collect(lls_json_value object, members *m, lls_error *err)
{
    lls_json_walk walk = lls_json_walk_begin(object);
    lls_json_value value;
    lls_str raw = {0};

    while (lls_json_walk_next(&walk, &raw, &value)) {
        lls_str name = {raw.data + 1, raw.len - 2};
        size_t i = 0;
        while (i < MEMBERS && !lls_str_eq(lls_str_of(member_names[i]), name))
            i++;
        if (i == MEMBERS)
            return lls_fail(err, LLS_E_PARSE, "unknown member %.*s",
                            (int)(raw.len < 80 ? raw.len : 80), raw.data);
        if (has(m, (enum member)i))
            return lls_fail(err, LLS_E_PARSE, "member \"%s\" stands twice", member_names[i]);
        m->values[i] = value;
        m->seen |= 1u << i;
    }
    return LLS_OK;
}

static lls_err need_string(const members *m, enum member which, lls_str *raw, lls_error *err)
{
    if (m->values[which].type != LLS_JSON_STRING)
        return lls_fail(err, LLS_E_PARSE, "member \"%s\" is not a string", member_names[which]);
    *raw = m->values[which].text;
    return LLS_OK;
}

static lls_err decode_base64(const members *m, enum member which, lls_buf *scratch, lls_error *err)
{
    lls_str raw = {0};

    LLS_AUTO(lls_buf) plain = {.max = 2 * LLS_VALUE_MAX};

    LLS_TRY(need_string(m, which, &raw, err));
    lls_str text = {raw.data + 1, raw.len - 2};
    if (memchr(text.data, '\\', text.len)) { // some writers put a backslash before every slash
        lls_json_unescape(raw, &plain);
        LLS_TRY(lls_buf_status(&plain, err));
        text = lls_buf_str(&plain);
    }
    lls_err e = lls_base64_decode(text, scratch, err);
    return e == LLS_OK ? LLS_OK : lls_wrap(err, e, "member \"%s\"", member_names[which]);
}

static lls_err one_of(const members *m, enum member a, enum member b, lls_error *err)
{
    if (has(m, a) == has(m, b))
        return lls_fail(err, LLS_E_PARSE, "%s \"%s\" and \"%s\"",
                        has(m, a) ? "only one may be there of" : "one must be there of",
                        member_names[a], member_names[b]);
    return LLS_OK;
}

static lls_err read_time(const members *m, enum member which, int64_t *usec, lls_error *err)
{
    lls_str raw = {0};

    if (!has(m, which))
        return LLS_OK;
    LLS_TRY(need_string(m, which, &raw, err));
    lls_err e = lls_time_parse((lls_str){raw.data + 1, raw.len - 2}, usec, err);
    return e == LLS_OK ? LLS_OK : lls_wrap(err, e, "member \"%s\"", member_names[which]);
}

static lls_err read_version(const members *m, uint64_t *version, lls_error *err)
{
    if (!has(m, VERSION))
        return LLS_OK;
    lls_str text = m->values[VERSION].text;
    uint64_t n = 0;
    bool good = m->values[VERSION].type == LLS_JSON_NUMBER && text.len <= 19;
    for (size_t i = 0; good && i < text.len; i++) {
        good = text.data[i] >= '0' && text.data[i] <= '9';
        n = n * 10 + (uint64_t)(text.data[i] - '0');
    }
    if (!good || n == 0 || n > INT64_MAX)
        return lls_fail(err, LLS_E_PARSE, "member \"version\" is not a whole number from 1");
    *version = n;
    return LLS_OK;
}

lls_err lls_record_from_line(lls_str line, lls_buf *scratch, lls_kv_item *item, lls_error *err)
{
    members m = {.seen = 0};
    lls_kv_item got = {.key = {0}};
    lls_json_value object;
    lls_str raw = {0};

    lls_buf_clear(scratch);
    LLS_TRY(lls_json_check(line, &object, err));
    if (object.type != LLS_JSON_OBJECT)
        return lls_fail(err, LLS_E_PARSE, "not a JSON object");
    LLS_TRY(collect(object, &m, err));
    LLS_TRY(one_of(&m, KEY, KEY_BASE64, err));
    LLS_TRY(one_of(&m, VALUE, VALUE_BASE64, err));

    // All that is decoded goes into scratch first: it may move while it grows.
    if (has(&m, KEY)) {
        LLS_TRY(need_string(&m, KEY, &raw, err));
        lls_json_unescape(raw, scratch);
    } else {
        LLS_TRY(decode_base64(&m, KEY_BASE64, scratch, err));
    }
    size_t key_len = scratch->len;
    if (has(&m, VALUE_BASE64))
        LLS_TRY(decode_base64(&m, VALUE_BASE64, scratch, err));
    LLS_TRY(lls_buf_status(scratch, err));
    got.key = (lls_bytes){scratch->data, key_len};
    got.value = has(&m, VALUE) ? lls_bytes_of(m.values[VALUE].text)
                               : (lls_bytes){scratch->data + key_len, scratch->len - key_len};

    LLS_TRY(lls_key_check(got.key, LLS_PORT_VEC, err));
    LLS_TRY(read_version(&m, &got.meta.version, err));
    LLS_TRY(read_time(&m, CREATED, &got.meta.created_usec, err));
    LLS_TRY(read_time(&m, UPDATED, &got.meta.updated_usec, err));
    LLS_TRY(read_time(&m, EXPIRES, &got.meta.expires_usec, err));
    if (has(&m, EXPIRES) && got.meta.expires_usec == 0) // it would be kept for ever
        return lls_fail(err, LLS_E_INVALID, "member \"expires\" is the moment that means never");
    *item = got;
    return LLS_OK;
}

void lls_key_show(lls_bytes key, lls_buf *out)
{
    const size_t most = 80;
    size_t i = 0;

    while (i < key.len && i < most) {
        size_t n = key.data[i] >= 0xf0 ? 4 : key.data[i] >= 0xe0 ? 3 : key.data[i] >= 0xc0 ? 2 : 1;
        bool plain = i + n <= key.len && lls_utf8_check((lls_bytes){key.data + i, n}) &&
                     key.data[i] >= 0x20 && key.data[i] != 0x7f;
        if (plain) {
            lls_buf_add(out, (lls_bytes){key.data + i, n});
            i += n;
        } else {
            lls_buf_printf(out, "\\x%02x", key.data[i]);
            i++;
        }
    }
    if (i < key.len)
        lls_buf_add_text(out, "…");
}
