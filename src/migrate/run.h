/**
 * run.h - a run: its folder, its journal, its phase, and what is known of each component.
 *
 *     <backup_path>/migration-20250115-103000-4f2a09c1/
 *         plan.yaml                 the plan as it is executed
 *         journal                   how far it got
 *         source/<component>.jsonl  what the target held before
 *         rollback-metadata.yaml    counts and digests of that; there when all of it is
 *         report.json               written at the end
 *
 * The folder's name is the run's name. The engine's steps (backup.h, copy.h, verify.h, undo.c) work
 * on an `lls_run` whose ports are open; who opens them is ends.h.
 */
#ifndef LLS_MIGRATE_RUN_H
#define LLS_MIGRATE_RUN_H

#include "migrate/journal.h"
#include "migrate/lock.h"
#include "migrate/plan.h"
#include "ports/backend.h"
#include "ports/stage.h"

/** One component of the run. */
typedef struct lls_part {
    const lls_plan_component *want;
    lls_str coll;

    lls_sum staged;    /**< What the stage holds, by the journal. */
    lls_buf last;      /**< The greatest key of that. */
    bool staged_known; /**< `staged.digest` is of all that was copied. */
    uint64_t copied;   /**< Records that the stage must hold since this process copied. */

    bool has_outcome;    /**< Verification passed once; the next four are what it found. */
    lls_sum source;      /**< What the source held. */
    lls_sum target;      /**< What the target holds once published. */
    uint64_t verified;   /**< Records compared by digest. */
    uint64_t replaced;   /**< Records of the target with the key of a migrated one. */
    lls_sum backup;      /**< What the target held before: of the backup's metadata. */
    uint64_t file_bytes; /**< Of its file. */
    lls_digest file_sum;
    double source_recall;  /**< Of vectors: what share of the ten nearest searches find, */
    double target_recall;  /**< measured with … */
    uint32_t recall_asked; /**< … so many of them; 0: not measured. */
} lls_part;

typedef struct lls_run {
    lls_plan *plan; /**< Own copy. */
    const lls_migrate_options *options;

    lls_port port;       /**< Of all components of the plan. */
    lls_backend *source; /**< Borrowed. NULL while rolling back: the source is not needed. */
    lls_backend *target; /**< Borrowed. NULL in a dry run: there is none yet. */
    lls_kv *from;        /**< The source's records of `port`, or NULL. */
    lls_kv *to;          /**< The target's. */

    const char *name;   /**< NULL in a dry run; so are the folder and the journal. */
    const char *folder; /**< Absolute. */
    char stage_name[LLS_RUN_MAX + 1];
    char undo_name[LLS_RUN_MAX + 1];
    lls_journal *journal;
    lls_phase phase;
    bool fresh;           /**< Begun by this process: the stage holds what it put there. */
    bool published;       /**< UNDOING: the target showed the run's records when that began. */
    lls_kv_stage *stage;  /**< Open from COPYING to the end, or NULL. */
    int64_t started_usec; /**< By the wall clock, when the run was created. */
    int64_t began_usec;   /**< By the steady clock, when this process began with it. */
    int64_t took_usec;    /**< What the journal of a finished run says; 0: it is not finished. */

    lls_part parts[LLS_PLAN_COMPONENTS]; /**< As many as the plan has components. */
    lls_err result;                      /**< Why the run was given up; LLS_OK otherwise. */
    uint64_t differences;                /**< That verification has named or counted. */
    lls_texts texts;
} lls_run;

/** Begin with a copy of `plan`: no folder yet. */
lls_err lls_run_init(lls_run *run, const lls_plan *plan, const lls_migrate_options *options,
                     lls_error *err) LLS_CHECKED;

/** Make the run folder, with the plan and a journal in phase PLANNED. */
lls_err lls_run_create(lls_run *run, lls_error *err) LLS_CHECKED;

/**
 * Read a run folder and go on with it, as its journal says.
 *
 * Errors: LLS_E_NOTFOUND when it is none; LLS_E_BUSY when another process is at work on it;
 * LLS_E_CORRUPT when the journal is damaged or the plan was edited.
 */
lls_err lls_run_load(lls_run *run, const char *folder, const lls_migrate_options *options,
                     lls_error *err) LLS_CHECKED;

/**
 * Give a run its ends, either of them NULL. They stay the caller's: lls_run_let_go before they are
 * closed. Errors: LLS_E_UNSUPPORTED when one of them cannot keep what the plan moves.
 */
lls_err lls_run_attach(lls_run *run, lls_backend *source, lls_backend *target,
                       lls_error *err) LLS_CHECKED;

/** Close the stage and forget the ends, before somebody closes them. */
void lls_run_let_go(lls_run *run);

/** Let go of everything; the folder stays. A zeroed one is fine. */
void lls_run_fini(lls_run *run);

/** Take back lls_run_create, as long as nothing else was put into the folder. */
void lls_run_remove(lls_run *run);

/** Enter `phase`: into the journal, on the disk, then tell the caller. */
lls_err lls_run_enter(lls_run *run, lls_phase phase, lls_error *err) LLS_CHECKED;

/** LLS_E_CANCELLED when the caller asked to stop. */
lls_err lls_run_check_cancel(const lls_run *run, lls_error *err) LLS_CHECKED;

/** Tell the caller. */
void lls_run_tell(const lls_run *run, lls_event_type type, const char *component, const char *text);
void lls_run_tell_progress(const lls_run *run, const char *what, const char *component,
                           uint64_t done, uint64_t total);

/** Append the path of `name` in the run folder. */
void lls_run_path(const lls_run *run, const char *name, lls_buf *out);

lls_str lls_run_tenant(const lls_run *run);
lls_kv_space lls_run_space(const lls_run *run, size_t part);

typedef lls_run lls_run_scope; /* so that LLS_AUTO can name it */
static inline void lls_run_scope_auto(lls_run_scope *run)
{
    lls_run_fini(run);
}

#endif
