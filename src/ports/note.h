/**
 * note.h - a short text kept as a record of any port: locks, marks and probes stand beside the
 * records that they are about, whatever these are.
 */
#ifndef LLS_PORTS_NOTE_H
#define LLS_PORTS_NOTE_H

#include "ports/kv.h"

/** Append `text`, which is UTF-8, as a value that `port` takes. */
void lls_note_encode(lls_port port, lls_str text, lls_buf *value);

/** Append the text of `item`. Errors: LLS_E_CORRUPT when it is no note. */
lls_err lls_note_decode(lls_port port, const lls_kv_item *item, lls_buf *text,
                        lls_error *err) LLS_CHECKED;

/** Append the note stored under `key` to `text`. `meta` may be NULL. Errors as lls_kv_get. */
lls_err lls_note_get(lls_kv *kv, lls_kv_space space, lls_bytes key, lls_buf *text,
                     lls_kv_meta *meta, lls_error *err) LLS_CHECKED;

/** Do one write whose value is `text`. Errors as lls_kv_apply. */
lls_err lls_note_apply(lls_kv *kv, lls_str tenant, lls_kv_write write, lls_str text,
                       lls_error *err) LLS_CHECKED;

#endif
