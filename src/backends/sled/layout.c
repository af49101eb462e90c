#include "backends/sled/layout.h"

#include "base/big.h"
#include "base/little.h"
#include "base/scope.h"
#include "ports/record.h"

enum { HEADER_FORMAT = 1 };

/* Names hold no control characters, so a NUL tells them apart. */
static void add_name(lls_str name, lls_buf *out)
{
    lls_buf_add(out, (lls_bytes){(const uint8_t *)"", 1});
    lls_buf_add_str(out, name);
}

static void begin(uint64_t number, lls_buf *out)
{
    lls_buf_clear(out);
    lls_big_add(out, number, SLED_NUMBER);
}

void sled_layout_space(lls_kv_space space, lls_buf *out)
{
    begin(0, out);
    lls_buf_add_text(out, "space");
    add_name(space.coll, out);
    add_name(space.tenant, out);
}

void sled_layout_stage(lls_str run, lls_kv_space space, lls_buf *out)
{
    begin(0, out);
    lls_buf_add_text(out, "stage");
    add_name(run, out);
    add_name(space.tenant, out);
    add_name(space.coll, out);
}

void sled_layout_dead(uint64_t number, lls_buf *out)
{
    LLS_AUTO(lls_buf) big = {0};

    begin(0, out);
    lls_buf_add_text(out, "dead");
    if (number == 0)
        return;
    begin(number, &big);
    if (big.status != LLS_OK)
        out->status = big.status;
    lls_buf_add(out, lls_buf_view(&big));
}

void sled_layout_greatest(lls_buf *out)
{
    begin(0, out);
    lls_buf_add_text(out, "greatest");
}

void sled_layout_key(uint64_t number, lls_bytes key, lls_buf *out)
{
    begin(number, out);
    lls_buf_add(out, key);
}

lls_err sled_layout_key_of(lls_bytes stored, lls_bytes *key, lls_error *err)
{
    if (stored.len <= SLED_NUMBER)
        return lls_fail(err, LLS_E_CORRUPT, "a record of '%s' has no key", SLED_RECORDS_TREE);
    *key = (lls_bytes){stored.data + SLED_NUMBER, stored.len - SLED_NUMBER};
    return LLS_OK;
}

lls_err sled_layout_number(lls_bytes value, uint64_t *out, lls_error *err)
{
    if (value.len < SLED_NUMBER)
        return lls_fail(err, LLS_E_CORRUPT, "the directory of '%s' has no number where one belongs",
                        SLED_RECORDS_TREE);
    *out = lls_little_get_u64(value.data);
    return LLS_OK;
}

void sled_layout_encode(const lls_kv_meta *meta, lls_bytes value, lls_buf *out)
{
    uint8_t header[SLED_HEADER] = {HEADER_FORMAT};

    lls_little_set(header + 1, meta->version, 8);
    lls_little_set(header + 9, (uint64_t)meta->created_usec, 8);
    lls_little_set(header + 17, (uint64_t)meta->updated_usec, 8);
    lls_little_set(header + 25, (uint64_t)meta->expires_usec, 8);
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
        .version = lls_little_get_u64(stored.data + 1),
        .created_usec = (int64_t)lls_little_get_u64(stored.data + 9),
        .updated_usec = (int64_t)lls_little_get_u64(stored.data + 17),
        .expires_usec = (int64_t)lls_little_get_u64(stored.data + 25),
    };
    *value = (lls_bytes){stored.data + SLED_HEADER, stored.len - SLED_HEADER};
    return LLS_OK;
}
