/**
 * msgpack_survey.h - what a vectors.msgpack holds beside the insides of its entries: the metric
 * stands behind them, and its lists of vectors and ids may not fit them.
 */
#ifndef LLS_TOOLS_MSGPACK_SURVEY_H
#define LLS_TOOLS_MSGPACK_SURVEY_H

#include "ports/vec.h"
#include "tools/import.h"
#include "tools/msgpack_file.h"

/** Zero is empty. */
typedef struct lls_msgpack_survey {
    lls_buf vectors; /**< A 64-bit hash of each, as are the next two: see lls_msgpack_hash_at. */
    lls_buf ids;
    lls_buf entries;     /**< Of their ids. */
    uint64_t entries_at; /**< Where their list begins in the file. */
    lls_buf namespace;
    lls_vec_metric metric;
} lls_msgpack_survey;

/**
 * Go through the file, from where it stands. Owns: lls_msgpack_survey_auto, also after a failure.
 * Errors: LLS_E_PARSE; LLS_E_NOMEM; what lls_import_pause says.
 */
lls_err lls_msgpack_survey_take(lls_msgpack_survey *s, lls_import_run *run, lls_msgpack_file *file,
                                lls_error *err) LLS_CHECKED;
void lls_msgpack_survey_auto(lls_msgpack_survey *s);

/** How many hashes there are, and one of them. */
size_t lls_msgpack_count(const lls_buf *hashes);
uint64_t lls_msgpack_hash_at(const lls_buf *hashes, size_t index);

/** The hash of a value as it is packed. */
uint64_t lls_msgpack_hash(lls_bytes packed);

#endif
