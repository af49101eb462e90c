/** mapping.h - whole files in memory. */
#ifndef LLS_BACKENDS_HNSW_MAPPING_H
#define LLS_BACKENDS_HNSW_MAPPING_H

#include <llmspell/bytes.h>

typedef enum hnsw_map_mode {
    HNSW_MAP_SHARED, /**< To read. */
    HNSW_MAP_OWN,    /**< To read and to write; what is written nobody else sees. */
} hnsw_map_mode;

/** Map a file. Owns: hnsw_unmap it. Errors: LLS_E_NOTFOUND, LLS_E_CORRUPT when it is empty. */
lls_err hnsw_map(const char *path, hnsw_map_mode mode, const uint8_t **bytes, size_t *length,
                 lls_error *err) LLS_CHECKED;

/** NULL is fine. */
void hnsw_unmap(const uint8_t *bytes, size_t length);

#endif
