#include "backends/hnsw/codec.h"
#include "backends/hnsw/rotation.h"
#include "base/alloc.h"

#include <math.h>

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static size_t padded_of(const hnsw_params *params)
{
    return round_up(params->dim, params->code == HNSW_CODE_INT4 ? 128 : 64);
}

static bool has_tail(const hnsw_params *params)
{
    return params->code == HNSW_CODE_INT4 || params->metric != LLS_VEC_COSINE;
}

size_t hnsw_code_bytes(const hnsw_params *params)
{
    size_t padded = padded_of(params);
    size_t codes = params->code == HNSW_CODE_INT4 ? padded / 2 : padded;

    if (params->metric == LLS_VEC_L1)
        return 0; // no dot product tells it: always the originals
    return round_up(codes + (has_tail(params) ? sizeof(hnsw_tail) : 0), 64);
}

lls_err hnsw_codec_init(hnsw_codec *codec, const hnsw_params *params, lls_error *err)
{
    size_t padded = padded_of(params);

    *codec = (hnsw_codec){
        .kernels = hnsw_kernels_pick(),
        .metric = params->metric,
        .code = params->code,
        .dim = params->dim,
        .padded = padded,
        .code_bytes = params->code == HNSW_CODE_INT4 ? padded / 2 : padded,
        .row_bytes = hnsw_code_bytes(params),
        .tail = has_tail(params),
        // a component of a random direction is Gaussian: hardly one in a million is over 5 sigma
        .scale = 5.0f / 127.0f / sqrtf((float)padded),
        .signs = lls_alloc(hnsw_rotation_words(padded) * sizeof(uint32_t)),
        .centre = lls_alloc(params->dim * sizeof(float)),
    };
    if (!codec->signs || !codec->centre) {
        hnsw_codec_fini(codec);
        return lls_fail(err, LLS_E_NOMEM, "out of memory for a vector index");
    }
    hnsw_rotation_init(codec->signs, padded, params->seed);
    return LLS_OK;
}

void hnsw_codec_fini(hnsw_codec *codec)
{
    lls_free(codec->signs);
    lls_free(codec->centre);
    *codec = (hnsw_codec){0};
}

// The square of the length, of vectors whose squares a float may not hold.
static double square_of(const float *vector, size_t count)
{
    double lanes[8] = {0}; // an order of addition that the compiler can keep and still be quick
    double sum = 0;
    size_t i = 0;

    for (; i + 8 <= count; i += 8) {
        for (size_t lane = 0; lane < 8; lane++)
            lanes[lane] += (double)vector[i + lane] * (double)vector[i + lane];
    }
    for (; i < count; i++)
        lanes[i % 8] += (double)vector[i] * (double)vector[i];
    for (size_t lane = 0; lane < 8; lane++)
        sum += lanes[lane];
    return sum;
}

float hnsw_codec_norm(const hnsw_codec *codec, const float *vector)
{
    return (float)sqrt(square_of(vector, codec->dim));
}

// `vector` as codes see it: of length 1 under cosine, less the centre, rotated.
static void turn(const hnsw_codec *codec, const float *vector, float *out)
{
    double shrink = 1;

    if (codec->metric == LLS_VEC_COSINE)
        shrink = 1 / sqrt(square_of(vector, codec->dim));
    for (size_t i = 0; i < codec->dim; i++)
        out[i] = (float)((double)vector[i] * shrink) - codec->centre[i];
    for (size_t i = codec->dim; i < codec->padded; i++)
        out[i] = 0;
    hnsw_rotation_turn(codec->kernels, codec->signs, out, codec->padded);
}

static float largest(const float *values, size_t count)
{
    float max = 0;

    for (size_t i = 0; i < count; i++)
        max = fabsf(values[i]) > max ? fabsf(values[i]) : max;
    return max;
}

// What `vector` contributes to each of its distances: see distances().
static float addend(const hnsw_codec *codec, const float *vector, double turned_square)
{
    double dot = 0;
    double shrink = 1;

    if (codec->metric == LLS_VEC_L2)
        return (float)turned_square;
    if (codec->metric == LLS_VEC_COSINE)
        shrink = 1 / sqrt(square_of(vector, codec->dim));
    for (size_t i = 0; i < codec->dim; i++)
        dot += (double)vector[i] * (double)codec->centre[i];
    return (float)(-dot * shrink);
}

