/**
 * msgpack_entry.h - an entry of a vectors.msgpack as an episode: a list of fields, unpacked.
 */
#ifndef LLS_TOOLS_MSGPACK_ENTRY_H
#define LLS_TOOLS_MSGPACK_ENTRY_H

#include "ports/vec.h"

#include <msgpack.h>

/** The fields, by their place. */
enum {
    LLS_MSGPACK_ID,
    LLS_MSGPACK_EMBEDDING,
    LLS_MSGPACK_METADATA,
    LLS_MSGPACK_SCOPE,
    LLS_MSGPACK_CREATED,
    LLS_MSGPACK_UPDATED,
    LLS_MSGPACK_EVENT,
    LLS_MSGPACK_EXPIRES,
    LLS_MSGPACK_TTL,
    LLS_MSGPACK_TENANT,
    LLS_MSGPACK_FIELDS
};

/** What an entry does not say itself. */
typedef struct lls_msgpack_defaults {
    lls_str namespace; /**< The session of an entry that has none. */
    lls_str model;     /**< Which made the embeddings; may be empty. */
    lls_vec_metric metric;
} lls_msgpack_defaults;

/** Append the episode as JSON. NULL, or why there is none; what was appended is of no use then. */
const char *lls_msgpack_entry_json(const msgpack_object *entry,
                                   const lls_msgpack_defaults *defaults, lls_buf *json);

/** When an entry with these fields expires, 0: never. Of a time to live that has no moment yet, it
 * begins with the entry. */
int64_t lls_msgpack_entry_expiry(const msgpack_object *field);

#endif
