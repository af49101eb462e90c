/**
 * backend.h - what a storage backend is: a name, a table of options, open and close, and the ports
 * that it has. `src/backends/<name>/` fills in one `lls_backend_def`, its only global symbol.
 * docs/backends.md follows the writing of one from the empty folder to the passing suite.
 */
#ifndef LLS_PORTS_BACKEND_H
#define LLS_PORTS_BACKEND_H

#include "ports/kv.h"
#include "ports/option.h"
#include "ports/vec.h"

typedef struct lls_backend lls_backend;

/** What a backend promises, as `info` prints it. Latencies are orders of magnitude, not results. */
typedef struct lls_characteristics {
    bool persistent;     /**< What was acknowledged is there after the process ended. */
    bool transactional;  /**< `apply` is all or nothing. */
    bool prefix_scan;    /**< Scans by prefix cost what they return, not what is stored. */
    bool atomic_ops;     /**< CREATE and REPLACE decide between concurrent writers. */
    bool multi_process;  /**< Several processes may write at once. */
    uint32_t read_usec;  /**< Of one get of a small record. */
    uint32_t write_usec; /**< Of one durable put of a small record. */
} lls_characteristics;

typedef enum lls_access {
    LLS_READ_WRITE, /**< Made when it is not there yet. */
    LLS_READ_ONLY,  /**< Nothing is created or changed; LLS_E_NOTFOUND when there is no store. */
} lls_access;

typedef struct lls_backend_params {
    lls_access access;
    const lls_clock *clock; /**< NULL: the system's. Must outlive the backend. */
} lls_backend_params;

/** Told each fact or finding, in order. The views live for the call. */
typedef void (*lls_fact_fn)(void *user, const char *name, const char *value);

/** One step of a backend's schema, oldest first. */
typedef struct lls_schema_step {
    uint32_t number;      /**< 7 for V7. */
    const char *name;     /**< "agent_state" */
    const char *state;    /**< "applied", "pending", "edited", "unknown": see lls_schema_ops. */
    int64_t applied_usec; /**< 0 when it is not applied. */
} lls_schema_step;

typedef lls_err (*lls_schema_fn)(void *user, const lls_schema_step *step, lls_error *err);

/** For backends whose store has a schema that is set up and moved forward by an administrator. */
typedef struct lls_schema_ops {
    /** Tell each step that this build or the store knows; changes nothing. */
    lls_err (*status)(lls_backend *backend, lls_schema_fn each, void *user, lls_error *err);

    /**
     * Apply what is pending, in number order, each step in a transaction of its own, one
     * administrator at a time. Errors: LLS_E_MISMATCH when an applied step was edited or is
     * missing here; LLS_E_NEWER when the store knows steps that this build does not.
     */
    lls_err (*apply)(lls_backend *backend, lls_schema_fn each, void *user, lls_error *err);
} lls_schema_ops;

#define LLS_HAS(port) (1U << (port))

typedef struct lls_backend_def {
    const char *name;          /**< What TOML and the CLI call it. */
    const char *summary;       /**< One line for `llmspell storage backends`. */
    const lls_option *options; /**< The TOML keys it takes; ends with a NULL name. */
    size_t conf_size;          /**< Size of the struct that `options` fill. */
    unsigned ports;            /**< What it has: LLS_HAS(LLS_PORT_KV) | … */
    lls_characteristics characteristics;

    /** Open with a `conf` filled from `options`. `conf` and `params` are borrowed for the call. */
    lls_err (*open)(const void *conf, const lls_backend_params *params, lls_backend **out,
                    lls_error *err);

    /** Release everything. Never fails: what must be durable was made so by `apply`. */
    void (*close)(lls_backend *backend);

    /* Optional. */

    /** Tell what `info` should print: versions, sizes, settings. No secrets. */
    lls_err (*facts)(lls_backend *backend, lls_fact_fn each, void *user, lls_error *err);

    /** Tell each thing that is wrong with the store itself, beyond its records. */
    lls_err (*check)(lls_backend *backend, lls_fact_fn each, void *user, lls_error *err);

    /** Errors as a migration's preflight sees them: not reachable, schema missing, no room. */
    lls_err (*ready)(lls_backend *backend, uint64_t bytes_to_come, lls_error *err);

    const lls_schema_ops *schema; /**< NULL: the store has no schema to look after. */
} lls_backend_def;

/* A backend embeds this first. A NULL port is one that it does not have. */
struct lls_backend {
    const lls_backend_def *def; /* set by lls_backend_open */
    lls_kv *kv;
    lls_vec *vec;
};

/** The backends built into this library, in name order; ends with NULL. */
const lls_backend_def *const *lls_backends(void);

/** Find a backend by name, or NULL. */
const lls_backend_def *lls_backend_find(lls_str name);

/** Fail with "no backend 'x' in this build (it has: …)". */
lls_err lls_backend_unknown(lls_str name, lls_error *err) LLS_CHECKED;

/**
 * Open the backend called `name`. `params` may be NULL: read and write, the system's clock.
 *
 * Owns: the caller closes `*out` with lls_backend_close.
 * Errors: LLS_E_INVALID for an unknown backend (the known ones are named), option or value;
 * LLS_E_NOTFOUND when reading what does not exist; LLS_E_NEWER; whatever `open` reports.
 */
lls_err lls_backend_open(lls_str name, const lls_setting *settings, size_t count,
                         const lls_backend_params *params, lls_backend **out,
                         lls_error *err) LLS_CHECKED;

/** What lives on a port, in the words of a message: "vectors". */
const char *lls_port_contents(lls_port port);

/**
 * What `backend` keeps of `port`, as keys and values: the port itself, or its records.
 *
 * Errors: LLS_E_UNSUPPORTED when it does not have the port.
 */
lls_err lls_backend_records(const lls_backend *backend, lls_port port, lls_kv **out,
                            lls_error *err) LLS_CHECKED;

/** Close a backend. NULL is fine. */
void lls_backend_close(lls_backend *backend);

typedef lls_backend *lls_backend_ref;
static inline void lls_backend_ref_auto(lls_backend_ref *backend)
{
    lls_backend_close(*backend);
}

#endif
