/*
 * A file of derived parts of any content, its checksums put right: it is left aside, or an index is
 * made of it that can be searched, and gives slots that are there.
 */
#include "backends/hnsw/derived.h"

#include "base/scope.h"
#include "hnsw_files.h"
#include "ports/vec_record.h"

enum { INDEX_MAX = 1 << 16, RECORDS = 24, DIM = 8 };

static const hnsw_conf conf = {
    .code = "int8", .sync = "full", .m = 8, .ef_construction = 32, .ef_search = 16, .flat_max = 8};

typedef struct maker {
    unsigned next;
    char id[8];
    lls_buf value;
} maker;

static lls_err start(void *user, lls_error *err)
{
    (void)err;
    ((maker *)user)->next = 0;
    return LLS_OK;
}

static lls_err make(void *user, lls_kv_item *out, lls_error *err)
{
    maker *m = user;
    float vector[DIM];
    lls_vec_item item = {.vector = vector, .space = {.dim = DIM, .metric = LLS_VEC_L2}};

    if (m->next == RECORDS)
        return LLS_END;
    for (unsigned i = 0; i < DIM; i++)
        vector[i] = (float)((m->next * 13 + i * i * 5) % 17);
    (void)snprintf(m->id, sizeof(m->id), "r%02u", m->next++);
    lls_buf_clear(&m->value);
    lls_vec_record_encode(&item, &m->value);
    *out = (lls_kv_item){lls_bytes_of(lls_str_of(m->id)), lls_buf_view(&m->value), {.version = 1}};
    return lls_buf_status(&m->value, err);
}

static void search(const hnsw_space *space)
{
    const float vector[DIM] = {1, 2, 3};
    hnsw_hit hits[4];
    size_t count = 0;
    bool exact;
    hnsw_query query = {.vector = vector, .k = 4, .ef = 8};

    must(hnsw_index_search(space->index, &query, hits, &count, &exact, NULL) == LLS_OK);
    for (size_t i = 0; i < count; i++)
        must(hnsw_space_doc(space, hits[i].slot) < RECORDS);
}

/* As a writer goes on with it: relinking, adding. */
static void write_on(const hnsw_space *space)
{
    const float vector[DIM] = {3, 2, 1};
    uint32_t slot;

    must(hnsw_index_remove(space->index, 3, NULL) == LLS_OK);
    must(hnsw_index_add(space->index, vector, &slot, NULL) == LLS_OK);
    while (hnsw_index_tend(space->index, NULL) == LLS_OK)
        continue;
    (void)!hnsw_index_remove(space->index, slot, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char folder[FILES_PATH];
    static char base_path[FILES_PATH + 20];
    static char path[FILES_PATH + 20];
    static uint8_t bytes[INDEX_MAX];
    hnsw_base *base;
    hnsw_coll *coll;

    if (!folder[0]) {
        maker m = {0};
        const hnsw_source source = {start, make, NULL, &m};
        files_folder(folder);
        (void)snprintf(base_path, sizeof(base_path), "%s/tenant/base-1", folder);
        (void)snprintf(path, sizeof(path), "%s/tenant/index-1", folder);
        must(hnsw_base_write(base_path, 1, 1, &source, NULL, NULL) == LLS_OK);
        lls_buf_fini(&m.value);
    }
    must(hnsw_base_open(base_path, &base, NULL) == LLS_OK);
    size = size < INDEX_MAX ? size : INDEX_MAX;
    if (size > 0)
        memcpy(bytes, data, size);
    if (size >= FILES_HEAD) {
        lls_little_set(bytes + 16, base->head.number, 8);
        lls_little_set(bytes + 24, base->head.checksum, 8);
    }
    files_seal(bytes, size, HNSW_DERIVED_MAGIC);
    files_write(folder, "tenant/index-1", (lls_bytes){bytes, size});
    must(hnsw_coll_open(&conf, LLS_STR("things"), base, path, &coll, NULL) == LLS_OK);
    search(coll->spaces[0]);
    write_on(coll->spaces[0]);
    search(coll->spaces[0]);
    hnsw_coll_drop(coll);
    return 0;
}
