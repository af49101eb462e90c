/**
 * value.h - rows and parameters in PostgreSQL's binary formats.
 *
 * Integers are big-endian; a timestamptz counts microseconds from 2000-01-01. A value that is JSON
 * goes into the json column as it is, anything else into the bytea column.
 */
#ifndef LLS_BACKENDS_POSTGRES_VALUE_H
#define LLS_BACKENDS_POSTGRES_VALUE_H

#include "ports/kv.h"

#include <libpq-fe.h>

enum { LLS_PG_PARAMS_MAX = 64 };

/** Parameters of one statement, in order. Texts and bytes are borrowed until it was sent. */
typedef struct lls_pg_params {
    const char *values[LLS_PG_PARAMS_MAX]; /* NULL: no parameter's address, as its number is kept */
    int lengths[LLS_PG_PARAMS_MAX];
    uint8_t numbers[LLS_PG_PARAMS_MAX][8];
    bool is_number[LLS_PG_PARAMS_MAX];
    int count;
} lls_pg_params;

void lls_pg_add_bytes(lls_pg_params *params, lls_bytes bytes);
void lls_pg_add_text(lls_pg_params *params, lls_str text);
void lls_pg_add_null(lls_pg_params *params);
void lls_pg_add_int8(lls_pg_params *params, int64_t number);
void lls_pg_add_time(lls_pg_params *params, int64_t usec);
void lls_pg_add_expiry(lls_pg_params *params, int64_t usec); /**< 0 gives NULL. */

/** Two parameters: the value as json, or NULL; the value as bytea, or NULL. */
void lls_pg_add_value(lls_pg_params *params, lls_bytes value);

/** Whether the value is JSON that the server keeps byte for byte. */
bool lls_pg_is_json(lls_bytes value);

/* What fields of arrays and of COPY look like: a length, then the bytes; -1 for NULL. */
void lls_pg_put_int16(lls_buf *out, int16_t number);
void lls_pg_put_int32(lls_buf *out, int32_t number);
void lls_pg_put_int64(lls_buf *out, int64_t number);
void lls_pg_field_bytes(lls_buf *out, lls_bytes bytes);
void lls_pg_field_null(lls_buf *out);
void lls_pg_field_int8(lls_buf *out, int64_t number);
void lls_pg_field_time(lls_buf *out, int64_t usec);
void lls_pg_field_expiry(lls_buf *out, int64_t usec);
void lls_pg_field_value(lls_buf *out, lls_bytes value); /**< Two fields, as lls_pg_add_value. */

/** Types of array elements: pg_type.dat of the server, fixed for ever. */
enum {
    LLS_PG_BYTEA = 17,
    LLS_PG_INT8 = 20,
    LLS_PG_INT4 = 23,
    LLS_PG_TEXT = 25,
    LLS_PG_FLOAT4 = 700,
    LLS_PG_TIMESTAMPTZ = 1184,
};

/** Begin an array of `count` elements; its fields follow. */
void lls_pg_array(lls_buf *out, int32_t type, size_t count);

/** The float4 whose four bytes are at `at`. */
float lls_pg_float4(const uint8_t *at);

int64_t lls_pg_get_int8(const PGresult *result, int row, int column);
int64_t lls_pg_get_time(const PGresult *result, int row, int column); /**< 0 for NULL. */
lls_bytes lls_pg_get_bytes(const PGresult *result, int row, int column);
lls_str lls_pg_get_text(const PGresult *result, int row, int column);

/**
 * Read a row of key, value, value_raw, version, created_at, updated_at, expires_at. The views
 * live as long as `result`.
 */
lls_err lls_pg_get_item(const PGresult *result, int row, lls_kv_item *item,
                        lls_error *err) LLS_CHECKED;

#endif
