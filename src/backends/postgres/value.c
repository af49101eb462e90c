#include "backends/postgres/value.h"

#include "base/big.h"
#include "base/json.h"

#include <assert.h>

/* From 1970-01-01 to 2000-01-01. */
#define EPOCH_USEC INT64_C(946684800000000)

static void store(uint8_t out[8], int64_t number)
{
    lls_big_set(out, (uint64_t)number, 8);
}

static int64_t load(const uint8_t *in)
{
    return (int64_t)lls_big_get(in, 8);
}

void lls_pg_add_bytes(lls_pg_params *params, lls_bytes bytes)
{
    assert(params->count < LLS_PG_PARAMS_MAX);
    int i = params->count++;

    params->values[i] = bytes.len ? (const char *)bytes.data : ""; // NULL would be an SQL NULL
    params->lengths[i] = (int)bytes.len;
    params->is_number[i] = false;
}

void lls_pg_add_text(lls_pg_params *params, lls_str text)
{
    lls_pg_add_bytes(params, lls_bytes_of(text));
}

void lls_pg_add_null(lls_pg_params *params)
{
    assert(params->count < LLS_PG_PARAMS_MAX);
    int i = params->count++;

    params->values[i] = NULL;
    params->lengths[i] = 0;
    params->is_number[i] = false;
}

void lls_pg_add_int8(lls_pg_params *params, int64_t number)
{
    assert(params->count < LLS_PG_PARAMS_MAX);
    int i = params->count++;

    store(params->numbers[i], number);
    params->values[i] = NULL;
    params->lengths[i] = 8;
    params->is_number[i] = true;
}

void lls_pg_add_time(lls_pg_params *params, int64_t usec)
{
    lls_pg_add_int8(params, usec - EPOCH_USEC);
}

void lls_pg_add_expiry(lls_pg_params *params, int64_t usec)
{
    if (usec)
        lls_pg_add_time(params, usec);
    else
        lls_pg_add_null(params);
}

bool lls_pg_is_json(lls_bytes value)
{
    lls_str text = {(const char *)value.data, value.len};

    return value.len > 0 && lls_json_check(text, NULL, NULL) == LLS_OK;
}

void lls_pg_add_value(lls_pg_params *params, lls_bytes value)
{
    bool is_json = lls_pg_is_json(value);

    if (is_json)
        lls_pg_add_bytes(params, value);
    lls_pg_add_null(params);
    if (!is_json)
        lls_pg_add_bytes(params, value);
}

void lls_pg_put_int16(lls_buf *out, int16_t number)
{
    lls_big_add(out, (uint16_t)number, 2);
}

void lls_pg_put_int32(lls_buf *out, int32_t number)
{
    lls_big_add(out, (uint32_t)number, 4);
}

void lls_pg_put_int64(lls_buf *out, int64_t number)
{
    uint8_t bytes[8];

    store(bytes, number);
    lls_buf_add(out, (lls_bytes){bytes, sizeof(bytes)});
}

void lls_pg_field_bytes(lls_buf *out, lls_bytes bytes)
{
    lls_pg_put_int32(out, (int32_t)bytes.len);
    lls_buf_add(out, bytes);
}

void lls_pg_field_null(lls_buf *out)
{
    lls_pg_put_int32(out, -1);
}

void lls_pg_field_int8(lls_buf *out, int64_t number)
{
    lls_pg_put_int32(out, 8);
    lls_pg_put_int64(out, number);
}

void lls_pg_field_time(lls_buf *out, int64_t usec)
{
    lls_pg_field_int8(out, usec - EPOCH_USEC);
}

void lls_pg_field_expiry(lls_buf *out, int64_t usec)
{
    if (usec)
        lls_pg_field_time(out, usec);
    else
        lls_pg_field_null(out);
}

void lls_pg_field_value(lls_buf *out, lls_bytes value)
{
    bool is_json = lls_pg_is_json(value);

    if (is_json)
        lls_pg_field_bytes(out, value);
    lls_pg_field_null(out);
    if (!is_json)
        lls_pg_field_bytes(out, value);
}

void lls_pg_array(lls_buf *out, int32_t type, size_t count)
{
    lls_pg_put_int32(out, 1); // dimensions
    lls_pg_put_int32(out, 1); // it may have NULLs
    lls_pg_put_int32(out, type);
    lls_pg_put_int32(out, (int32_t)count);
    lls_pg_put_int32(out, 1); // the first index
}

float lls_pg_float4(const uint8_t *at)
{
    uint32_t bits = lls_big_get_u32(at);
    float number;

    memcpy(&number, &bits, sizeof(number));
    return number;
}

int64_t lls_pg_get_int8(const PGresult *result, int row, int column)
{
    assert(PQgetlength(result, row, column) == 8);
    return load((const uint8_t *)PQgetvalue(result, row, column));
}

int64_t lls_pg_get_time(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? 0 : lls_pg_get_int8(result, row, column) + EPOCH_USEC;
}

lls_bytes lls_pg_get_bytes(const PGresult *result, int row, int column)
{
    return (lls_bytes){(const uint8_t *)PQgetvalue(result, row, column),
                       (size_t)PQgetlength(result, row, column)};
}

lls_str lls_pg_get_text(const PGresult *result, int row, int column)
{
    return (lls_str){PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column)};
}

enum { KEY, VALUE, VALUE_RAW, VERSION, CREATED, UPDATED, EXPIRES, COLUMNS };

lls_err lls_pg_get_item(const PGresult *result, int row, lls_kv_item *item, lls_error *err)
{
    if (PQnfields(result) != COLUMNS || PQgetlength(result, row, VERSION) != 8 ||
        PQgetlength(result, row, CREATED) != 8 || PQgetlength(result, row, UPDATED) != 8)
        return lls_fail(err, LLS_E_INTERNAL, "the server answered in another format than asked");

    bool is_raw = PQgetisnull(result, row, VALUE);
    item->key = lls_pg_get_bytes(result, row, KEY);
    item->value = lls_pg_get_bytes(result, row, is_raw ? VALUE_RAW : VALUE);
    item->meta.version = (uint64_t)lls_pg_get_int8(result, row, VERSION);
    item->meta.created_usec = lls_pg_get_time(result, row, CREATED);
    item->meta.updated_usec = lls_pg_get_time(result, row, UPDATED);
    item->meta.expires_usec = lls_pg_get_time(result, row, EXPIRES);
    return LLS_OK;
}
