/**
 * migration.h - a migration between two ports that a test holds, with a folder of its own for the
 * backups, and what the engine said about it.
 */
#ifndef LLS_TESTING_MIGRATION_H
#define LLS_TESTING_MIGRATION_H

#include "base/hash.h"
#include "migrate/run.h"
#include "testing/check.h"

/** The collections that lls_migration's plan moves, and how many there are. */
enum { LLS_MIGRATION_COLLS = 2 };
extern const lls_str lls_migration_colls[LLS_MIGRATION_COLLS];

typedef struct lls_migration {
    char folder[40];     /**< Removed, with everything in it, by lls_migration_fini. */
    lls_backend *source; /**< What the engine is given: the ports of init, or what a test puts. */
    lls_backend *target;
    lls_backend ports[2];
    lls_plan *plan;
    lls_migrate_options options;
    lls_report report;  /**< Of the last call. */
    lls_buf run_folder; /**< Of the last execute that made one. */

    size_t differs; /**< Events of the last call. */
    size_t warnings;
    size_t checks;
    lls_buf said; /**< The texts of these events, a line each. */
} lls_migration;

/** Plan to move agent_state and sessions of the tenant "acme" from one port to the other. */
void lls_migration_init(lls_migration *m, lls_kv *source, lls_kv *target);
void lls_migration_fini(lls_migration *m);

/** As the public functions do, on the ports of `m`. */
lls_err lls_migration_execute(lls_migration *m, lls_error *err);
lls_err lls_migration_resume(lls_migration *m, lls_error *err);
lls_err lls_migration_rollback(lls_migration *m, lls_error *err);

/** The phase that the journal of the run folder tells. */
lls_phase lls_migration_phase(lls_migration *m);

/** How many run folders there are. */
size_t lls_migration_runs(const lls_migration *m);

/** Put `count` records of all sorts into both collections; `seed` decides which, and what. */
void lls_migration_fill(lls_kv *kv, unsigned seed, size_t count);

/** Put one record into agent_state. */
void lls_migration_put(lls_kv *kv, const char *key, const char *value);

/** What both collections hold: the sum of the digests, which also counts. */
lls_sum lls_migration_sum(lls_kv *kv);

/** Whether the port holds nothing of the engine's: no lock, and no stage of the run. */
bool lls_migration_is_clean(lls_kv *kv);

/** Remove a folder and everything in it. */
void lls_remove_tree(const char *path);

#endif
