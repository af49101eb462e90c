/**
 * migrate.h - move components from one backend to another, and prove that nothing was lost.
 *
 *     plan → (review) → dry run → execute → validate → done
 *                                    ├─ killed: resume
 *                                    └─ regretted: roll back
 *
 * A plan is a YAML file that a person can read and edit. Executing it makes a run folder (below
 * the plan's `rollback.backup_path`) that holds the plan as it was executed, a backup of what the
 * target held, the journal that `resume` reads, and the report. docs/migration-guide.md walks
 * through all of it.
 *
 * What holds at every moment, also after a SIGKILL: the source is only read; the target's readers
 * see either nothing of the run or all of it, in all its components; a rollback restores what the
 * target held, exactly.
 */
#ifndef LLMSPELL_MIGRATE_H
#define LLMSPELL_MIGRATE_H

#include <llmspell/config.h>

LLS_BEGIN_DECLS

typedef struct lls_plan lls_plan;

/** One end of a migration, as a plan writes it. */
typedef struct lls_plan_end {
    const char *backend;    /**< The name of a backend, or of a [storage.backends.NAME]. */
    const char *path;       /**< NULL: the configuration's. */
    const char *connection; /**< NULL: the configuration's. Never with a password in a plan. */
} lls_plan_end;

typedef struct lls_plan_request {
    uint32_t abi; /**< LLS_ABI. */
    lls_plan_end source;
    lls_plan_end target;
    const char *const *components;
    size_t component_count;
    const char *tenant;      /**< NULL: the configuration's. */
    uint64_t batch_size;     /**< Records; 0: the configuration's, 1,000 if it has none. */
    const char *backup_path; /**< NULL: the configuration's, "./backups" if it has none. */
} lls_plan_request;

/**
 * Look at both ends, count the source, and make a plan.
 *
 * Owns: the caller frees `*out` with lls_plan_free.
 * Errors: LLS_E_INVALID for backends or components that do not exist or do not go together;
 * LLS_E_NOTFOUND when the source is not there.
 */
LLS_API lls_err lls_plan_make(const lls_config *config, const lls_plan_request *request,
                              lls_plan **out, lls_error *err) LLS_CHECKED;

/**
 * Of a plan that lls_plan_make made: how many records of the source no component understands and
 * the plan leaves behind. The component "unrecognised" carries them along.
 */
LLS_API uint64_t lls_plan_unrecognised(const lls_plan *plan);

/**
 * Whether the plan's target could be migrated to as it is now: its schema, its rights. One that is
 * not there yet can. Writes nothing. The error says what is missing; the plan is good all the same.
 */
LLS_API lls_err lls_plan_check_target(const lls_config *config, const lls_plan *plan,
                                      lls_error *err) LLS_CHECKED;

/**
 * Read a plan. Errors: LLS_E_PARSE, LLS_E_INVALID with "file:line:column: …": unknown fields,
 * missing fields and bad values are refused.
 */
LLS_API lls_err lls_plan_load(const char *path, lls_plan **out, lls_error *err) LLS_CHECKED;

/** Write a plan as YAML with comments, mode 0600. Errors: LLS_E_EXISTS: it replaces no file. */
LLS_API lls_err lls_plan_save(const lls_plan *plan, const char *path, lls_error *err) LLS_CHECKED;

LLS_API void lls_plan_free(lls_plan *plan); /**< NULL is fine. */

/** The ends and components, for display. Texts live as long as the plan. */
LLS_API lls_plan_end lls_plan_source(const lls_plan *plan);
LLS_API lls_plan_end lls_plan_target(const lls_plan *plan);
LLS_API const char *lls_plan_tenant(const lls_plan *plan);

typedef struct lls_plan_component {
    const char *name;
    uint64_t estimated_count;
    uint64_t batch_size;
} lls_plan_component;

/** The `index`th component, or false behind the last. */
LLS_API bool lls_plan_component_at(const lls_plan *plan, size_t index, lls_plan_component *out);

/** The life of a run. What is not an arrow in docs/migration-guide.md cannot happen. */
typedef enum lls_phase {
    LLS_PHASE_PLANNED, /**< Nothing done yet. */
    LLS_PHASE_CHECKED, /**< Preflight passed; the lock is held. */
    LLS_PHASE_COPYING, /**< The backup is complete; the stage is being filled. */
    LLS_PHASE_COPIED,  /**< All records are staged. */
    LLS_PHASE_VALID,   /**< Verified; about to become visible. */
    LLS_PHASE_DONE,    /**< Visible. */
    LLS_PHASE_UNDOING, /**< A rollback has begun. */
    LLS_PHASE_UNDONE,  /**< The target is as it was. */
} lls_phase;

LLS_API const char *lls_phase_text(lls_phase phase); /**< "planned", "checked", … */

typedef enum lls_event_type {
    LLS_EVENT_PHASE,    /**< `phase` was entered. */
    LLS_EVENT_CHECK,    /**< Preflight passed `text`. */
    LLS_EVENT_WARNING,  /**< Preflight or a later step remarks `text`. */
    LLS_EVENT_PROGRESS, /**< `done` of about `total` records of `component`. */
    LLS_EVENT_DIFFERS,  /**< `text` names a record that differs, and how. */
} lls_event_type;

