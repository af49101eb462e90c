/*
 * A base of any content, its checksums put right: refused, or every record can be found, and is
 * read or refused; and an index over it can be made and searched.
 */
#include "backends/hnsw/coll.h"

#include "base/scope.h"
#include "hnsw_files.h"
#include "ports/vec_record.h"

enum { BASE_MAX = 1 << 16 };

static const hnsw_conf conf = {
    .code = "int8", .sync = "full", .m = 8, .ef_construction = 32, .ef_search = 16, .flat_max = 4};

static lls_bytes part_of(lls_bytes file, uint32_t kind, uint32_t space)
{
    for (size_t i = 0; i < files_parts(file); i++) {
        const uint8_t *entry = file.data + FILES_HEAD + i * FILES_ENTRY;
        if (lls_little_get_u32(entry) == kind && lls_little_get_u32(entry + 4) == space)
            return files_part(file, i);
    }
    return (lls_bytes){0};
}

static lls_bytes cut_out(lls_bytes all, uint64_t at, uint64_t len)
{
    if (!all.data || at > all.len || len > all.len - at)
        return (lls_bytes){0};
    return (lls_bytes){all.data + at, (size_t)len};
}

/* The checksums of a row, if what it points to is there. */
static void mend_row(lls_bytes file, uint8_t *row)
{
    uint16_t space = lls_little_get_u16(row + 62);
    lls_bytes id = cut_out(part_of(file, HNSW_BASE_IDS, 0), lls_little_get_u64(row),
                           lls_little_get_u16(row + 60));
    lls_bytes body = cut_out(part_of(file, HNSW_BASE_BODIES, 0), lls_little_get_u64(row + 8),
                             lls_little_get_u32(row + 56));
    lls_bytes spaces = part_of(file, HNSW_BASE_SPACES, 0);
    lls_bytes declared = cut_out(spaces, (uint64_t)space * HNSW_SPACE_BYTES, HNSW_SPACE_BYTES);

    if (declared.len) {
        uint64_t bytes = (uint64_t)lls_little_get_u32(declared.data) * sizeof(float);
        lls_bytes vector = cut_out(part_of(file, HNSW_BASE_ORIGINALS, space),
                                   lls_little_get_u32(row + 64) * bytes, bytes);
        lls_little_set(row + 76, lls_checksum(&vector, 1), 4);
    }
    lls_little_set(row + 72, hnsw_row_checksum(row, id, body), 4);
}

static void mend(uint8_t *bytes, size_t size)
{
    lls_bytes file = {bytes, size};
    lls_bytes rows = part_of(file, HNSW_BASE_ROWS, 0);

    for (size_t at = 0; at + HNSW_ROW_BYTES <= rows.len; at += HNSW_ROW_BYTES)
        mend_row(file, bytes + (rows.data - bytes) + at);
    files_seal(bytes, size, HNSW_BASE_MAGIC);
}

static void read_rows(const hnsw_base *base)
{
    for (uint32_t doc = 0; doc < base->records; doc++) {
        LLS_AUTO(lls_buf) value = {0};
        LLS_AUTO(lls_buf) floats = {0};
        lls_vec_item item;
        lls_error err = {0};
        hnsw_row row;
        hnsw_base_row(base, doc, &row);
        must(hnsw_base_seek(base, row.id) <= base->records);
        if (hnsw_base_value(base, &row, &value, &err) != LLS_OK) {
            must(err.msg[0] != '\0');
            continue;
        }
        const lls_kv_item got = {row.id, lls_buf_view(&value), row.meta};
        must(lls_vec_record_decode(&got, &floats, &item, &err) == LLS_OK || err.msg[0]);
    }
}

static void search(const hnsw_space *space)
{
    static float vector[LLS_VEC_DIM_MAX];
    hnsw_hit hits[4];
    size_t count = 0;
    bool exact;
    hnsw_query query = {.vector = vector, .k = 4, .ef = 8};

    vector[0] = 1;
    must(hnsw_index_search(space->index, &query, hits, &count, &exact, NULL) == LLS_OK);
    for (size_t i = 0; i < count; i++)
        must(hnsw_space_doc(space, hits[i].slot) != HNSW_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char folder[FILES_PATH];
    static char path[FILES_PATH + 20];
    static uint8_t bytes[BASE_MAX];
    hnsw_base *base;
    hnsw_coll *coll;
    lls_error err = {0};

    if (!folder[0]) {
        files_folder(folder);
        (void)snprintf(path, sizeof(path), "%s/tenant/base-1", folder);
    }
    size = size < BASE_MAX ? size : BASE_MAX;
    if (size > 0)
        memcpy(bytes, data, size);
    mend(bytes, size);
    files_write(folder, "tenant/base-1", (lls_bytes){bytes, size});
    if (hnsw_base_open(path, &base, &err) != LLS_OK) {
        must(strstr(err.msg, path) != NULL);
        return 0;
    }
    read_rows(base);
    if (hnsw_coll_open(&conf, LLS_STR("things"), base, NULL, &coll, &err) == LLS_OK) {
        for (uint32_t i = 0; i < coll->space_count; i++)
            search(coll->spaces[i]);
        hnsw_coll_drop(coll);
    }
    return 0;
}
