/*
 * .fbin, as the vector search benchmarks have it: two little-endian 32-bit numbers, how many rows
 * and of what dimension, then the rows, each of so many 32-bit floats.
 */
#include "base/file.h"
#include "base/little.h"
#include "base/scope.h"
#include "base/time.h"
#include "ports/vec_record.h"
#include "tools/import.h"

#include <inttypes.h>

/* Read exactly `len` bytes into `out`, replaced. */
static lls_err read_exactly(lls_import_run *run, size_t len, lls_buf *out, lls_error *err)
{
    lls_buf_clear(out);
    LLS_TRY(lls_file_take(run->fd, len, "the vectors", out, err));
    run->bytes += out->len;
    if (out->len == len)
        return LLS_OK;
    return lls_fail(err, LLS_E_PARSE, "the file ends within row %" PRIu64, run->place);
}

static void decode_floats(lls_buf *row)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (size_t i = 0; i + 4 <= row->len; i += 4) {
        uint32_t bits = lls_little_get_u32(row->data + i);
        memcpy(row->data + i, &bits, sizeof(bits));
    }
#else
    (void)row;
#endif
}

static lls_err take_row(lls_import_run *run, uint32_t dim, const lls_buf *row, lls_buf *id,
                        lls_buf *value, lls_error *err)
{
    lls_buf_clear(id);
    lls_buf_clear(value);
    lls_buf_add_str(id, run->options->id_prefix);
    lls_buf_printf(id, "%" PRIu64, run->place);
    lls_vec_item item = {
        .id = lls_buf_view(id),
        .space = {.model = run->options->model, .dim = dim, .metric = run->options->metric},
        .vector = (const float *)(const void *)row->data,
        .event_usec = lls_clock_now(NULL),
    };
    LLS_TRY(lls_vec_item_check(&item, err));
    lls_vec_record_encode(&item, value);
    LLS_TRY(lls_buf_status(value, err));
    return lls_import_add(run, &(lls_kv_item){item.id, lls_buf_view(value), {0}}, err);
}

lls_err lls_import_fbin(lls_import_run *run, lls_error *err)
{
    LLS_AUTO(lls_buf) row = {0};
    LLS_AUTO(lls_buf) id = {0};
    LLS_AUTO(lls_buf) value = {0};

    LLS_TRY(read_exactly(run, 8, &row, err));
    uint32_t count = lls_little_get_u32(row.data);
    uint32_t dim = lls_little_get_u32(row.data + 4);
    if (dim == 0 || dim > LLS_VEC_DIM_MAX)
        return lls_fail(err, LLS_E_PARSE, "rows of %u dimensions; 1 to %d can be had", dim,
                        LLS_VEC_DIM_MAX);
    for (run->place = 0; run->place < count; run->place++) {
        LLS_TRY(lls_import_pause(run, err));
        LLS_TRY(read_exactly(run, dim * sizeof(float), &row, err));
        decode_floats(&row);
        LLS_TRY(take_row(run, dim, &row, &id, &value, err));
    }
    lls_buf_clear(&row);
    LLS_TRY(lls_file_take(run->fd, 1, "the vectors", &row, err));
    if (row.len > 0)
        return lls_fail(err, LLS_E_PARSE, "something follows the %u rows that the file announces",
                        count);
    return LLS_OK;
}
