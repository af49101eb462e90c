#include "backends/hnsw/kernel.h"
#include "backends/hnsw/rotation.h"
#include "testing/check.h"

#include <math.h>
#include <stdlib.h>

enum { DIM_MAX = 16384, ROWS = 5, FLOATS = ROWS * DIM_MAX };

// What all tests draw their numbers into.
typedef struct numbers {
    uint8_t *rows; // aligned
    int8_t *query;
    float *a;
    float *b;
} numbers;

static int set_up(void **state)
{
    static numbers n;
    uint64_t seed = 7;

    n.rows = aligned_alloc(64, FLOATS);
    n.query = aligned_alloc(64, DIM_MAX);
    n.a = aligned_alloc(64, DIM_MAX * sizeof(float));
    n.b = aligned_alloc(64, DIM_MAX * sizeof(float));
    assert_true(n.rows && n.query && n.a && n.b);
    for (size_t i = 0; i < FLOATS; i++)
        n.rows[i] = (uint8_t)(1 + hnsw_random(&seed) % 255);
    for (size_t i = 0; i < DIM_MAX; i++) {
        n.query[i] = (int8_t)((int)(hnsw_random(&seed) % 255) - 127);
        n.a[i] = (float)((double)(hnsw_random(&seed) >> 11) * 0x1p-53 - 0.5);
        n.b[i] = (float)((double)(hnsw_random(&seed) >> 11) * 0x1p-53 - 0.5);
    }
    *state = &n;
    return 0;
}

static int tear_down(void **state)
{
    numbers *n = *state;

    free(n->rows);
    free(n->query);
    free(n->a);
    free(n->b);
    return 0;
}

typedef void (*check_fn)(const hnsw_kernels *kernels, const numbers *n, size_t len);

// Run a check for every kernel of this processor, 1 to 257 and some large lengths.
static void for_all(const numbers *n, check_fn check)
{
    static const size_t large[] = {384, 511, 768, 1000, 1024, 1536, 3072, 4097, 16383, 16384};
    const hnsw_kernels *list[4];

    hnsw_kernels_list(list);
    assert_string_equal(list[0]->name, "scalar");
    for (size_t k = 0; list[k]; k++) {
        for (size_t len = 1; len <= 257; len++)
            check(list[k], n, len);
        for (size_t i = 0; i < sizeof(large) / sizeof(*large); i++)
            check(list[k], n, large[i]);
    }
}

static int32_t bias_of(const int8_t *query, size_t len)
{
    int32_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += query[i];
    return 128 * sum;
}

static void check_dots(const hnsw_kernels *kernels, const numbers *n, size_t len)
{
    static const uint32_t slots[ROWS] = {4, 0, 3, 3, 1};
    size_t of8 = (len + 63) / 64 * 64;
    size_t of4 = (len + 127) / 128 * 128;
    hnsw_rows rows = {n->rows, DIM_MAX, slots, ROWS};
    hnsw_rows first = {n->rows, of8, NULL, ROWS};
    int32_t bias = bias_of(n->query, of8);
    int32_t want[ROWS];
    int32_t got[ROWS];

    hnsw_kernels_scalar.dots8(rows, n->query, of8, bias, want);
    kernels->dots8(rows, n->query, of8, bias, got);
    assert_memory_equal(got, want, sizeof(want));
    hnsw_kernels_scalar.dots8(first, n->query, of8, bias, want);
    kernels->dots8(first, n->query, of8, bias, got);
    assert_memory_equal(got, want, sizeof(want));
    hnsw_kernels_scalar.dots4(rows, n->query, of4, want);
    kernels->dots4(rows, n->query, of4, got);
    assert_memory_equal(got, want, sizeof(want));
}

static void dots_of_codes_are_those_of_the_scalar_kernel(void **state)
{
    for_all(*state, check_dots);
}

