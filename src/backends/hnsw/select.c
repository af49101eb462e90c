#include "backends/hnsw/select.h"
#include "base/alloc.h"

#define ALIGN ((size_t)64)

lls_err hnsw_selector_init(hnsw_selector *selector, const hnsw_codec *codec, size_t room,
                           lls_error *err)
{
    uint8_t *at;

    *selector = (hnsw_selector){
        .probes = lls_alloc(room * sizeof(*selector->probes)),
        .block = lls_alloc(room * codec->padded + ALIGN),
        .room = room,
    };
    if (!selector->probes || !selector->block) {
        hnsw_selector_fini(selector);
        return lls_fail(err, LLS_E_NOMEM, "out of memory for a vector index");
    }
    at = (uint8_t *)(((uintptr_t)selector->block + ALIGN - 1) / ALIGN * ALIGN);
    for (size_t i = 0; i < room; i++)
        selector->probes[i].codes = (int8_t *)(at + i * codec->padded);
    return LLS_OK;
}

void hnsw_selector_fini(hnsw_selector *selector)
{
    lls_free(selector->probes);
    lls_free(selector->block);
    *selector = (hnsw_selector){0};
}

size_t hnsw_select_more(const hnsw_index *index, hnsw_selector *selector,
                        hnsw_candidate *candidates, size_t kept, size_t count, size_t most)
{
    const hnsw_codec *codec = &index->codec;

    for (size_t i = 0; i < kept; i++)
        hnsw_codec_probe_row(codec, hnsw_code_row(index, candidates[i].slot), &selector->probes[i]);
    for (size_t i = kept; i < count && kept < most; i++) {
        hnsw_candidate candidate = candidates[i];
        bool taken = true;
        if (i + HNSW_AHEAD < count)
            hnsw_prefetch(hnsw_code_row(index, candidates[i + HNSW_AHEAD].slot), codec->row_bytes);
        for (size_t j = 0; j < kept && taken; j++) {
            float between;
            hnsw_codec_distances(codec, hnsw_rows_of(index, &candidate.slot, 1),
                                 &selector->probes[j], &between);
            taken = between >= candidate.distance;
        }
        if (!taken)
            continue;
        hnsw_codec_probe_row(codec, hnsw_code_row(index, candidate.slot), &selector->probes[kept]);
        candidates[kept++] = candidate;
    }
    return kept;
}

size_t hnsw_select(const hnsw_index *index, hnsw_selector *selector, hnsw_candidate *candidates,
                   size_t count, size_t most)
{
    return hnsw_select_more(index, selector, candidates, 0, count, most);
}

void hnsw_candidates_sort(hnsw_candidate *candidates, size_t count)
{
    hnsw_top heap = {.items = candidates, .room = count};

    if (count <= 64) { // nearly in order, mostly
        for (size_t i = 1; i < count; i++) {
            hnsw_candidate candidate = candidates[i];
            size_t j = i;
            for (; j > 0 && hnsw_nearer(candidate, candidates[j - 1]); j--)
                candidates[j] = candidates[j - 1];
            candidates[j] = candidate;
        }
        return;
    }
    for (size_t i = 0; i < count; i++)
        hnsw_top_offer(&heap, candidates[i]);
    hnsw_top_sort(&heap);
}
