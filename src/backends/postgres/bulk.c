#include "backends/postgres/bulk.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/scope.h"

#include <assert.h>

/* Measured: more rows or bytes a statement gain nothing, and cost memory on both sides. */
enum { ROWS_MAX = 5000, BYTES_MAX = 4 << 20 };

enum { KEYS, VALUES, RAWS, EXPIRIES, VERSIONS, CREATED, UPDATED };

lls_err lls_pg_run_finder_init(lls_pg_run_finder *finder, size_t count, lls_error *err)
{
    size_t most = count < ROWS_MAX ? count : ROWS_MAX;
    size_t places = 4;

    while (places < most * 2)
        places *= 2;
    finder->seen = lls_alloc(places * sizeof(*finder->seen));
    finder->places = places;
    return finder->seen ? LLS_OK : lls_fail(err, LLS_E_NOMEM, "out of memory");
}

void lls_pg_run_finder_fini(lls_pg_run_finder *finder)
{
    lls_free(finder->seen);
    finder->seen = NULL;
}

/* Remember `key`; false when it, or one with its hash, was there. */
static bool is_new(lls_pg_run_finder *finder, lls_bytes key)
{
    uint64_t hash = lls_digest_of(&key, 1).low | 1;
    size_t at = (size_t)(hash >> 1) & (finder->places - 1);

    while (finder->seen[at] != 0) {
        if (finder->seen[at] == hash)
            return false;
        at = (at + 1) & (finder->places - 1);
    }
    finder->seen[at] = hash;
    return true;
}

static bool goes_in_bulk(const lls_kv_write *w)
{
    return w->verb == LLS_KV_PUT || w->verb == LLS_KV_RESTORE;
}

size_t lls_pg_run_length(lls_pg_run_finder *finder, const lls_kv_write *writes, size_t count)
{
    size_t bytes = 0;
    size_t n = 0;

    if (!goes_in_bulk(&writes[0]) || count == 1)
        return 1;
    memset(finder->seen, 0, finder->places * sizeof(*finder->seen));
    while (n < count && n < ROWS_MAX && writes[n].verb == writes[0].verb &&
           lls_str_eq(writes[n].coll, writes[0].coll) && is_new(finder, writes[n].key)) {
        bytes += writes[n].key.len + writes[n].value.len;
        if (n > 0 && bytes > BYTES_MAX)
            break;
        n++;
    }
    return n;
}

/* The value stands in one of two arrays, and a NULL in the other. */
static void add_value(lls_pg_arrays *arrays, lls_bytes value)
{
    bool is_json = lls_pg_is_json(value);

    lls_pg_field_bytes(&arrays->columns[is_json ? VALUES : RAWS], value);
    lls_pg_field_null(&arrays->columns[is_json ? RAWS : VALUES]);
}

static void begin(lls_pg_arrays *arrays, size_t count)
{
    static const int32_t types[] = {
        [KEYS] = LLS_PG_BYTEA,           [VALUES] = LLS_PG_TEXT,   [RAWS] = LLS_PG_BYTEA,
        [EXPIRIES] = LLS_PG_TIMESTAMPTZ, [VERSIONS] = LLS_PG_INT8, [CREATED] = LLS_PG_TIMESTAMPTZ,
        [UPDATED] = LLS_PG_TIMESTAMPTZ,
    };

    for (size_t i = 0; i < LLS_COUNT(arrays->columns); i++) {
        lls_buf_clear(&arrays->columns[i]);
        lls_pg_array(&arrays->columns[i], types[i], count);
    }
}

lls_err lls_pg_arrays_fill(lls_pg_arrays *arrays, const lls_kv_write *writes, size_t count,
                           int64_t now_usec, lls_pg_params *params, lls_error *err)
{
    // In the order of the parameters that the two statements have from $3 on.
    static const int for_put[] = {KEYS, VALUES, RAWS, -1, EXPIRIES};
    static const int for_restore[] = {KEYS, VALUES, RAWS, UPDATED, EXPIRIES, VERSIONS, CREATED};
    bool restores = writes[0].verb == LLS_KV_RESTORE;

    begin(arrays, count);
    for (size_t i = 0; i < count; i++) {
        const lls_kv_meta *meta = &writes[i].meta;

        lls_pg_field_bytes(&arrays->columns[KEYS], writes[i].key);
        add_value(arrays, writes[i].value);
        lls_pg_field_expiry(&arrays->columns[EXPIRIES], meta->expires_usec);
        if (!restores)
            continue;
        lls_pg_field_int8(&arrays->columns[VERSIONS], (int64_t)meta->version);
        lls_pg_field_time(&arrays->columns[CREATED], meta->created_usec);
        lls_pg_field_time(&arrays->columns[UPDATED], meta->updated_usec);
    }
    for (size_t i = 0; i < LLS_COUNT(arrays->columns); i++)
        LLS_TRY(lls_buf_status(&arrays->columns[i], err));
    const int *order = restores ? for_restore : for_put;
    size_t columns = restores ? LLS_COUNT(for_restore) : LLS_COUNT(for_put);
    for (size_t i = 0; i < columns; i++) {
        if (order[i] < 0)
            lls_pg_add_time(params, now_usec);
        else
            lls_pg_add_bytes(params, lls_buf_view(&arrays->columns[order[i]]));
    }
    return LLS_OK;
}

void lls_pg_arrays_fini(lls_pg_arrays *arrays)
{
    for (size_t i = 0; i < LLS_COUNT(arrays->columns); i++)
        lls_buf_fini(&arrays->columns[i]);
}