// Round to bytes: value / step + 128, of at least 1. Leaves the errors in `values`.
static void round8(float *values, size_t count, float step, uint8_t *out)
{
    float inverse = 1 / step;

    for (size_t i = 0; i < count; i++) {
        float scaled = values[i] * inverse;
        scaled = scaled > 127 ? 127 : scaled < -127 ? -127 : scaled;
        out[i] = (uint8_t)(int)(scaled + 128.5f);
    }
    for (size_t i = 0; i < count; i++)
        values[i] -= step * (float)(out[i] - 128);
}

// How well 4-bit codes of a step fit: dot product with the values and square of the codes.
static void fit4(const float *values, size_t count, float step, float *dot, float *square)
{
    float inverse = 1 / step;
    float d = 0;
    float s = 0;

    for (size_t i = 0; i < count; i++) {
        float scaled = values[i] * inverse + 8;
        float u = (float)(int)(scaled < 0 ? 0 : scaled > 15 ? 15 : scaled) - 7.5f;
        d += u * values[i];
        s += u * u;
    }
    *dot = d;
    *square = s;
}

// The step whose codes point most nearly in the direction of the values (as RaBitQ of several bits
// does: Gao et al., "Practical and Asymptotically Optimal Quantization", 2024).
static float best_step4(const float *values, size_t count, float max)
{
    float best = -1;
    float found = max / 7.5f;

    for (int eighths = 5; eighths <= 16; eighths++) {
        float step = max * (float)eighths / 16 / 7.5f;
        float dot;
        float square;
        fit4(values, count, step, &dot, &square);
        if (dot / sqrtf(square) > best) {
            best = dot / sqrtf(square);
            found = step;
        }
    }
    return found;
}

static void pack4(const float *values, size_t count, float step, uint8_t *out)
{
    float inverse = 1 / step;

    for (size_t i = 0; i < count; i += 2) {
        float low = values[i] * inverse + 8;
        float high = values[i + 1] * inverse + 8;
        int a = (int)(low < 0 ? 0 : low > 15 ? 15 : low);
        int b = (int)(high < 0 ? 0 : high > 15 ? 15 : high);
        out[i / 2] = (uint8_t)(a | b << 4);
    }
}

static void encode8(const hnsw_codec *codec, float *turned, uint8_t *row, hnsw_tail *tail)
{
    float step = codec->scale;
    int64_t square = 0;

    if (codec->tail) {
        float max = largest(turned, codec->padded);
        step = max > 0 ? max / 127 : 1;
    }
    round8(turned, codec->padded, step, row);
    for (size_t i = 0; i < codec->padded; i++)
        square += (row[i] - 128) * (row[i] - 128);
    tail->factor = step;
    tail->error = (float)sqrt(square_of(turned, codec->padded));
    tail->norm = step * (float)sqrt((double)square);
}

static void encode4(const hnsw_codec *codec, const float *turned, uint8_t *row, hnsw_tail *tail)
{
    float max = largest(turned, codec->padded);
    float step = max > 0 ? best_step4(turned, codec->padded, max) : 1;
    double norm = square_of(turned, codec->padded);
    float dot;
    float square;
    double off;

    pack4(turned, codec->padded, step, row);
    fit4(turned, codec->padded, step, &dot, &square);
    // the factor that makes the code's dot product with the vector itself come out right; fit4
    // worked in units of the step
    tail->factor = dot > 0 ? (float)(norm / (double)dot) : 0;
    tail->norm = tail->factor * sqrtf(square);
    // so code and vector differ at a right angle to the vector
    off = (double)tail->norm * (double)tail->norm - norm;
    tail->error = (float)sqrt(off > 0 ? off : 0);
}

hnsw_tail hnsw_codec_encode(const hnsw_codec *codec, const float *vector, float *work, uint8_t *row)
{
    hnsw_tail tail = {0};
    double square;

    turn(codec, vector, work);
    square = square_of(work, codec->padded);
    if (codec->code == HNSW_CODE_INT8)
        encode8(codec, work, row, &tail);
    else
        encode4(codec, work, row, &tail);
    if (codec->tail) {
        tail.add = addend(codec, vector, square);
        memcpy(row + codec->code_bytes, &tail, sizeof(tail));
        memset(row + codec->code_bytes + sizeof(tail), 0,
               codec->row_bytes - codec->code_bytes - sizeof(tail));
    }
    return tail;
}

