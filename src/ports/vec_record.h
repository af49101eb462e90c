/**
 * vec_record.h - the canonical form of a vector record: what its value is for export, backup,
 * digest and migration, on every backend the same. docs/formats/vector-record.md has its bytes.
 */
#ifndef LLS_PORTS_VEC_RECORD_H
#define LLS_PORTS_VEC_RECORD_H

#include "ports/vec.h"

/** Append the value of `item`; its id and meta are not part of it. The item was checked. */
void lls_vec_record_encode(const lls_vec_item *item, lls_buf *out);

/**
 * Read a record back. Views in `out` point into `item`; the vector into `floats`, replaced, since
 * the value may lie at any address.
 *
 * Errors: LLS_E_CORRUPT with what is wrong: a value that encode would not have written.
 */
lls_err lls_vec_record_decode(const lls_kv_item *item, lls_buf *floats, lls_vec_item *out,
                              lls_error *err) LLS_CHECKED;

/**
 * The same of a value that decode once took, or encode wrote: nothing is checked, nothing copied.
 * `out->vector` is NULL; `*vector` is where its bytes are, at any address, little-endian.
 */
void lls_vec_record_view(const lls_kv_item *item, lls_vec_item *out, const uint8_t **vector);

/** The `count` floats whose bytes are at `at`, into `floats`, replaced. */
lls_err lls_vec_record_floats(const uint8_t *at, size_t count, lls_buf *floats,
                              lls_error *err) LLS_CHECKED;

/** Whether `item` may be stored: everything that lls_vec_apply refuses for one record alone. */
lls_err lls_vec_item_check(const lls_vec_item *item, lls_error *err) LLS_CHECKED;

/** LLS_E_MISMATCH when two declarations of one space disagree. */
lls_err lls_vec_space_agree(const lls_vec_space *declared, const lls_vec_space *given,
                            lls_error *err) LLS_CHECKED;

/** What names a space in its collection: the model, or "dim:384". Into `out`, replaced. */
void lls_vec_space_name(lls_str model, uint32_t dim, lls_buf *out);

#endif
