#include "ports/note.h"

#include "base/scope.h"
#include "ports/vec_record.h"

void lls_note_encode(lls_port port, lls_str text, lls_buf *value)
{
    switch (port) {
    case LLS_PORT_KV:
        lls_buf_add_str(value, text);
        break;
    case LLS_PORT_VEC: // a record without a vector
        lls_vec_record_encode(&(lls_vec_item){.text = text}, value);
        break;
    }
}

lls_err lls_note_decode(lls_port port, const lls_kv_item *item, lls_buf *text, lls_error *err)
{
    LLS_AUTO(lls_buf) floats = {0};
    lls_vec_item record = {0};

    switch (port) {
    case LLS_PORT_KV:
        lls_buf_add(text, item->value);
        break;
    case LLS_PORT_VEC:
        LLS_TRY(lls_vec_record_decode(item, &floats, &record, err));
        lls_buf_add_str(text, record.text);
        break;
    }
    return lls_buf_status(text, err);
}

lls_err lls_note_get(lls_kv *kv, lls_kv_space space, lls_bytes key, lls_buf *text,
                     lls_kv_meta *meta, lls_error *err)
{
    LLS_AUTO(lls_buf) value = {0};
    lls_kv_meta found = {0};

    LLS_TRY(lls_kv_get(kv, space, key, &value, &found, err));
    lls_kv_item item = {key, lls_buf_view(&value), found};
    LLS_TRY(lls_note_decode(kv->port, &item, text, err));
    if (meta)
        *meta = found;
    return LLS_OK;
}

lls_err lls_note_apply(lls_kv *kv, lls_str tenant, lls_kv_write write, lls_str text, lls_error *err)
{
    LLS_AUTO(lls_buf) value = {0};

    lls_note_encode(kv->port, text, &value);
    LLS_TRY(lls_buf_status(&value, err));
    write.value = lls_buf_view(&value);
    return lls_kv_apply(kv, tenant, &write, 1, err);
}
