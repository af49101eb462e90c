/*
 * A log of any content behind a good head: an error, or a store that can be listed and searched.
 * Lengths and checksums of its frames are put right first, or nothing behind them would be seen.
 */
#include "backends/hnsw/frame.h"
#include "backends/hnsw/manifest.h"
#include "base/hash.h"
#include "base/little.h"
#include "base/scope.h"
#include "hnsw_files.h"
#include "ports/backend.h"

enum { LOG_MAX = 1 << 16 };

static const lls_kv_space things = {LLS_STR_INIT("tenant"), LLS_STR_INIT("things")};

/* Put each frame right, as far as there are any. */
static void mend(uint8_t *log, size_t size)
{
    hnsw_log_head head = {.number = 1, .sequence = 1};
    uint64_t sequence = 1;

    hnsw_log_head_encode(&head, log);
    for (size_t at = HNSW_LOG_HEAD; size - at > HNSW_FRAME_HEAD; sequence++) {
        size_t left = size - at - HNSW_FRAME_HEAD;
        size_t len = lls_little_get_u32(log + at) < left ? lls_little_get_u32(log + at) : left;
        lls_bytes parts[] = {{log + at, 4}, {log + at + 8, HNSW_FRAME_HEAD - 8 + len}};
        lls_little_set(log + at, len, 4);
        lls_little_set(log + at + 8, sequence, 8);
        lls_little_set(log + at + 16, head.link, 4);
        lls_little_set(log + at + 20, 0, 4);
        head.link = lls_checksum(parts, LLS_COUNT(parts));
        lls_little_set(log + at + 4, head.link, 4);
        at += HNSW_FRAME_HEAD + len;
    }
}

static void walk(const char *folder)
{
    LLS_AUTO(lls_backend_ref) backend = NULL;
    LLS_AUTO(lls_vec_hits) all = {0};
    LLS_AUTO(lls_vec_hits) words = {0};
    LLS_AUTO(lls_vec_hits) near = {0};
    const lls_setting path = {"path", folder, NULL};
    const lls_backend_params params = {.access = LLS_READ_ONLY};
    lls_vec_list list = {.limit = 100, .fields = LLS_VEC_WHOLE};
    lls_vec_words asked = {.words = LLS_STR("written"), .k = 5};
    float vector[8] = {1, 2, 3, 4};
    lls_vec_query query = {.model = LLS_STR("model"), .vector = vector, .dim = 8, .k = 5};
    lls_error err = {0};

    must(lls_backend_open(LLS_STR("hnsw"), &path, 1, &params, &backend, &err) == LLS_OK);
    if (lls_vec_list_page(backend->vec, things, &list, &all, &err) != LLS_OK) {
        must(err.msg[0] != '\0');
        return;
    }
    for (size_t i = 0; i < all.count; i++)
        must(all.hits[i].item.id.len > 0 && all.hits[i].item.meta.version > 0);
    must(lls_vec_match(backend->vec, things, &asked, &words, &err) == LLS_OK || err.msg[0]);
    must(lls_vec_search(backend->vec, things, &query, &near, &err) == LLS_OK || err.msg[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char folder[FILES_PATH];
    static uint8_t log[LOG_MAX];

    if (!folder[0]) {
        LLS_AUTO(lls_buf) text = {0};
        const hnsw_manifest manifest = {.first_log = 1, .last_log = 1, .next = 1};
        files_folder(folder);
        hnsw_manifest_encode(&manifest, &text);
        must(text.status == LLS_OK);
        files_write(folder, "tenant/MANIFEST", lls_buf_view(&text));
    }
    size = size < LOG_MAX - HNSW_LOG_HEAD ? size : LOG_MAX - HNSW_LOG_HEAD;
    if (size > 0)
        memcpy(log + HNSW_LOG_HEAD, data, size);
    mend(log, HNSW_LOG_HEAD + size);
    files_write(folder, "tenant/log-1", (lls_bytes){log, HNSW_LOG_HEAD + size});
    walk(folder);
    return 0;
}
