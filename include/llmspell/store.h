/**
 * store.h - an open store: every component, each served by the backend that the configuration
 * names. Typed access is in agent_state.h, workflow_state.h and session.h; this header opens,
 * closes, moves a component to another backend while it is in use, and gives raw access to
 * records for tools.
 *
 * Threads: one store may be used from any number of threads at once.
 */
#ifndef LLMSPELL_STORE_H
#define LLMSPELL_STORE_H

#include <llmspell/config.h>
#include <llmspell/record.h>

LLS_BEGIN_DECLS

typedef struct lls_store lls_store;
typedef struct lls_store_list lls_store_list;

typedef enum lls_open_mode {
    LLS_OPEN_WRITE, /**< Backends are made when they are not there yet. */
    LLS_OPEN_READ,  /**< Nothing is created or changed. */
} lls_open_mode;

typedef struct lls_store_options {
    uint32_t abi; /**< LLS_ABI. */
    lls_open_mode mode;

    /** The time in microseconds since 1970-01-01 UTC. NULL: the system's clock. */
    int64_t (*now_usec)(void *user);
    void *user;
} lls_store_options;

/**
 * Open a store. A backend is opened when the first component that it serves is used, so a
 * configuration may name a server that is not running as long as nobody needs it. The tenant is
 * the configuration's. `options` may be NULL. Borrows `config` for the call.
 *
 * Owns: the caller closes `*out` with lls_store_close.
 */
LLS_API lls_err lls_store_open(const lls_config *config, const lls_store_options *options,
                               lls_store **out, lls_error *err) LLS_CHECKED;

/** Close a store that no other thread uses any more. NULL is fine. */
LLS_API void lls_store_close(lls_store *store);

/** The tenant whose records this store serves. */
LLS_API lls_str lls_store_tenant(const lls_store *store);

/** The name of the backend that serves `component` now; NULL for an unknown component. */
LLS_API const char *lls_store_backend_of(lls_store *store, lls_str component);

/**
 * The names of the components in this library, in order of their documentation; NULL behind the
 * last.
 */
LLS_API const char *lls_component_at(size_t index);

/**
 * Append the value of `key` to `value`; fill `meta` (views: `component` and `key` as given,
 * `value` empty) unless it is NULL.
 *
 * Errors: LLS_E_NOTFOUND; LLS_E_INVALID for an unknown component; LLS_E_CORRUPT.
 */
LLS_API lls_err lls_store_get(lls_store *store, lls_str component, lls_bytes key, lls_buf *value,
                              lls_record *meta, lls_error *err) LLS_CHECKED;

/**
 * The same for one version of a record: the current one, or an earlier one that was kept (see the
 * configuration, storage.agent_state.history). Errors: LLS_E_NOTFOUND also when it was not kept.
 */
LLS_API lls_err lls_store_get_version(lls_store *store, lls_str component, lls_bytes key,
                                      uint64_t version, lls_buf *value, lls_record *meta,
                                      lls_error *err) LLS_CHECKED;

/**
 * Walk the earlier versions of a record that were kept, oldest first, with the times that they had;
 * the current one is not among them. The list goes on as any other. None is no failure.
 *
 * Owns: the caller closes `*out` with lls_store_list_close, before the store.
 */
LLS_API lls_err lls_store_history_open(lls_store *store, lls_str component, lls_bytes key,
                                       lls_store_list **out, lls_error *err) LLS_CHECKED;

/** What lls_store_put does when the key is there, or is not. */
typedef enum lls_put_mode {
    LLS_PUT_ANY,     /**< Insert or replace. */
    LLS_PUT_CREATE,  /**< LLS_E_EXISTS when the key is there. */
    LLS_PUT_REPLACE, /**< LLS_E_CONFLICT unless the version is `record->version`. */
} lls_put_mode;

/**
 * Write one record of `record->component`; its key must have a form that the component knows.
 * `expires_usec` is kept; the times are the store's business. Durable when it returns.
 */
LLS_API lls_err lls_store_put(lls_store *store, const lls_record *record, lls_put_mode mode,
                              lls_error *err) LLS_CHECKED;

/** Remove a record, and its earlier versions. Errors: LLS_E_NOTFOUND when there is none. */
LLS_API lls_err lls_store_delete(lls_store *store, lls_str component, lls_bytes key,
                                 lls_error *err) LLS_CHECKED;

/**
 * Walk the records of a component in byte order of their keys: those that begin with `prefix` and
 * come after `after`, either may be empty. The walk sees one moment.
 *
 * Owns: the caller closes `*out` with lls_store_list_close, before the store.
 */
LLS_API lls_err lls_store_list_open(lls_store *store, lls_str component, lls_bytes prefix,
                                    lls_bytes after, lls_store_list **out,
                                    lls_error *err) LLS_CHECKED;

/** LLS_OK with a record whose views live until the next call, LLS_END, or a failure. */
LLS_API lls_err lls_store_list_next(lls_store_list *list, lls_record *record,
                                    lls_error *err) LLS_CHECKED;
LLS_API void lls_store_list_close(lls_store_list *list); /**< NULL is fine. */

/** Free the room of records that have expired; `removed` may be NULL. */
LLS_API lls_err lls_store_sweep(lls_store *store, lls_str component, uint64_t *removed,
                                lls_error *err) LLS_CHECKED;

/**
 * Move `component` to another backend while the store is in use: what it holds is copied and
 * verified while readers and writers go on, changes made meanwhile are carried after, and the
 * route flips when both are equal. Readers and writers see one consistent store before, during
 * and after. When it fails, the route is as it was. What the old backend holds stays there.
 *
 * `backend` is the name of a backend, or of a [storage.backends.NAME] in the configuration.
 * Other processes that have the store open are not told: change
 * their configuration and open them again, before they write.
 *
 * Errors: LLS_E_EXISTS when the target holds other records of the component already.
 */
LLS_API lls_err lls_store_swap(lls_store *store, lls_str component, const char *backend,
                               lls_error *err) LLS_CHECKED;

LLS_END_DECLS

#endif
