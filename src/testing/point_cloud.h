/** point_cloud.h - vectors that lie as embeddings do, in clusters, and what is true of them.
 */
#ifndef LLS_TESTING_POINT_CLOUD_H
#define LLS_TESTING_POINT_CLOUD_H

#include "backends/hnsw/index.h"
#include "backends/hnsw/rotation.h"
#include "testing/check.h"

#include <math.h>
#include <stdlib.h>

typedef struct point_cloud {
    uint32_t dim;
    uint32_t count;
    float *vectors;
} point_cloud;

static inline float *cloud_at(const point_cloud *cloud, uint32_t i)
{
    return cloud->vectors + (size_t)i * cloud->dim;
}

/** Nearly a normal distribution: a sum of twelve draws. */
static inline float cloud_draw(uint64_t *seed)
{
    double sum = -6;

    for (int i = 0; i < 12; i++)
        sum += (double)(hnsw_random(seed) >> 11) * 0x1p-53;
    return (float)sum;
}

/** `count` vectors of `dim` around `clusters` centres, in an inner space of 16 dimensions. */
static inline point_cloud cloud_new(uint32_t dim, uint32_t count, uint32_t clusters, uint64_t seed)
{
    enum { INNER = 16 };
    point_cloud cloud = {dim, count, malloc((size_t)dim * count * sizeof(float))};
    float *map = malloc(dim * INNER * sizeof(float));
    float *centres = malloc(clusters * INNER * sizeof(float));
    uint64_t shape = 99; // the same for all seeds, so that queries lie where vectors do

    assert_true(cloud.vectors && map && centres);
    for (uint32_t i = 0; i < dim * INNER; i++)
        map[i] = cloud_draw(&shape);
    for (uint32_t i = 0; i < clusters * INNER; i++)
        centres[i] = cloud_draw(&shape);
    for (uint32_t v = 0; v < count; v++) {
        float inner[INNER];
        uint32_t c = (uint32_t)(hnsw_random(&seed) % clusters);
        for (int j = 0; j < INNER; j++)
            inner[j] = centres[c * INNER + (uint32_t)j] + 0.7f * cloud_draw(&seed);
        for (uint32_t i = 0; i < dim; i++) {
            float sum = cloud_draw(&seed);
            for (int j = 0; j < INNER; j++)
                sum += map[i * INNER + (uint32_t)j] * inner[j];
            cloud_at(&cloud, v)[i] = sum;
        }
    }
    free(map);
    free(centres);
    return cloud;
}

static inline void cloud_free(point_cloud *cloud)
{
    free(cloud->vectors);
    cloud->vectors = NULL;
}

#endif