static void dots_of_the_largest_codes_do_not_overflow(void **state)
{
    const hnsw_kernels *list[4];
    uint8_t *row = aligned_alloc(64, DIM_MAX);
    int8_t *query = aligned_alloc(64, DIM_MAX);
    int32_t got;

    (void)state;
    hnsw_kernels_list(list);
    for (int sign = -1; sign <= 1; sign += 2) {
        memset(row, 128 + sign * 127, DIM_MAX);
        memset(query, 127, DIM_MAX);
        for (size_t k = 0; list[k]; k++) {
            list[k]->dots8((hnsw_rows){row, DIM_MAX, NULL, 1}, query, DIM_MAX, 128 * 127 * DIM_MAX,
                           &got);
            assert_int_equal(got, sign * 127 * 127 * DIM_MAX);
            memset(row, 255, DIM_MAX);
            list[k]->dots4((hnsw_rows){row, DIM_MAX, NULL, 1}, query, DIM_MAX, &got);
            assert_int_equal(got, 15 * 127 * DIM_MAX);
            memset(row, 128 + sign * 127, DIM_MAX);
        }
    }
    free(row);
    free(query);
}

static void assert_near(float got, float want, size_t len)
{
    if (!(fabsf(got - want) <= 1e-6f * (float)len + 1e-6f))
        fail_msg("length %zu: want %.9g, got %.9g", len, (double)want, (double)got);
}

static void check_floats(const hnsw_kernels *kernels, const numbers *n, size_t len)
{
    const float *a = n->a + DIM_MAX - len; // mostly not aligned
    float norm;
    float want;

    assert_near(kernels->dot_norm(a, n->b, len, &norm),
                hnsw_kernels_scalar.dot_norm(a, n->b, len, &want), len);
    assert_near(norm, want, len);
    assert_near(kernels->dot(a, n->b, len), hnsw_kernels_scalar.dot(a, n->b, len), len);
    assert_near(kernels->l2(a, n->b, len), hnsw_kernels_scalar.l2(a, n->b, len), len);
    assert_near(kernels->l1(a, n->b, len), hnsw_kernels_scalar.l1(a, n->b, len), len);
}

static void distances_of_floats_are_near_those_of_the_scalar_kernel(void **state)
{
    for_all(*state, check_floats);
}

static void a_hadamard_transform_is_the_same_to_the_bit(void **state)
{
    const numbers *n = *state;
    const hnsw_kernels *list[4];
    static float want[DIM_MAX];
    static float got[DIM_MAX];

    hnsw_kernels_list(list);
    for (size_t len = 64; len <= DIM_MAX; len *= 2) {
        memcpy(want, n->a, len * sizeof(float));
        hnsw_kernels_scalar.hadamard(want, len);
        for (size_t k = 0; list[k]; k++) {
            memcpy(got, n->a, len * sizeof(float));
            list[k]->hadamard(got, len);
            assert_memory_equal(got, want, len * sizeof(float));
        }
    }
}

static void a_rotation_changes_no_length(void **state)
{
    const numbers *n = *state;
    static float turned[DIM_MAX];
    static uint32_t signs[4 * DIM_MAX];

    for (size_t len = 64; len <= DIM_MAX; len = len < 1024 ? len + 64 : len * 2) {
        float before = hnsw_kernels_scalar.dot(n->a, n->a, len);
        float after;
        assert_true(hnsw_rotation_words(len) <= 4 * DIM_MAX);
        hnsw_rotation_init(signs, len, 1);
        memcpy(turned, n->a, len * sizeof(float));
        hnsw_rotation_turn(&hnsw_kernels_scalar, signs, turned, len);
        after = hnsw_kernels_scalar.dot(turned, turned, len);
        assert_true(fabsf(after - before) <= 1e-4f * before);
        assert_memory_not_equal(turned, n->a, len * sizeof(float));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dots_of_codes_are_those_of_the_scalar_kernel),
        cmocka_unit_test(dots_of_the_largest_codes_do_not_overflow),
        cmocka_unit_test(distances_of_floats_are_near_those_of_the_scalar_kernel),
        cmocka_unit_test(a_hadamard_transform_is_the_same_to_the_bit),
        cmocka_unit_test(a_rotation_changes_no_length),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
