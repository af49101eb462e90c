#include "backends/sled/layout.h"

#include "base/scope.h"
#include "ports/record.h"

enum { HEADER_FORMAT = 1 };

void sled_layout_tree(lls_kv_space space, lls_buf *out)
{
    lls_buf_clear(out);
    lls_buf_printf(out, "llmspell:" LLS_FMT ":", LLS_ARG(space.coll));
    lls_buf_add_str(out, space.tenant);
}

static void put_u64(uint8_t *at, uint64_t number)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(number >> (8 * i));
}

static uint64_t get_u64(const uint8_t *at)
{
    uint64_t number = 0;

    for (int i = 0; i < 8; i++)
        number |= (uint64_t)at[i] << (8 * i);
    return number;
}

void sled_layout_encode(const lls_kv_meta *meta, lls_bytes value, lls_buf *out)
{
    uint8_t header[SLED_HEADER] = {HEADER_FORMAT};

    put_u64(header + 1, meta->version);
    put_u64(header + 9, (uint64_t)meta->created_usec);
    put_u64(header + 17, (uint64_t)meta->updated_usec);
    put_u64(header + 25, (uint64_t)meta->expires_usec);
    lls_buf_reserve(out, sizeof(header) + value.len);
    lls_buf_add(out, (lls_bytes){header, sizeof(header)});
    lls_buf_add(out, value);
}

lls_err sled_layout_decode(lls_bytes key, lls_bytes stored, lls_kv_meta *meta, lls_bytes *value,
                           lls_error *err)
{
    if (stored.len < SLED_HEADER || stored.data[0] != HEADER_FORMAT) {
        LLS_AUTO(lls_buf) shown = {0};
        lls_key_show(key, &shown);
        return lls_fail(err, LLS_E_CORRUPT, "record '%s' has no header that is known",
                        lls_buf_cstr(&shown));
    }
    *meta = (lls_kv_meta){
        .version = get_u64(stored.data + 1),
        .created_usec = (int64_t)get_u64(stored.data + 9),
        .updated_usec = (int64_t)get_u64(stored.data + 17),
        .expires_usec = (int64_t)get_u64(stored.data + 25),
    };
    *value = (lls_bytes){stored.data + SLED_HEADER, stored.len - SLED_HEADER};
    return LLS_OK;
}
