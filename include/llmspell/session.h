/**
 * session.h - conversations and their settings, kept until they expire.
 *
 * One record a session, under the key `session:<id>`. The session is a JSON object, kept byte for
 * byte; its member "status" (at the top, or in "metadata") says how it stands.
 */
#ifndef LLMSPELL_SESSION_H
#define LLMSPELL_SESSION_H

#include <llmspell/store.h>

LLS_BEGIN_DECLS

typedef struct lls_session_list lls_session_list;

typedef enum lls_session_status {
    LLS_SESSION_ANY, /**< In a filter: all. In a session: no status, or one not listed here. */
    LLS_SESSION_ACTIVE,
    LLS_SESSION_SUSPENDED,
    LLS_SESSION_COMPLETED,
    LLS_SESSION_FAILED,
    LLS_SESSION_ARCHIVED,
} lls_session_status;

/** One saved session; ownership as in lls_agent_state. */
typedef struct lls_session {
    lls_str session_id;        /**< Not empty; a UUID or anything else. */
    lls_str json;              /**< The session itself, a JSON object. */
    lls_session_status status; /**< Read from `json`; ignored by save. */
    uint64_t version;          /**< Goes up by one with each save; 0 before the first. */
    int64_t created_usec;
    int64_t saved_usec;
    int64_t expires_usec; /**< From this moment on the session is not there. 0: never. */
    lls_buf memory;
} lls_session;

/** Load. Errors: LLS_E_NOTFOUND, also when expired; LLS_E_CORRUPT. Free with lls_session_fini. */
LLS_API lls_err lls_session_load(lls_store *store, lls_str session_id, lls_session *out,
                                 lls_error *err) LLS_CHECKED;

/** Save as version `session->version + 1`, with its expiry. Errors: LLS_E_CONFLICT. */
LLS_API lls_err lls_session_save(lls_store *store, lls_session *session,
                                 lls_error *err) LLS_CHECKED;

/**
 * Let a session live until `expires_usec` (0: for ever). Its JSON stays; its version goes up, so
 * who loaded it before and saves it now gets LLS_E_CONFLICT. Errors: LLS_E_NOTFOUND.
 */
LLS_API lls_err lls_session_touch(lls_store *store, lls_str session_id, int64_t expires_usec,
                                  lls_error *err) LLS_CHECKED;

/** Remove. Errors: LLS_E_NOTFOUND. */
LLS_API lls_err lls_session_delete(lls_store *store, lls_str session_id,
                                   lls_error *err) LLS_CHECKED;

/** Free the room of sessions that have expired; `removed` may be NULL. */
LLS_API lls_err lls_session_sweep(lls_store *store, uint64_t *removed, lls_error *err) LLS_CHECKED;

typedef struct lls_session_filter {
    lls_session_status status; /**< Only sessions that stand so. */
    lls_str id_prefix;         /**< Only ids that begin with this. */
    lls_str after_id;          /**< Begin behind this id, the last of the page before. */
    uint64_t limit;            /**< Most sessions to give; 0: all. */
} lls_session_filter;

/** List in byte order of the keys. Owns: close with lls_session_list_close. */
LLS_API lls_err lls_session_list_open(lls_store *store, const lls_session_filter *filter,
                                      lls_session_list **out, lls_error *err) LLS_CHECKED;

/** The next session. Its views live until the next call; it owns no memory. LLS_END at the end. */
LLS_API lls_err lls_session_list_next(lls_session_list *list, lls_session *out,
                                      lls_error *err) LLS_CHECKED;
LLS_API void lls_session_list_close(lls_session_list *list); /**< NULL is fine. */

LLS_API void lls_session_fini(lls_session *session); /**< A zeroed one is fine. */

/** "active", "suspended", …; NULL for LLS_SESSION_ANY. */
LLS_API const char *lls_session_status_text(lls_session_status status);

LLS_END_DECLS

#endif
