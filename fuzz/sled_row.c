/* A row of another program's database becomes a record that can be stored, or is refused. */
#include "backends/sled/kinds.h"

#include "base/json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    size_t key_len = zero ? (size_t)(zero - data) : size;
    lls_bytes key = {data, key_len};
    lls_bytes value = {zero ? zero + 1 : data, zero ? size - key_len - 1 : 0};
    sled_record record = {0};
    lls_error err = {0};

    sled_kind kind = sled_kind_of(key, value);
    must(kind < SLED_KINDS && sled_kind_name(kind));
    if (sled_kind_collection(kind)) {
        lls_err e = sled_record_decode(kind, key, value, &record, &err);
        must(e == LLS_OK || e == LLS_E_PARSE);
        if (e == LLS_OK) {
            lls_json_value object;
            must(record.key.len > 0);
            must(lls_json_check(lls_buf_str(&record.value), &object, NULL) == LLS_OK);
            must(object.type == LLS_JSON_OBJECT);
        }
    }
    sled_record_fini(&record);
    return 0;
}
