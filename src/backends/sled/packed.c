#include "backends/sled/packed.h"

#include "base/packed.h"

typedef struct writer {
    lls_buf *out;
    bool wrong;
} writer;

static void write_struct(writer *w, const msgpack_object *value, const sled_field *fields);

static void write_field(writer *w, const msgpack_object *value, const sled_field *field)
{
    if (!field->fields || value->type == MSGPACK_OBJECT_NIL) {
        w->wrong |= !lls_packed_add_json(value, w->out);
    } else if (!field->each) {
        write_struct(w, value, field->fields);
    } else if (value->type != MSGPACK_OBJECT_ARRAY) {
        w->wrong = true;
    } else {
        lls_buf_add_text(w->out, "[");
        for (uint32_t i = 0; i < value->via.array.size; i++) {
            lls_buf_add_text(w->out, i ? "," : "");
            write_struct(w, &value->via.array.ptr[i], field->fields);
        }
        lls_buf_add_text(w->out, "]");
    }
}

/* The recursion follows `fields`, which are constants. */
static void write_struct(writer *w, const msgpack_object *value, const sled_field *fields)
{
    uint32_t count = 0;

    while (fields[count].name)
        count++;
    if (value->type != MSGPACK_OBJECT_ARRAY || value->via.array.size != count) {
        w->wrong = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        lls_buf_printf(w->out, "%s\"%s\":", i ? "," : "{", fields[i].name);
        write_field(w, &value->via.array.ptr[i], &fields[i]);
    }
    lls_buf_add_text(w->out, "}");
}

lls_err sled_packed_to_json(lls_bytes packed, const sled_field *fields, lls_buf *json,
                            lls_error *err)
{
    size_t before = json->len;
    writer w = {.out = json};
    msgpack_unpacked unpacked;

    lls_err e = lls_packed_open(packed, &unpacked, err);
    if (e == LLS_OK) {
        write_struct(&w, &unpacked.data, fields);
        e = lls_buf_status(json, err); // first: what there was no memory for looks wrong, too
        if (e == LLS_OK && w.wrong)
            e = lls_fail(err, LLS_E_PARSE, "MessagePack of another shape");
    }
    msgpack_unpacked_destroy(&unpacked);
    if (e != LLS_OK)
        json->len = before;
    return e;
}
