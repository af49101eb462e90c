#include "backends/hnsw/kernel.h"

#include <stdbool.h>

#if defined(__x86_64__)

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vnni");
}

void hnsw_kernels_list(const hnsw_kernels *out[4])
{
    size_t n = 0;

    out[n++] = &hnsw_kernels_scalar;
    if (has_avx2())
        out[n++] = &hnsw_kernels_avx2;
    if (has_avx512())
        out[n++] = &hnsw_kernels_avx512;
    out[n] = NULL;
}

#elif defined(__aarch64__)

void hnsw_kernels_list(const hnsw_kernels *out[4])
{
    out[0] = &hnsw_kernels_scalar;
    out[1] = &hnsw_kernels_neon; // every 64-bit ARM has it
    out[2] = NULL;
}

#else

void hnsw_kernels_list(const hnsw_kernels *out[4])
{
    out[0] = &hnsw_kernels_scalar;
    out[1] = NULL;
}

#endif

const hnsw_kernels *hnsw_kernels_pick(void)
{
    const hnsw_kernels *list[4];
    size_t last = 0;

    hnsw_kernels_list(list);
    while (list[last + 1])
        last++;
    return list[last];
}
