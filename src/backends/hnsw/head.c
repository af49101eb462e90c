#include "backends/hnsw/head.h"
#include "base/scope.h"

#include <math.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "sections are used where they lie");

enum { VERSION = 1, FLAG_GRAPH = 1, FLAG_EXACT = 2 };

typedef struct head_block {
    uint32_t version;
    uint32_t dim;
    uint32_t metric;
    uint32_t code;
    uint32_t m;
    uint32_t count;
    uint32_t entry;
    uint32_t top;
    uint64_t seed;
    uint32_t flags;
    uint32_t learned;
    float scale;
    float centre_square;
    float worst[4];
    uint32_t zero[14];
} head_block;

_Static_assert(sizeof(head_block) == HNSW_HEAD_BYTES, "head.h says how it lies");

static bool has_centre(const hnsw_index *index)
{
    return index->codec.tail && index->codec.row_bytes > 0;
}

size_t hnsw_head_bytes(const hnsw_index *index)
{
    return HNSW_HEAD_BYTES + (has_centre(index) ? index->params.dim * sizeof(float) : 0);
}

void hnsw_head_write(const hnsw_index *index, uint32_t count, uint32_t entry, uint8_t *out)
{
    const hnsw_codec *codec = &index->codec;
    const hnsw_tail *worst = &codec->worst;
    head_block head = {
        .version = VERSION,
        .dim = index->params.dim,
        .metric = (uint32_t)index->params.metric,
        .code = (uint32_t)index->params.code,
        .m = index->params.m,
        .count = count,
        .entry = entry,
        .top = index->top,
        .seed = index->params.seed,
        .flags =
            (entry != HNSW_SLOT_NONE ? FLAG_GRAPH : 0u) | (index->exact_only ? FLAG_EXACT : 0u),
        .learned = index->learned,
        .scale = codec->scale,
        .centre_square = codec->centre_square,
        .worst = {worst->factor, worst->add, worst->error, worst->norm},
    };

    memcpy(out, &head, sizeof(head));
    if (has_centre(index))
        memcpy(out + sizeof(head), codec->centre, index->params.dim * sizeof(float));
}

static bool are_sane(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float got;
        memcpy(&got, bytes + i * sizeof(got), sizeof(got));
        if (!(fabsf(got) <= HNSW_NORM_MAX))
            return false;
    }
    return true;
}

static lls_err check(const hnsw_index *index, const head_block *head, lls_error *err)
{
    const hnsw_params *params = &index->params;

    if (head->version > VERSION)
        return lls_fail(err, LLS_E_NEWER, "the index has version %u, not %d", head->version,
                        VERSION);
    if (head->version != VERSION || head->dim != params->dim ||
        head->metric != (uint32_t)params->metric || head->code != (uint32_t)params->code ||
        head->m != params->m || head->seed != params->seed)
        return lls_fail(err, LLS_E_CORRUPT, "the index is not of this space");
    if (head->top > HNSW_LEVEL_MAX || !isfinite(head->scale) || head->scale <= 0 ||
        !isfinite(head->centre_square) || !isfinite(head->worst[0]) || !isfinite(head->worst[1]) ||
        !isfinite(head->worst[2]) || !isfinite(head->worst[3]) ||
        ((head->flags & FLAG_GRAPH) && head->entry >= head->count))
        return lls_fail(err, LLS_E_CORRUPT, "the index's head is damaged");
    return LLS_OK;
}

lls_err hnsw_head_read(hnsw_index *index, lls_bytes bytes, uint32_t *count, lls_error *err)
{
    hnsw_codec *codec = &index->codec;
    head_block head;

    if (bytes.len != hnsw_head_bytes(index))
        return lls_fail(err, LLS_E_CORRUPT, "the index's head has %zu bytes, not %zu", bytes.len,
                        hnsw_head_bytes(index));
    memcpy(&head, bytes.data, sizeof(head));
    LLS_TRY(check(index, &head, err));
    if (!are_sane(bytes.data + sizeof(head), (bytes.len - sizeof(head)) / sizeof(float)))
        return lls_fail(err, LLS_E_CORRUPT, "the index's centre is damaged");
    index->graph = head.flags & FLAG_GRAPH;
    index->exact_only = head.flags & FLAG_EXACT;
    index->entry = index->graph ? head.entry : HNSW_SLOT_NONE;
    index->top = head.top;
    index->learned = head.learned;
    codec->scale = head.scale;
    codec->centre_square = head.centre_square;
    codec->worst = (hnsw_tail){head.worst[0], head.worst[1], head.worst[2], head.worst[3]};
    if (has_centre(index))
        memcpy(codec->centre, bytes.data + sizeof(head), index->params.dim * sizeof(float));
    *count = head.count;
    return LLS_OK;
}
