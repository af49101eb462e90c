/**
 * kinds.h - what a row of a database of rs-llmspell is, by its key; and the rows that become clean
 * records: under which key, and how their value is made.
 */
#ifndef LLS_BACKENDS_SLED_KINDS_H
#define LLS_BACKENDS_SLED_KINDS_H

#include "ports/kv.h"

typedef enum sled_kind {
    SLED_AGENT,          /**< `agent:TYPE:ID`, JSON, as documented. */
    SLED_AGENT_STATE,    /**< `state:agent_state:ID`, JSON or MessagePack, as really written. */
    SLED_WORKFLOW,       /**< `custom:workflow_ID:state`, JSON, as documented. */
    SLED_WORKFLOW_STATE, /**< `state:custom:workflow_ID:state`, wrapped in JSON. */
    SLED_SESSION,        /**< `session:ID`: JSON, MessagePack, or that in LZ4. */
    SLED_SESSION_META,   /**< `session_metadata:ID`, JSON: goes into its session. */
    SLED_SESSION_LINK,   /**< `session_correlation:ID`, JSON: likewise. */
    SLED_OTHER_STATE,    /**< From here on: what no component understands. */
    SLED_EVENT,
    SLED_HOOK,
    SLED_ARTIFACT,
    SLED_API_KEY,
    SLED_REGISTRY,
    SLED_OTHER,
    SLED_KINDS,
} sled_kind;

/** The kind of a row. `value` is looked at only where the key does not tell. */
sled_kind sled_kind_of(lls_bytes key, lls_bytes value);

/** "agent", "event", …: for `info`. */
const char *sled_kind_name(sled_kind kind);

/** The collection that its records are in, or NULL: none, or part of another record. */
const char *sled_kind_collection(sled_kind kind);

/** A row as a clean record. */
typedef struct sled_record {
    lls_buf key;   /**< Replaced. */
    lls_buf value; /**< Replaced. */
    int64_t created_usec;
    int64_t updated_usec;
} sled_record;

void sled_record_fini(sled_record *record);
static inline void sled_record_auto(sled_record *record)
{
    sled_record_fini(record);
}

/**
 * Decode a row of one of the kinds up to SLED_SESSION.
 *
 * Errors: LLS_E_PARSE when its value is not what such rows hold; LLS_E_NOMEM.
 */
lls_err sled_record_decode(sled_kind kind, lls_bytes key, lls_bytes value, sled_record *out,
                           lls_error *err) LLS_CHECKED;

#endif
