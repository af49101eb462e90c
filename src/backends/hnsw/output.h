/** output.h - writing an immutable file: under another name, sealed, synced and renamed. */
#ifndef LLS_BACKENDS_HNSW_OUTPUT_H
#define LLS_BACKENDS_HNSW_OUTPUT_H

#include "backends/hnsw/sections.h"

typedef struct hnsw_output hnsw_output;

/** Begin `path`, as `path`.new, with `length` zeros. Errors: LLS_E_FULL: the disk. */
lls_err hnsw_output_open(const char *path, uint64_t length, hnsw_output **out,
                         lls_error *err) LLS_CHECKED;

lls_err hnsw_output_write(hnsw_output *output, uint64_t at, lls_bytes bytes,
                          lls_error *err) LLS_CHECKED;

/** Add the head with its checksums, make it last, and give it its name. */
lls_err hnsw_output_publish(hnsw_output *output, hnsw_sections *head, lls_error *err) LLS_CHECKED;

/** What was not published is removed. NULL is fine. */
void hnsw_output_close(hnsw_output *output);

/** One place of a file that is written to bit by bit. Zeroed but for `at` is ready. */
typedef struct hnsw_stream {
    uint64_t at; /**< Where `pending` goes. */
    lls_buf pending;
} hnsw_stream;

lls_err hnsw_stream_put(hnsw_stream *stream, hnsw_output *output, lls_bytes bytes,
                        lls_error *err) LLS_CHECKED;

/** The same at another place: what does not follow on is written first. */
lls_err hnsw_stream_put_at(hnsw_stream *stream, hnsw_output *output, uint64_t at, lls_bytes bytes,
                           lls_error *err) LLS_CHECKED;
lls_err hnsw_stream_flush(hnsw_stream *stream, hnsw_output *output, lls_error *err) LLS_CHECKED;
void hnsw_stream_fini(hnsw_stream *stream);

#endif
