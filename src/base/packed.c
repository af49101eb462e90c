#include "base/packed.h"

#include "base/big.h"
#include "base/json.h"
#include "base/scope.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>

/* Values within values; the library's own limit is near. */
enum { DEPTH_MAX = 24 };

/* How a MessagePack token begins: how many bytes belong to it, and how many values follow in it. */
typedef struct token {
    size_t head;     /* bytes of the type and of the length behind it */
    uint64_t body;   /* bytes of a text or binary, or of a number */
    uint64_t values; /* elements; of a map both names and values */
} token;

/* Types 0xc0 to 0xdf, https://github.com/msgpack/msgpack/blob/master/spec.md */
static const struct {
    uint8_t length; /* bytes of the length behind the type */
    uint8_t body;   /* fixed bytes, beside what the length says */
    uint8_t times;  /* values for each of the length; 0: bytes */
} types[32] = {
    [0x04] = {1, 0, 0},  [0x05] = {2, 0, 0}, [0x06] = {4, 0, 0}, [0x07] = {1, 1, 0},
    [0x08] = {2, 1, 0},  [0x09] = {4, 1, 0}, [0x0a] = {0, 4, 0}, [0x0b] = {0, 8, 0},
    [0x0c] = {0, 1, 0},  [0x0d] = {0, 2, 0}, [0x0e] = {0, 4, 0}, [0x0f] = {0, 8, 0},
    [0x10] = {0, 1, 0},  [0x11] = {0, 2, 0}, [0x12] = {0, 4, 0}, [0x13] = {0, 8, 0},
    [0x14] = {0, 2, 0},  [0x15] = {0, 3, 0}, [0x16] = {0, 5, 0}, [0x17] = {0, 9, 0},
    [0x18] = {0, 17, 0}, [0x19] = {1, 0, 0}, [0x1a] = {2, 0, 0}, [0x1b] = {4, 0, 0},
    [0x1c] = {2, 0, 1},  [0x1d] = {4, 0, 1}, [0x1e] = {2, 0, 2}, [0x1f] = {4, 0, 2},
};

static bool read_token(lls_bytes rest, token *out)
{
    uint8_t type = rest.data[0];

    *out = (token){.head = 1};
    if (type < 0x80 || type >= 0xe0) // a small number
        return true;
    if (type < 0x90)
        out->values = 2 * (uint64_t)(type & 0x0f);
    else if (type < 0xa0)
        out->values = type & 0x0f;
    else if (type < 0xc0)
        out->body = type & 0x1f;
    else {
        size_t length = types[type & 0x1f].length;
        if (rest.len < 1 + length)
            return false;
        uint64_t count = lls_big_get(rest.data + 1, length);
        out->head += length;
        out->values = count * types[type & 0x1f].times;
        out->body = types[type & 0x1f].times ? 0 : count + types[type & 0x1f].body;
    }
    return true;
}

/*
 * Lengths are those of what is there, so that nobody reserves room for what is not (each value that
 * is still to come takes at least one byte), and nothing is nested too deeply.
 */
size_t lls_packed_length(lls_bytes bytes, bool *malformed)
{
    uint64_t open[DEPTH_MAX] = {1}; /* values that are still to come, at each depth */
    lls_bytes rest = bytes;
    size_t depth = 1;

    *malformed = false;
    while (depth > 0) {
        token t;
        if (rest.len == 0 || !read_token(rest, &t) || t.head > rest.len ||
            t.body > rest.len - t.head)
            return 0;
        size_t used = t.head + (size_t)t.body;
        rest = (lls_bytes){rest.data + used, rest.len - used};
        open[depth - 1]--;
        *malformed = t.values > 0 && depth == DEPTH_MAX;
        if (*malformed || t.values > rest.len)
            return 0;
        if (t.values > 0)
            open[depth++] = t.values;
        while (depth > 0 && open[depth - 1] == 0)
            depth--;
    }
    return bytes.len - rest.len;
}

bool lls_packed_list(lls_bytes bytes, size_t *head, uint64_t *count)
{
    token t;
    bool is_list = bytes.len > 0 && ((bytes.data[0] >= 0x90 && bytes.data[0] < 0xa0) ||
                                     bytes.data[0] == 0xdc || bytes.data[0] == 0xdd);

    if (!is_list || !read_token(bytes, &t))
        return false;
    *head = t.head;
    *count = t.values;
    return true;
}

typedef struct writer {
    lls_buf *out;
    bool wrong;
} writer;

static void write_value(writer *w, const msgpack_object *value, size_t depth);

static void write_text(writer *w, const char *data, size_t len)
{
    lls_str text = {data, len};

    if (lls_utf8_check(lls_bytes_of(text)))
        lls_json_quote(text, w->out);
    else
        w->wrong = true;
}

/* As uuid's serde writes it where the format is binary. */
static void write_uuid(writer *w, const uint8_t *bytes)
{
    lls_buf_add_text(w->out, "\"");
    for (size_t i = 0; i < 16; i++)
        lls_buf_printf(w->out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                       bytes[i]);
    lls_buf_add_text(w->out, "\"");
}

