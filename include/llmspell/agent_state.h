/**
 * agent_state.h - what an agent remembers between runs.
 *
 * One record an agent, under the key `agent:<type>:<id>`. The state is a JSON object, kept byte
 * for byte.
 */
#ifndef LLMSPELL_AGENT_STATE_H
#define LLMSPELL_AGENT_STATE_H

#include <llmspell/store.h>

LLS_BEGIN_DECLS

typedef struct lls_agent_list lls_agent_list;

/**
 * One saved state. After a load every view points into `memory`, which the struct owns: one
 * lls_agent_state_fini frees all of it. To save, the caller may point the views anywhere.
 */
typedef struct lls_agent_state {
    lls_str agent_type;   /**< Not empty, no colon: "chat", "tool". */
    lls_str agent_id;     /**< Not empty. */
    lls_str json;         /**< The state itself, a JSON object. */
    uint64_t version;     /**< Goes up by one with each save; 0 before the first. */
    int64_t created_usec; /**< Microseconds since 1970-01-01 UTC. */
    int64_t saved_usec;
    lls_buf memory;
} lls_agent_state;

/**
 * Load the state of an agent into `out`.
 *
 * Owns: the caller frees `out` with lls_agent_state_fini, after success only.
 * Errors: LLS_E_NOTFOUND; LLS_E_CORRUPT when the stored record does not match its checksum.
 */
LLS_API lls_err lls_agent_state_load(lls_store *store, lls_str agent_type, lls_str agent_id,
                                     lls_agent_state *out, lls_error *err) LLS_CHECKED;

/**
 * Load one version of it: the current one, or an earlier one that was kept.
 * Errors: LLS_E_NOTFOUND also when that version was not kept.
 */
LLS_API lls_err lls_agent_state_load_version(lls_store *store, lls_str agent_type, lls_str agent_id,
                                             uint64_t version, lls_agent_state *out,
                                             lls_error *err) LLS_CHECKED;

/**
 * Save `state` as version `state->version + 1`, and set `state->version` to that: 0 saves the
 * first version of a new agent.
 *
 * Errors: LLS_E_CONFLICT when somebody saved since `state` was loaded (or, for version 0, when
 * the agent has a state already): load it again and retry. LLS_E_PARSE when it is not an object.
 */
LLS_API lls_err lls_agent_state_save(lls_store *store, lls_agent_state *state,
                                     lls_error *err) LLS_CHECKED;

/** Remove the state of an agent, with its history. Errors: LLS_E_NOTFOUND. */
LLS_API lls_err lls_agent_state_delete(lls_store *store, lls_str agent_type, lls_str agent_id,
                                       lls_error *err) LLS_CHECKED;

typedef struct lls_agent_filter {
    lls_str agent_type; /**< Only this type; empty: all. */
    lls_str id_prefix;  /**< Only ids that begin with this; needs `agent_type`. */
    lls_str after_type; /**< Begin behind this agent, the last one of the page before; */
    lls_str after_id;   /**< both empty: at the first. */
    uint64_t limit;     /**< Most states to give; 0: all. */
} lls_agent_filter;

/**
 * List states in byte order of their keys. `filter` may be NULL: all of them.
 *
 * Owns: the caller closes `*out` with lls_agent_list_close.
 */
LLS_API lls_err lls_agent_list_open(lls_store *store, const lls_agent_filter *filter,
                                    lls_agent_list **out, lls_error *err) LLS_CHECKED;

/**
 * List the earlier versions of a state, oldest first, as lls_agent_list_next gives them. There are
 * those that were replaced while `history` in [storage.agent_state] was greater than 0, the newest
 * so many of them. None is no failure, and neither is an agent that is not there.
 *
 * Owns: the caller closes `*out` with lls_agent_list_close.
 */
LLS_API lls_err lls_agent_history_open(lls_store *store, lls_str agent_type, lls_str agent_id,
                                       lls_agent_list **out, lls_error *err) LLS_CHECKED;

/** The next state. Its views live until the next call; it owns no memory. LLS_END at the end. */
LLS_API lls_err lls_agent_list_next(lls_agent_list *list, lls_agent_state *out,
                                    lls_error *err) LLS_CHECKED;
LLS_API void lls_agent_list_close(lls_agent_list *list); /**< NULL is fine. */

LLS_API void lls_agent_state_fini(lls_agent_state *state); /**< A zeroed one is fine. */

LLS_END_DECLS

#endif
