/**
 * packed.h - MessagePack as the Rust programs wrote it: a struct is an array of its fields in the
 * order of their declaration, so a reader must know their names.
 */
#ifndef LLS_BACKENDS_SLED_PACKED_H
#define LLS_BACKENDS_SLED_PACKED_H

#include <llmspell/bytes.h>

/** The fields of a struct, in order; ends with one that has no name. */
typedef struct sled_field {
    const char *name;
    const struct sled_field *fields; /**< Of a struct within; NULL: any value. */
    bool each;                       /**< The field is a list of such structs. */
} sled_field;

/**
 * Append `packed`, which is exactly one struct of `fields`, as a JSON object. Binary of 16 bytes
 * becomes a UUID, other binary a list of numbers.
 *
 * Errors: LLS_E_PARSE when it is something else, LLS_E_NOMEM. `json` is as it was then.
 */
lls_err sled_packed_to_json(lls_bytes packed, const sled_field *fields, lls_buf *json,
                            lls_error *err) LLS_CHECKED;

#endif
