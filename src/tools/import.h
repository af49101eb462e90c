/**
 * import.h - what all formats of an import share: records are collected in batches and stored, and
 * what goes wrong is told with the place in the file where it stands.
 */
#ifndef LLS_TOOLS_IMPORT_H
#define LLS_TOOLS_IMPORT_H

#include "ports/batch.h"
#include "store/route.h"
#include "tools/pace.h"

#include <llmspell/transfer.h>

typedef struct lls_import_run {
    lls_store *store;
    lls_route *route;
    const lls_transfer_options *options;
    int fd;
    const char *unit; /**< What the file has: "line", "row", "vector". */
    uint64_t place;   /**< The number of the one that is being read. */
    uint64_t bytes;   /**< Read so far. */
    uint64_t stored;  /**< Records that are in the store. */
    lls_batch batch;
    uint64_t batch_records;
    uint64_t first; /**< Places of the batch. */
    uint64_t last;
    lls_pace pace;
} lls_import_run;

/** Check `item`, which is copied, and add it to the batch; store the batch when it is full. */
lls_err lls_import_add(lls_import_run *run, const lls_kv_item *item, lls_error *err) LLS_CHECKED;

/** Store what is in the batch. */
lls_err lls_import_flush(lls_import_run *run, lls_error *err) LLS_CHECKED;

/** Between two records: LLS_E_CANCELLED when the caller asked to stop; tells the progress. */
lls_err lls_import_pause(lls_import_run *run, lls_error *err) LLS_CHECKED;

/* One reader a format. Each reads all of `run->fd` and leaves the last batch to its caller. */
lls_err lls_import_lines(lls_import_run *run, lls_error *err) LLS_CHECKED;
lls_err lls_import_fbin(lls_import_run *run, lls_error *err) LLS_CHECKED;
lls_err lls_import_msgpack(lls_import_run *run, lls_error *err) LLS_CHECKED;

#endif
