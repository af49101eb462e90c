/** unzstd.h - the engine's own compression: one zstd frame that says how much it holds. */
#ifndef LLS_BACKENDS_SLED_UNZSTD_H
#define LLS_BACKENDS_SLED_UNZSTD_H

#include <llmspell/bytes.h>

#define SLED_PAYLOAD_MAX ((size_t)1 << 30) /* bytes; a leaf has some 17 values of up to 64 MiB */

/** Zero is init. One thread at a time. */
typedef struct sled_unzstd {
    void *context; /* ZSTD_DCtx */
} sled_unzstd;

/**
 * Append what `frame` holds to `out`, which says by its `max` how much that may be.
 *
 * Errors: LLS_E_CORRUPT, without a message, when it is not one whole frame; LLS_E_FULL;
 * LLS_E_NOMEM. On failure `out` is as it was, but for its capacity.
 */
lls_err sled_unzstd_frame(sled_unzstd *unzstd, lls_bytes frame, lls_buf *out) LLS_CHECKED;

void sled_unzstd_fini(sled_unzstd *unzstd);

static inline void sled_unzstd_auto(sled_unzstd *unzstd)
{
    sled_unzstd_fini(unzstd);
}

#endif