/** What happens, as it happens. Texts live for the call. */
typedef struct lls_event {
    lls_event_type type;
    lls_phase phase;
    const char *what;      /**< PROGRESS: "backup", "copy", "validate", "undo". */
    const char *component; /**< NULL when it is about the whole run. */
    uint64_t done;
    uint64_t total; /**< 0: not known. */
    const char *text;
} lls_event;

typedef struct lls_migrate_options {
    uint32_t abi; /**< LLS_ABI. */
    bool dry_run; /**< Preflight only: reads both ends, writes nothing anywhere. */
    bool force;   /**< Rollback: also when the target was written to after the migration. Execute
                       and resume: take over the lock of a run on another host. */
    void (*event)(void *user, const lls_event *event); /**< May be NULL. Called on one thread. */
    void *user;
    const volatile int *cancel; /**< Not NULL and not 0: stop at a safe point, LLS_E_CANCELLED. */
} lls_migrate_options;

/** One component in a report. */
typedef struct lls_report_component {
    const char *name;
    uint64_t source_count; /**< Records read from the source. */
    uint64_t target_count; /**< Records that the target held afterwards. */
    uint64_t verified;     /**< Records compared by digest. */
    uint64_t replaced;     /**< Records of the target that had the key of a migrated one. */
    uint64_t bytes;        /**< Of keys and values read from the source. */
    const char *digest;    /**< Of what was migrated: 32 hexadecimal digits. */
    double source_recall;  /**< Of vectors: the share of the ten nearest that searches find, */
    double target_recall;  /**< measured on both sides with … */
    uint32_t recall_asked; /**< … so many of them; 0: not measured. */
} lls_report_component;

/** What a run did. The texts belong to the report. */
typedef struct lls_report {
    bool success;
    bool dry_run;
    lls_phase phase;
    const char *run;    /**< The run's name. */
    const char *folder; /**< The run folder; NULL for a dry run. */
    const char *source; /**< Names of the backends. */
    const char *target;
    const char *tenant;
    int64_t started_usec;
    int64_t duration_usec;
    lls_report_component *components;
    size_t component_count;
    char *memory; /**< Where the texts are. */
} lls_report;

LLS_API void lls_report_fini(lls_report *report); /**< A zeroed one is fine. */

/**
 * Carry out `plan`. `report` is filled also when it fails part-way, as far as it got; free it with
 * lls_report_fini in any case.
 *
 * Errors: LLS_E_BUSY when another run holds the target, naming the holder; LLS_E_MISMATCH when
 * verification found differences (each was an LLS_EVENT_DIFFERS; the target is untouched);
 * LLS_E_CANCELLED (resume goes on); whatever a backend reports. Unless the message says otherwise
 * the target is as it was, and `resume` goes on from where the run stopped.
 */
LLS_API lls_err lls_migrate_execute(const lls_config *config, const lls_plan *plan,
                                    const lls_migrate_options *options, lls_report *report,
                                    lls_error *err) LLS_CHECKED;

/** Go on with the run in `folder` from where it stopped. A finished run is a success. */
LLS_API lls_err lls_migrate_resume(const lls_config *config, const char *folder,
                                   const lls_migrate_options *options, lls_report *report,
                                   lls_error *err) LLS_CHECKED;

/**
 * Put the target back to what the backup in `folder` holds: all components in one step. A run that
 * never became visible leaves no trace. Rolling back twice is harmless.
 *
 * Errors: LLS_E_CONFLICT when the target was written to after the migration: those writes would be
 * lost; `force` does it all the same. LLS_E_CORRUPT when the backup is damaged; nothing is changed
 * then.
 */
LLS_API lls_err lls_migrate_rollback(const lls_config *config, const char *folder,
                                     const lls_migrate_options *options, lls_report *report,
                                     lls_error *err) LLS_CHECKED;

/** A run, as `status` shows it. Texts live for the call. */
typedef struct lls_run_info {
    const char *run;
    const char *folder;
    lls_phase phase;
    bool running;       /**< A process of this host is at work on it. */
    const char *holder; /**< "pid 4711 on host", or NULL. */
    const char *source;
    const char *target;
    const char *tenant;
    uint64_t copied; /**< Records staged so far, by the journal. */
    uint64_t total;  /**< Records that the plan expects. */
    int64_t started_usec;
    int64_t changed_usec; /**< When the journal was last written. */
    const char *problem;  /**< Why the folder cannot be read, or NULL. */
} lls_run_info;

typedef void (*lls_run_each)(void *user, const lls_run_info *run);

/** Tell every run below `backup_path` (NULL: the configuration's), oldest first. */
LLS_API lls_err lls_migrate_status(const lls_config *config, const char *backup_path,
                                   lls_run_each each, void *user, lls_error *err) LLS_CHECKED;

LLS_END_DECLS

#endif
