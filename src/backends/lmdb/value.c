#include "backends/lmdb/value.h"

#include "base/hash.h"
#include "base/scope.h"
#include "ports/record.h"

/*
 *   0  format, 1        8  version       24  updated
 *   1  flags           16  created       32  expires, only with the flag
 *   2  zero, zero
 *   4  checksum over the key, bytes 0 to 3, and all from byte 8 on
 *
 * The checksum is made of two hashes, so that nothing has to be copied together first: a read
 * touches a value once to verify it, and once to copy it out.
 */
enum { FORMAT = 1, FLAG_EXPIRES = 1, SHORT_HEADER = 32 };

static size_t header_size(const lls_kv_meta *meta)
{
    return meta->expires_usec ? LMDB_HEADER_MAX : SHORT_HEADER;
}

size_t lmdb_value_size(const lls_kv_meta *meta, lls_bytes value)
{
    return header_size(meta) + value.len;
}

static uint32_t checksum(lls_bytes key, const uint8_t *stored, size_t len)
{
    uint64_t of_key = lls_hash(key, lls_little_get_u32(stored));
    uint64_t of_rest = lls_hash((lls_bytes){stored + 8, len - 8}, 0);

    return (uint32_t)(of_key ^ of_rest);
}

void lmdb_value_encode(lls_bytes key, const lls_kv_meta *meta, lls_bytes value, uint8_t *out)
{
    size_t header = header_size(meta);

    memset(out, 0, 8);
    out[0] = FORMAT;
    out[1] = meta->expires_usec ? FLAG_EXPIRES : 0;
    lls_little_set_u64(out + 8, meta->version);
    lls_little_set_u64(out + 16, (uint64_t)meta->created_usec);
    lls_little_set_u64(out + 24, (uint64_t)meta->updated_usec);
    if (meta->expires_usec)
        lls_little_set_u64(out + 32, (uint64_t)meta->expires_usec);
    if (value.len)
        memcpy(out + header, value.data, value.len);
    lls_little_set_u32(out + 4, checksum(key, out, header + value.len));
}

static lls_err damaged(lls_bytes key, lls_err code, const char *what, lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};

    lls_key_show(key, &text);
    return lls_fail(err, code, "record '%s': %s", lls_buf_cstr(&text), what);
}

lls_err lmdb_value_decode(lls_bytes key, lls_bytes stored, lls_kv_meta *meta, lls_bytes *value,
                          lls_error *err)
{
    const uint8_t *at = stored.data;

    if (stored.len < SHORT_HEADER)
        return damaged(key, LLS_E_CORRUPT, "too short", err);
    if (lls_little_get_u32(at + 4) != checksum(key, at, stored.len))
        return damaged(key, LLS_E_CORRUPT, "wrong checksum", err);
    if (at[0] > FORMAT)
        return damaged(key, LLS_E_NEWER, "format newer than 1, which is all this version knows",
                       err);
    size_t header = at[1] & FLAG_EXPIRES ? LMDB_HEADER_MAX : SHORT_HEADER;
    if (at[0] != FORMAT || at[1] > FLAG_EXPIRES || stored.len < header)
        return damaged(key, LLS_E_CORRUPT, "impossible header", err);
    *meta = (lls_kv_meta){
        .version = lls_little_get_u64(at + 8),
        .created_usec = (int64_t)lls_little_get_u64(at + 16),
        .updated_usec = (int64_t)lls_little_get_u64(at + 24),
        .expires_usec = header > SHORT_HEADER ? (int64_t)lls_little_get_u64(at + 32) : 0,
    };
    *value = (lls_bytes){at + header, stored.len - header};
    return LLS_OK;
}

bool lmdb_value_expired(lls_bytes stored, int64_t now_usec)
{
    if (stored.len < LMDB_HEADER_MAX || !(stored.data[1] & FLAG_EXPIRES))
        return false;
    int64_t expires = (int64_t)lls_little_get_u64(stored.data + 32);
    return expires != 0 && expires <= now_usec;
}