static float larger(float a, float b)
{
    return a > b ? a : b;
}

void hnsw_codec_admit(hnsw_codec *codec, hnsw_tail tail)
{
    hnsw_tail *worst = &codec->worst;

    worst->factor = larger(worst->factor, tail.factor);
    worst->add = larger(worst->add, fabsf(tail.add));
    worst->error = larger(worst->error, tail.error);
    worst->norm = larger(worst->norm, tail.norm);
}

hnsw_tail hnsw_codec_tail(const hnsw_codec *codec, const uint8_t *row)
{
    hnsw_tail tail = codec->worst;

    if (codec->tail)
        memcpy(&tail, row + codec->code_bytes, sizeof(tail));
    return tail;
}

static float gain(const hnsw_codec *codec)
{
    return codec->metric == LLS_VEC_L2 ? 2 : 1;
}

// Round to bytes; leaves the errors in `values`. Gives the sum.
static int32_t round_signed(float *values, size_t count, float step, int8_t *out)
{
    float inverse = 1 / step;
    int32_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        int v = (int)(values[i] * inverse + 128.5f) - 128;
        values[i] -= step * (float)v;
        out[i] = (int8_t)v;
        sum += v;
    }
    return sum;
}

// Put the components of a block of 128 in the order that 4-bit rows want: even ones first.
static void deal(int8_t *codes, size_t count)
{
    for (size_t block = 0; block < count; block += 128) {
        int8_t odd[64];
        for (size_t i = 0; i < 64; i++) {
            odd[i] = codes[block + 2 * i + 1];
            codes[block + i] = codes[block + 2 * i];
        }
        memcpy(codes + block + 64, odd, sizeof(odd));
    }
}

void hnsw_codec_probe(const hnsw_codec *codec, const float *vector, float *work, hnsw_probe *probe)
{
    double square;
    float max;
    float step;

    turn(codec, vector, work);
    max = largest(work, codec->padded);
    step = max > 0 ? max / 127 : 1;
    square = square_of(work, codec->padded);
    probe->sum = round_signed(work, codec->padded, step, probe->codes);
    probe->error = (float)sqrt(square_of(work, codec->padded));
    if (codec->code == HNSW_CODE_INT4)
        deal(probe->codes, codec->padded);
    probe->norm = (float)sqrt(square);
    probe->step = step * gain(codec);
    probe->add = 0;
    if (codec->tail) {
        probe->add = addend(codec, vector, square);
        if (codec->metric != LLS_VEC_L2)
            probe->add += codec->centre_square;
    }
}

void hnsw_codec_probe_row(const hnsw_codec *codec, const uint8_t *row, hnsw_probe *probe)
{
    hnsw_tail tail = {.factor = codec->scale};
    int32_t sum = 0;

    if (codec->tail)
        memcpy(&tail, row + codec->code_bytes, sizeof(tail));
    if (codec->code == HNSW_CODE_INT8) {
        for (size_t i = 0; i < codec->padded; i++) {
            probe->codes[i] = (int8_t)(row[i] - 128);
            sum += probe->codes[i];
        }
    } else {
        for (size_t i = 0; i < codec->padded / 2; i++) {
            int8_t *at = probe->codes + i / 64 * 128 + i % 64;
            at[0] = (int8_t)(2 * (row[i] & 15) - 15); // twice what it stands for, to be whole
            at[64] = (int8_t)(2 * (row[i] >> 4) - 15);
            sum += at[0] + at[64];
        }
        tail.factor /= 2;
    }
    probe->sum = sum;
    probe->step = tail.factor * gain(codec);
    probe->add = tail.add;
    if (codec->tail && codec->metric != LLS_VEC_L2)
        probe->add += codec->centre_square;
    probe->norm = tail.norm;
    probe->error = tail.error;
}

