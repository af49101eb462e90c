/**
 * workflow_state.h - how far a workflow has come, so that it can go on after a restart.
 *
 * One record a workflow, under the key `custom:workflow_<id>:state`. The state is a JSON object,
 * kept byte for byte; its member "status" says how the workflow stands.
 */
#ifndef LLMSPELL_WORKFLOW_STATE_H
#define LLMSPELL_WORKFLOW_STATE_H

#include <llmspell/store.h>

LLS_BEGIN_DECLS

typedef struct lls_workflow_list lls_workflow_list;

/** How a workflow stands, by the member "status" of its state, in any case of letters. */
typedef enum lls_workflow_status {
    LLS_WORKFLOW_ANY, /**< In a filter: all. In a state: no status, or one not listed here. */
    LLS_WORKFLOW_PENDING,
    LLS_WORKFLOW_RUNNING,
    LLS_WORKFLOW_COMPLETED,
    LLS_WORKFLOW_FAILED,
    LLS_WORKFLOW_CANCELLED,
    LLS_WORKFLOW_PARTIALLY_COMPLETED, /**< "partially_completed", "PartiallyCompleted" */
} lls_workflow_status;

/** One saved state; ownership as in lls_agent_state. */
typedef struct lls_workflow_state {
    lls_str workflow_id;        /**< Not empty. */
    lls_str json;               /**< The state itself, a JSON object. */
    lls_workflow_status status; /**< Read from `json`; ignored by save. */
    uint64_t version;           /**< Goes up by one with each save; 0 before the first. */
    int64_t created_usec;
    int64_t saved_usec;
    lls_buf memory;
} lls_workflow_state;

/** Load. Errors: LLS_E_NOTFOUND, LLS_E_CORRUPT. Owns: free with lls_workflow_state_fini. */
LLS_API lls_err lls_workflow_state_load(lls_store *store, lls_str workflow_id,
                                        lls_workflow_state *out, lls_error *err) LLS_CHECKED;

/** Save as version `state->version + 1`; see lls_agent_state_save. Errors: LLS_E_CONFLICT. */
LLS_API lls_err lls_workflow_state_save(lls_store *store, lls_workflow_state *state,
                                        lls_error *err) LLS_CHECKED;

/** Remove. Errors: LLS_E_NOTFOUND. */
LLS_API lls_err lls_workflow_state_delete(lls_store *store, lls_str workflow_id,
                                          lls_error *err) LLS_CHECKED;

typedef struct lls_workflow_filter {
    lls_workflow_status status; /**< Only workflows that stand so. */
    lls_str id_prefix;          /**< Only ids that begin with this. */
    lls_str after_id;           /**< Begin behind this id, the last of the page before. */
    uint64_t limit;             /**< Most states to give; 0: all. */
} lls_workflow_filter;

/** List in byte order of the keys. Owns: close with lls_workflow_list_close. */
LLS_API lls_err lls_workflow_list_open(lls_store *store, const lls_workflow_filter *filter,
                                       lls_workflow_list **out, lls_error *err) LLS_CHECKED;

/** The next state. Its views live until the next call; it owns no memory. LLS_END at the end. */
LLS_API lls_err lls_workflow_list_next(lls_workflow_list *list, lls_workflow_state *out,
                                       lls_error *err) LLS_CHECKED;
LLS_API void lls_workflow_list_close(lls_workflow_list *list); /**< NULL is fine. */

LLS_API void lls_workflow_state_fini(lls_workflow_state *state); /**< A zeroed one is fine. */

/** "pending", "running", …; NULL for LLS_WORKFLOW_ANY. */
LLS_API const char *lls_workflow_status_text(lls_workflow_status status);

LLS_END_DECLS

#endif
