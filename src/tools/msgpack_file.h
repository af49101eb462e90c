/**
 * msgpack_file.h - the lists of a vectors.msgpack, value by value: of the file, only the value at
 * hand is in memory.
 *
 * The file is what rs-llmspell's vector store wrote: [vectors, ids, entries, stats, metric,
 * config], in MessagePack, structs as lists of their fields.
 */
#ifndef LLS_TOOLS_MSGPACK_FILE_H
#define LLS_TOOLS_MSGPACK_FILE_H

#include <llmspell/bytes.h>
#include <llmspell/error.h>

/** Zero with a file descriptor is at its beginning. */
typedef struct lls_msgpack_file {
    int fd;
    lls_buf window;  /* what was read and not given out */
    size_t at;       /* how much of it was given out */
    uint64_t offset; /* of the window in the file */
    bool ended;
} lls_msgpack_file;

/** Where the next value stands. */
static inline uint64_t lls_msgpack_file_place(const lls_msgpack_file *file)
{
    return file->offset + file->at;
}

/** Go on at `offset`. Errors: LLS_E_INVALID when it is a pipe. */
lls_err lls_msgpack_file_seek(lls_msgpack_file *file, uint64_t offset, lls_error *err) LLS_CHECKED;

/**
 * The next value, whole; the view lives until the next call.
 * Errors: LLS_E_PARSE with its offset: the file ends within it, or it is none, or over 64 MiB.
 */
lls_err lls_msgpack_file_value(lls_msgpack_file *file, lls_bytes *out, lls_error *err) LLS_CHECKED;

/** Step into a list: how many values follow. Errors: LLS_E_PARSE when it is something else. */
lls_err lls_msgpack_file_list(lls_msgpack_file *file, uint64_t *count, lls_error *err) LLS_CHECKED;

/** Whether nothing follows. */
lls_err lls_msgpack_file_is_done(lls_msgpack_file *file, bool *done, lls_error *err) LLS_CHECKED;

static inline void lls_msgpack_file_auto(lls_msgpack_file *file)
{
    lls_buf_fini(&file->window);
}

#endif
