#include "backends/hnsw/build.h"
#include "backends/hnsw/tend.h"
#include "base/alloc.h"
#include "base/scope.h"

// Vectors that the codec is fitted to, at most, and when that is worth while for the first time.
#define SAMPLE_MAX ((size_t)1024)
#define LEARN_FROM 256u

static lls_err encode_with(hnsw_index *index, const hnsw_codec *fitted, lls_error *err)
{
    size_t bytes = index->codec.row_bytes;
    float *work = index->builder->scratch->work;
    hnsw_pages rows = {0};
    hnsw_codec codec = *fitted;

    LLS_TRY(hnsw_pages_grow(&rows, (size_t)index->capacity * bytes, err));
    for (uint32_t slot = 0; slot < index->slots; slot++) {
        if (!hnsw_bit(&index->live, slot) && !hnsw_bit(&index->dead, slot))
            continue;
        const float *original = hnsw_original_row(index, slot);
        hnsw_codec_admit(&codec,
                         hnsw_codec_encode(&codec, original, work, rows.data + slot * bytes));
    }
    pthread_rwlock_wrlock(&index->gate);
    hnsw_pages old = index->arrays[HNSW_CODES];
    index->arrays[HNSW_CODES] = rows;
    index->codec = codec;
    pthread_rwlock_unlock(&index->gate);
    hnsw_pages_fini(&old);
    return LLS_OK;
}

// Up to SAMPLE_MAX live vectors, evenly spread.
static size_t sample(const hnsw_index *index, const float **out)
{
    uint32_t step = index->slots / (uint32_t)SAMPLE_MAX + 1;
    size_t count = 0;

    for (uint32_t slot = 0; slot < index->slots; slot += step) {
        if (hnsw_bit(&index->live, slot))
            out[count++] = hnsw_original_row(index, slot);
    }
    return count;
}

// Searches read the codec: fit a copy, and put it in place with the rows that it made.
static lls_err learn(hnsw_index *index, const float **vectors, float *centre, lls_error *err)
{
    float *before = index->codec.centre;
    hnsw_codec fitted = index->codec;
    size_t count = sample(index, vectors);

    fitted.centre = centre;
    if (count > 0)
        hnsw_codec_learn(&fitted, vectors, count, index->builder->scratch->work);
    LLS_TRY(encode_with(index, &fitted, err));
    index->learned = index->live_count;
    lls_free(before);
    return LLS_OK;
}

lls_err hnsw_encode_anew(hnsw_index *index, lls_error *err)
{
    const float **vectors;
    float *centre;
    lls_err e;

    if (index->codec.row_bytes == 0)
        return LLS_OK;
    vectors = lls_alloc(SAMPLE_MAX * sizeof(*vectors));
    centre = lls_alloc(index->params.dim * sizeof(*centre));
    if (vectors && centre)
        e = learn(index, vectors, centre, err);
    else
        e = lls_fail(err, LLS_E_NOMEM, "out of memory for a sample of vectors");
    lls_free(vectors);
    if (e != LLS_OK)
        lls_free(centre);
    return e;
}

lls_err hnsw_learn(hnsw_index *index, lls_error *err)
{
    bool first = index->learned == 0 && index->live_count >= LEARN_FROM;
    bool grown = !index->graph && index->live_count > index->params.flat_max &&
                 index->learned <= index->params.flat_max / 2;

    if (index->codec.row_bytes == 0 || index->graph || (!first && !grown))
        return LLS_OK;
    return hnsw_encode_anew(index, err);
}