// |q − x|² = |q|² + |x|² − 2 q·x, and q·x = (q−c)·(x−c) + q·c + x·c − |c|²: in both cases what
// belongs to the query, plus what belongs to the row, less a factor of each times the integer.
static void with_tails(const hnsw_codec *codec, hnsw_rows rows, const hnsw_probe *probe,
                       const int32_t *dots, float *out)
{
    float less = codec->code == HNSW_CODE_INT4 ? 7.5f * (float)probe->sum : 0;

    for (size_t i = 0; i < rows.count; i++) {
        hnsw_tail tail;
        memcpy(&tail, hnsw_row(&rows, i) + codec->code_bytes, sizeof(tail));
        out[i] = probe->add + tail.add - probe->step * tail.factor * ((float)dots[i] - less);
    }
}

void hnsw_codec_distances(const hnsw_codec *codec, hnsw_rows rows, const hnsw_probe *probe,
                          float *out)
{
    enum { BATCH = 256 };
    const float unit = -probe->step * codec->scale;
    int32_t dots[BATCH];
    hnsw_rows part = rows;

    for (size_t done = 0; done < rows.count; done += part.count) {
        part.count = rows.count - done < BATCH ? rows.count - done : BATCH;
        part.base = rows.slots ? rows.base : rows.base + done * rows.stride;
        part.slots = rows.slots ? rows.slots + done : NULL;
        if (codec->code == HNSW_CODE_INT8)
            codec->kernels->dots8(part, probe->codes, codec->padded, 128 * probe->sum, dots);
        else
            codec->kernels->dots4(part, probe->codes, codec->padded, dots);
        if (codec->tail) {
            with_tails(codec, part, probe, dots, out + done);
            continue;
        }
        for (size_t i = 0; i < part.count; i++)
            out[done + i] = unit * (float)dots[i];
    }
}

float hnsw_codec_bound(const hnsw_codec *codec, const hnsw_probe *probe, hnsw_tail tail)
{
    // of the rotation and the sums, in float
    float rounding = 1e-5f * (probe->norm * tail.norm + fabsf(probe->add) + fabsf(tail.add));

    return gain(codec) * (probe->norm * tail.error + probe->error * tail.norm) + rounding;
}

float hnsw_codec_exact(const hnsw_codec *codec, const float *query, float norm,
                       const float *original)
{
    const hnsw_kernels *kernels = codec->kernels;
    float distance;
    float square;

    switch (codec->metric) {
    case LLS_VEC_L2:
        distance = kernels->l2(query, original, codec->dim);
        break;
    case LLS_VEC_L1:
        distance = kernels->l1(query, original, codec->dim);
        break;
    case LLS_VEC_IP:
        distance = -kernels->dot(query, original, codec->dim);
        break;
    case LLS_VEC_COSINE:
    default:
        distance = kernels->dot_norm(query, original, codec->dim, &square);
        distance = -distance / (norm * sqrtf(square));
        if (square > 1e-30f && square < 1e30f && norm > 1e-15f && norm < 1e15f)
            return distance;
        return (float)lls_vec_distance(LLS_VEC_COSINE, query, original, codec->dim) - 1;
    }
    return distance;
}

float hnsw_codec_metric(const hnsw_codec *codec, float distance)
{
    if (codec->metric == LLS_VEC_COSINE)
        return distance < -1 ? 0 : 1 + distance;
    if (codec->metric == LLS_VEC_L2)
        return sqrtf(distance > 0 ? distance : 0);
    return distance;
}

void hnsw_codec_learn(hnsw_codec *codec, const float *const *vectors, size_t count, float *work)
{
    float max = 0;

    codec->worst = (hnsw_tail){0};
    if (codec->tail) {
        for (size_t i = 0; i < codec->dim; i++)
            codec->centre[i] = 0;
        for (size_t v = 0; v < count; v++) {
            double weight = 1 / (double)count;
            if (codec->metric == LLS_VEC_COSINE)
                weight /= sqrt(square_of(vectors[v], codec->dim));
            for (size_t i = 0; i < codec->dim; i++)
                codec->centre[i] += (float)(weight * (double)vectors[v][i]);
        }
        codec->centre_square = (float)square_of(codec->centre, codec->dim);
        return;
    }
    for (size_t v = 0; v < count; v++) {
        turn(codec, vectors[v], work);
        float here = largest(work, codec->padded);
        max = here > max ? here : max;
    }
    codec->scale = max > 0 ? max / 127 : codec->scale;
}
