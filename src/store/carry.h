/**
 * carry.h - what a swap does between two spaces that are both in use: copy all, carry single keys
 * after, find what differs. Scans are short, so that neither side pins what is deleted meanwhile.
 *
 * Records that have expired count as absent everywhere here.
 */
#ifndef LLS_STORE_CARRY_H
#define LLS_STORE_CARRY_H

#include "ports/stage.h"

typedef struct lls_carry {
    lls_kv *source;
    lls_kv *target;
    lls_kv_space space; /**< The same on both sides. */
} lls_carry;

/** Add every record of the source to `stage`. Each is as it was at some moment of the call. */
lls_err lls_carry_all(const lls_carry *carry, lls_kv_stage *stage, lls_error *err) LLS_CHECKED;

/**
 * Make the target hold under each of `keys` (as lls_capture_take gives them) what the source holds
 * now, and read it back. Nobody else may write to the target.
 *
 * Errors: LLS_E_MISMATCH when the target gives back something else than was put into it.
 */
lls_err lls_carry_keys(const lls_carry *carry, const lls_buf *keys, lls_error *err) LLS_CHECKED;

/** Compare both sides, record by record, and carry what differs. */
lls_err lls_carry_differences(const lls_carry *carry, lls_error *err) LLS_CHECKED;

#endif