static void write_binary(writer *w, const char *data, size_t len)
{
    const uint8_t *bytes = (const uint8_t *)data;

    if (len == 16) {
        write_uuid(w, bytes);
        return;
    }
    lls_buf_add_text(w->out, "[");
    for (size_t i = 0; i < len; i++)
        lls_buf_printf(w->out, "%s%u", i ? "," : "", bytes[i]);
    lls_buf_add_text(w->out, "]");
}

static void write_list(writer *w, const msgpack_object_array *list, size_t depth)
{
    lls_buf_add_text(w->out, "[");
    for (uint32_t i = 0; i < list->size; i++) {
        lls_buf_add_text(w->out, i ? "," : "");
        write_value(w, &list->ptr[i], depth);
    }
    lls_buf_add_text(w->out, "]");
}

static void write_map(writer *w, const msgpack_object_map *map, size_t depth)
{
    lls_buf_add_text(w->out, "{");
    for (uint32_t i = 0; i < map->size; i++) {
        const msgpack_object *name = &map->ptr[i].key;
        lls_buf_add_text(w->out, i ? "," : "");
        if (name->type == MSGPACK_OBJECT_STR)
            write_text(w, name->via.str.ptr, name->via.str.size);
        else
            w->wrong = true; // JSON has no other names
        lls_buf_add_text(w->out, ":");
        write_value(w, &map->ptr[i].val, depth);
    }
    lls_buf_add_text(w->out, "}");
}

static void write_float(writer *w, double number)
{
    if (!isfinite(number) || lls_json_add_number(number, w->out, NULL) != LLS_OK)
        w->wrong = true;
}

/* The recursion ends at DEPTH_MAX, whatever the input. */
static void write_value(writer *w, const msgpack_object *value, size_t depth)
{
    if (depth == DEPTH_MAX) {
        w->wrong = true;
        return;
    }
    switch (value->type) {
    case MSGPACK_OBJECT_NIL:
        lls_buf_add_text(w->out, "null");
        break;
    case MSGPACK_OBJECT_BOOLEAN:
        lls_buf_add_text(w->out, value->via.boolean ? "true" : "false");
        break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        lls_buf_printf(w->out, "%" PRIu64, value->via.u64);
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        lls_buf_printf(w->out, "%" PRId64, value->via.i64);
        break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        write_float(w, value->via.f64);
        break;
    case MSGPACK_OBJECT_STR:
        write_text(w, value->via.str.ptr, value->via.str.size);
        break;
    case MSGPACK_OBJECT_BIN:
        write_binary(w, value->via.bin.ptr, value->via.bin.size);
        break;
    case MSGPACK_OBJECT_ARRAY:
        write_list(w, &value->via.array, depth + 1);
        break;
    case MSGPACK_OBJECT_MAP:
        write_map(w, &value->via.map, depth + 1);
        break;
    default:
        w->wrong = true; // extensions: serde writes none
    }
}

bool lls_packed_add_json(const msgpack_object *value, lls_buf *json)
{
    writer w = {.out = json};

    write_value(&w, value, 0);
    return !w.wrong;
}

lls_err lls_packed_open(lls_bytes packed, msgpack_unpacked *out, lls_error *err)
{
    bool malformed;

    msgpack_unpacked_init(out);
    if (packed.len == 0 || lls_packed_length(packed, &malformed) != packed.len)
        return lls_fail(err, LLS_E_PARSE, "not one MessagePack value");
    switch (msgpack_unpack_next(out, (const char *)packed.data, packed.len, NULL)) {
    case MSGPACK_UNPACK_SUCCESS:
        return LLS_OK;
    case MSGPACK_UNPACK_NOMEM_ERROR:
        return lls_fail(err, LLS_E_NOMEM, "no memory for a MessagePack value");
    default:
        return lls_fail(err, LLS_E_PARSE, "not one MessagePack value");
    }
}

lls_bytes lls_packed_element(lls_bytes list, size_t index)
{
    size_t head;
    uint64_t count;
    bool malformed;

    if (!lls_packed_list(list, &head, &count) || index >= count)
        return (lls_bytes){0};
    lls_bytes rest = {list.data + head, list.len - head};
    for (size_t i = 0; i < index; i++) {
        size_t len = lls_packed_length(rest, &malformed);
        rest = (lls_bytes){rest.data + len, rest.len - len};
    }
    return (lls_bytes){rest.data, lls_packed_length(rest, &malformed)};
}

lls_err lls_packed_text(lls_bytes packed, lls_buf *out, lls_error *err)
{
    msgpack_unpacked unpacked;

    lls_err e = lls_packed_open(packed, &unpacked, err);
    if (e == LLS_OK && unpacked.data.type != MSGPACK_OBJECT_STR)
        e = lls_fail(err, LLS_E_PARSE, "not a text");
    if (e == LLS_OK)
        lls_buf_add(out, (lls_bytes){(const uint8_t *)unpacked.data.via.str.ptr,
                                     unpacked.data.via.str.size});
    msgpack_unpacked_destroy(&unpacked);
    return e == LLS_OK ? lls_buf_status(out, err) : e;
}
