/**
 * packed.h - MessagePack: how long a value is before anybody trusts its lengths, and a value as
 * JSON. https://github.com/msgpack/msgpack/blob/master/spec.md
 */
#ifndef LLS_BASE_PACKED_H
#define LLS_BASE_PACKED_H

#include <llmspell/bytes.h>
#include <llmspell/error.h>

#include <msgpack.h>

/** The bytes of the value that `bytes` begin with; 0: it is not whole, or nested too deeply. */
size_t lls_packed_length(lls_bytes bytes, bool *malformed);

/**
 * Whether `bytes` begin with a list: how long its head is, behind which the elements stand, and
 * how many it announces. False also when the head is not whole.
 */
bool lls_packed_list(lls_bytes bytes, size_t *head, uint64_t *count);

/** The bytes of element `index` of a list that is one whole value; empty: there is none. */
lls_bytes lls_packed_element(lls_bytes list, size_t index);

/** Append the text that `packed` is. Errors: LLS_E_PARSE when it is none, LLS_E_NOMEM. */
lls_err lls_packed_text(lls_bytes packed, lls_buf *out, lls_error *err) LLS_CHECKED;

/**
 * Read exactly one value. Release `out` with msgpack_unpacked_destroy, also after a failure.
 * Errors: LLS_E_PARSE, LLS_E_NOMEM.
 */
lls_err lls_packed_open(lls_bytes packed, msgpack_unpacked *out, lls_error *err) LLS_CHECKED;

/**
 * Append a value as JSON: binary of 16 bytes as a UUID, other binary as a list of numbers. False:
 * there is something in it that JSON does not have; what was appended is of no use then.
 */
bool lls_packed_add_json(const msgpack_object *value, lls_buf *json);

#endif
