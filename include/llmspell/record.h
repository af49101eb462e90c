/**
 * record.h - one stored record as every component, backend and file of this product knows it.
 */
#ifndef LLMSPELL_RECORD_H
#define LLMSPELL_RECORD_H

#include <llmspell/bytes.h>

LLS_BEGIN_DECLS

#define LLS_KEY_MAX 507 /* bytes; LMDB's default limit of 511 less four that tell spaces apart */
#define LLS_VALUE_MAX ((size_t)64 << 20) /* 64 MiB */

/** The views belong to whoever handed the record out, who says how long they live. */
typedef struct lls_record {
    lls_str component;    /**< "agent_state", "workflow_state", "sessions". */
    lls_bytes key;        /**< 1 to LLS_KEY_MAX bytes, any of them. */
    lls_bytes value;      /**< 0 to LLS_VALUE_MAX bytes, any of them; usually JSON. */
    uint64_t version;     /**< 1 with the first write, up by one with each. */
    int64_t created_usec; /**< Microseconds since 1970-01-01 UTC; so are the next two. */
    int64_t updated_usec;
    int64_t expires_usec; /**< From this moment on the record is not there. 0: never. */
} lls_record;

LLS_END_DECLS

#endif
