/** blob.h - a payload that was too large for the log: a file in `blobs`. */
#ifndef LLS_BACKENDS_SLED_BLOB_H
#define LLS_BACKENDS_SLED_BLOB_H

#include "backends/sled/folder.h"
#include "backends/sled/message.h"

typedef enum sled_blob_state {
    SLED_BLOB_GOOD,
    SLED_BLOB_ABSENT,
    SLED_BLOB_BAD, /**< Too short, or its checksum is wrong. */
} sled_blob_state;

enum { SLED_BLOB_NAME = 32, SLED_BLOB_HEADER = 5 }; /* bytes */

/** "blobs/123" */
void sled_blob_name(int64_t lsn, char out[SLED_BLOB_NAME]);

/**
 * Map the blob and verify it. The payload begins at SLED_BLOB_HEADER. With a state that is not
 * good `*out` is empty. Owns: sled_file_fini.
 */
lls_err sled_blob_load(const sled_folder *folder, int64_t lsn, sled_file *out,
                       sled_blob_state *state, lls_error *err) LLS_CHECKED;

#endif
