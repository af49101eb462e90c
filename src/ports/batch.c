#include "ports/batch.h"

#include "base/scope.h"

lls_err lls_batch_add(lls_batch *batch, const lls_kv_write *write, lls_error *err)
{
    lls_buf_add(&batch->data, write->key);
    lls_buf_add(&batch->data, write->value);
    lls_buf_add(&batch->writes, (lls_bytes){(const uint8_t *)write, sizeof(*write)});
    LLS_TRY(lls_buf_status(&batch->data, err));
    LLS_TRY(lls_buf_status(&batch->writes, err));
    batch->count++;
    return LLS_OK;
}

const lls_kv_write *lls_batch_writes(lls_batch *batch)
{
    lls_kv_write *writes = (lls_kv_write *)(void *)batch->writes.data;
    const uint8_t *at = batch->data.data;

    for (size_t i = 0; i < batch->count; i++) {
        writes[i].key.data = at;
        at += writes[i].key.len;
        writes[i].value.data = at;
        at += writes[i].value.len;
    }
    return writes;
}

void lls_batch_clear(lls_batch *batch)
{
    lls_buf_clear(&batch->writes);
    lls_buf_clear(&batch->data);
    batch->count = 0;
}

void lls_batch_fini(lls_batch *batch)
{
    lls_buf_fini(&batch->writes);
    lls_buf_fini(&batch->data);
    batch->count = 0;
}
