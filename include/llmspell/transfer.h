/**
 * transfer.h - records in and out of a store as JSON lines, one record a line. docs/FORMATS.md
 * describes the line. What was exported in full imports exactly.
 */
#ifndef LLMSPELL_TRANSFER_H
#define LLMSPELL_TRANSFER_H

#include <llmspell/embedding.h>
#include <llmspell/store.h>

LLS_BEGIN_DECLS

typedef enum lls_file_format {
    LLS_FILE_LINES,   /**< JSON lines. */
    LLS_FILE_FBIN,    /**< Vectors only: two 32-bit counts (rows, dimension), then the floats. */
    LLS_FILE_MSGPACK, /**< Import only: the vectors.msgpack of an rs-llmspell vector store. */
} lls_file_format;

typedef struct lls_transfer_options {
    uint32_t abi;       /**< LLS_ABI. */
    bool full;          /**< Export: versions and times too, not only keys and values. */
    bool keep_existing; /**< Import: LLS_E_EXISTS instead of replacing a record. */
    uint64_t batch;     /**< Import: records in one atomic write; 0: 1,000. */
    void (*progress)(void *user, uint64_t records, uint64_t bytes);
    /** Import: told of each thing in the file that was mended or left out. May be NULL. */
    void (*note)(void *user, const char *text);
    void *user;
    lls_file_format format;
    lls_str id_prefix;     /**< Import of .fbin: ids are this and the number of the row. */
    lls_str model;         /**< Of vectors alone: the space to read from, or to import into. */
    lls_vec_metric metric; /**< Import of .fbin: of that space. */

    const volatile int *cancel; /**< Not NULL and not 0: stop with LLS_E_CANCELLED. */
} lls_transfer_options;

/** Write every record of `component` to the file descriptor `fd`, in key order. One moment. */
LLS_API lls_err lls_export(lls_store *store, lls_str component, int fd,
                           const lls_transfer_options *options, uint64_t *records,
                           lls_error *err) LLS_CHECKED;

/**
 * Read lines from `fd` into `component`. Whole batches are written; at a bad line the import stops
 * with its number in the message, and `*records` says how many lines are in the store. Repeating
 * an import is harmless. A line with versions and times is restored with them.
 */
LLS_API lls_err lls_import(lls_store *store, lls_str component, int fd,
                           const lls_transfer_options *options, uint64_t *records,
                           lls_error *err) LLS_CHECKED;

/**
 * Append the value of `record` as a person may read it: components that do not keep text say their
 * values as JSON, which lls_value_from_json turns back into exactly them. A value that cannot be
 * said so is appended as it is.
 */
LLS_API lls_err lls_record_to_json(const lls_record *record, lls_buf *json,
                                   lls_error *err) LLS_CHECKED;

/**
 * Append the value that `given` stands for in `component`: JSON as lls_record_to_json writes it, or
 * the value itself. Errors: LLS_E_PARSE, LLS_E_INVALID, LLS_E_MISMATCH with what is wrong.
 */
LLS_API lls_err lls_value_from_json(lls_str component, lls_bytes given, lls_buf *value,
                                    lls_error *err) LLS_CHECKED;

LLS_END_DECLS

#endif
