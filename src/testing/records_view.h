/**
 * records_view.h - the records of a vector port, dressed as a key/value port for any bytes: so that
 * the key/value suite and the stage suite run on them as they are.
 *
 * A value becomes the text of a record (in base64 when it is not UTF-8), with a vector of four
 * dimensions that depends on it, and comes back from it.
 */
#ifndef LLS_TESTING_RECORDS_VIEW_H
#define LLS_TESTING_RECORDS_VIEW_H

#include "ports/backend.h"
#include "ports/stage.h"
#include "ports/vec.h"

/** Give the address of `backend` to the suites. Nothing of it must be closed. */
typedef struct lls_records_view {
    lls_backend backend;
    lls_kv kv;
    lls_kv *records;
} lls_records_view;

void lls_records_view_init(lls_records_view *view, lls_vec *vec);

#endif
