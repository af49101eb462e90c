/**
 * component.h - the catalogue: which components there are, which collection each keeps its
 * records in, and what a well-formed record of it looks like.
 *
 * `src/components/<name>.c` fills in one `lls_component_def` beside its typed API. The store, the
 * tools and the migration engine know components by this table only.
 */
#ifndef LLS_STORE_COMPONENT_H
#define LLS_STORE_COMPONENT_H

#include "ports/kv.h"

typedef struct lls_component_def {
    const char *name;       /**< What configuration, plans and the CLI call it. */
    const char *summary;    /**< One line. */
    lls_port port;          /**< What its records live on. */
    const char *collection; /**< Of that port. */
    const char *earlier_of; /**< The component whose earlier versions these are, or NULL. Such a
                                 component shares the backend of that one, whatever happens. */
    const char *route;    /**< Configuration key of its backend beside components.NAME, or NULL. */
    const char *key_form; /**< "agent:<type>:<id>", for messages. */

    /**
     * Append the value of `item` as JSON that a person can read and `from_json` turns back into
     * exactly it. LLS_E_UNSUPPORTED when this value cannot be said so. NULL: values are text.
     */
    lls_err (*to_json)(const lls_kv_item *item, lls_buf *json, lls_error *err);

    /** Append the value that `json` stands for. LLS_E_PARSE, LLS_E_INVALID with what is wrong. */
    lls_err (*from_json)(lls_str json, lls_buf *value, lls_error *err);

    /** Whether `key` has a form of this component. LLS_E_INVALID with what is wrong. */
    lls_err (*check_key)(lls_bytes key, lls_error *err);

    /** Whether `value` has the shape of this component. LLS_E_PARSE with what is wrong. */
    lls_err (*check_value)(lls_bytes value, lls_error *err);
} lls_component_def;

/* The components themselves; nobody but the catalogue names them. */
extern const lls_component_def lls_component_agent_state;
extern const lls_component_def lls_component_agent_state_history;
extern const lls_component_def lls_component_workflow_state;
extern const lls_component_def lls_component_sessions;
extern const lls_component_def lls_component_episodic_memory;
extern const lls_component_def lls_component_unrecognised;

/** In order of their documentation; ends with NULL. */
const lls_component_def *const *lls_components(void);

/** The component that keeps earlier versions of `component`'s records, or NULL. */
const lls_component_def *lls_component_history(const lls_component_def *component);

/** Find a component by name, or fail with LLS_E_INVALID and the names that there are. */
lls_err lls_component_find(lls_str name, const lls_component_def **out, lls_error *err) LLS_CHECKED;

#endif
