/**
 * inspect.h - look at backends without changing them: which there are, what they promise, what
 * they hold, and whether it is sound; and look after the schema of those that have one.
 *
 * These functions take a `backend` by the name of a backend or of a [storage.backends.NAME] in the
 * configuration; NULL is the default of the configuration.
 */
#ifndef LLMSPELL_INSPECT_H
#define LLMSPELL_INSPECT_H

#include <llmspell/config.h>
#include <llmspell/embedding.h>

LLS_BEGIN_DECLS

/** One option of a backend. The texts are static. */
typedef struct lls_option_info {
    const char *name;
    const char *type;    /**< "size", "count", "duration", "text", "choice", "path", … */
    const char *preset;  /**< The default, as it would be written; NULL: required. */
    const char *choices; /**< "full|relaxed", or NULL. */
    const char *meaning; /**< One line, with the unit. */
} lls_option_info;

/** One backend of this library. The texts are static. */
typedef struct lls_backend_info {
    const char *name;
    const char *summary;
    bool persistent;     /**< What was acknowledged is there after the process ended. */
    bool transactional;  /**< A batch of writes is all or nothing. */
    bool prefix_scan;    /**< Scans by prefix cost what they return, not what is stored. */
    bool atomic_ops;     /**< Create and compare-and-set decide between concurrent writers. */
    bool multi_process;  /**< Several processes may write at once. */
    bool has_schema;     /**< lls_schema_status and lls_schema_apply work on it. */
    uint32_t read_usec;  /**< Order of magnitude of one get. */
    uint32_t write_usec; /**< Order of magnitude of one durable put. */
} lls_backend_info;

/** The `index`th backend in name order, or false behind the last. */
LLS_API bool lls_backend_info_at(size_t index, lls_backend_info *out);

/** The `index`th option of `backend`, or false behind the last or for an unknown backend. */
LLS_API bool lls_option_info_at(const char *backend, size_t index, lls_option_info *out);

/** What a backend holds of one component, for the configuration's tenant. */
typedef struct lls_component_info {
    const char *component;
    uint64_t count;        /**< Records that have not expired. */
    uint64_t bytes;        /**< Room they take, as the backend counts it. */
    bool bytes_are_shared; /**< True: `bytes` is of all tenants together. */
} lls_component_info;

/** One embedding space of a component that keeps vectors. Texts live for the call. */
typedef struct lls_space_info {
    const char *component;
    lls_str model;      /**< Empty: the space is named by its dimension. */
    uint32_t dimension; /**< 0: records without an embedding. */
    lls_vec_metric metric;
    bool normalised;
    uint64_t count;     /**< Vectors, of expired records too. */
    uint64_t bytes;     /**< Room they take, as the backend counts it. */
    uint64_t hot_bytes; /**< Of that, what a search goes through in memory; 0: unknown. */
    bool exact;         /**< Searches compare everything. */
    const char *index;  /**< "hnsw int8, m 16", "none", … */
    double recall;      /**< Share of the ten nearest that a search finds, on a sample of … */
    uint32_t asked;     /**< … so many stored vectors; 0: not measured. */
} lls_space_info;

/** Vectors of a space up to which lls_inspect measures recall without being asked. */
#define LLS_INSPECT_RECALL_MAX 100000

typedef struct lls_info_handler {
    void (*fact)(void *user, const char *name, const char *value); /**< Versions, sizes, … */
    void (*component)(void *user, const lls_component_info *info);
    void (*space)(void *user, const lls_space_info *info); /**< Follows its component. */
    void *user;
    bool recall; /**< Measure recall in spaces of any size. */
} lls_info_handler;

/** Open `backend` for reading and tell what it is and holds. Creates nothing. */
LLS_API lls_err lls_inspect(const lls_config *config, const char *backend,
                            const lls_info_handler *handler, lls_error *err) LLS_CHECKED;

/** One thing that is wrong. Texts live for the call. */
typedef struct lls_finding {
    const char *component; /**< NULL: the store itself. */
    const char *key;       /**< As it may be shown; NULL when it is not about one record. */
    const char *what;      /**< "value is not a JSON object: byte 17: …" */
} lls_finding;

typedef struct lls_validate_options {
    uint32_t abi;                  /**< LLS_ABI. */
    const char *const *components; /**< Names; NULL: all. */
    size_t component_count;
    void (*finding)(void *user, const lls_finding *finding); /**< May be NULL. */
    void (*progress)(void *user, const char *component, uint64_t done, uint64_t total);
    void (*component)(void *user, const char *component, uint64_t records, uint64_t findings,
                      const char *digest); /**< When one is through. May be NULL. */
    void *user;
    const volatile int *cancel; /**< Not NULL and not 0: stop with LLS_E_CANCELLED. */
} lls_validate_options;

/**
 * Read every record and check what can be checked: its checksum, the form of its key, the shape
 * of its JSON, its times; and the store's own structure and schema. Changes nothing.
 *
 * Errors: LLS_E_CORRUPT when there was a finding; otherwise why it could not be done.
 */
LLS_API lls_err lls_validate(const lls_config *config, const char *backend,
                             const lls_validate_options *options, lls_error *err) LLS_CHECKED;

/** One step of a backend's schema. The texts live for the call. */
typedef struct lls_schema_info {
    uint32_t number;      /**< 7 for V7. */
    const char *name;     /**< "agent_state" */
    const char *state;    /**< "applied", "pending"; "edited": not what was applied; "unknown":
                               applied, but not in this build. */
    int64_t applied_usec; /**< Microseconds since 1970-01-01 UTC; 0 when it is not applied. */
} lls_schema_info;

typedef void (*lls_schema_each)(void *user, const lls_schema_info *step);

/** Tell every step of the schema, oldest first. Errors: LLS_E_UNSUPPORTED where there is none. */
LLS_API lls_err lls_schema_status(const lls_config *config, const char *backend,
                                  lls_schema_each each, void *user, lls_error *err) LLS_CHECKED;

/** Apply what is pending and tell each step that was applied. Needs an administrator's login. */
LLS_API lls_err lls_schema_apply(const lls_config *config, const char *backend,
                                 lls_schema_each each, void *user, lls_error *err) LLS_CHECKED;

LLS_END_DECLS

#endif
