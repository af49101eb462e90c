/**
 * journal.h - how far a run got: an append-only file that survives a kill at any byte.
 *
 * The file is a header and frames; a frame is {length, checksum, payload} and holds what one
 * commit wrote, so that a commit is there as a whole or not at all. A tail that was torn off in the
 * middle of a frame is forgotten; damage before the last frame is LLS_E_CORRUPT with the offset.
 * docs/formats/migration.md describes every byte.
 *
 * The file is also what two processes at work on one run are kept apart by: opening it for writing
 * takes a lock on it that ends with the process.
 */
#ifndef LLS_MIGRATE_JOURNAL_H
#define LLS_MIGRATE_JOURNAL_H

#include "base/hash.h"

#include <llmspell/migrate.h>

typedef struct lls_journal lls_journal;

typedef enum lls_entry_type {
    LLS_ENTRY_RUN = 1,  /**< The first of all: `text` is the run's name, `digest` plan.yaml's. */
    LLS_ENTRY_HOLDER,   /**< `text` ("pid 4711 on host") is at work on the run from here on. */
    LLS_ENTRY_PHASE,    /**< `phase` was entered; `published`: see LLS_PHASE_UNDOING in undo.c. */
    LLS_ENTRY_PROGRESS, /**< So much of `component` is in the stage; `text` is the last key. */
    LLS_ENTRY_OUTCOME,  /**< What verification found for `component`. */
} lls_entry_type;

/** How many records, how many bytes of keys and values, and the sum of the digests. */
typedef struct lls_sum {
    uint64_t count;
    uint64_t bytes;
    lls_digest digest;
} lls_sum;

typedef struct lls_entry {
    lls_entry_type type;
    int64_t at_usec;
    lls_str text;
    lls_digest digest;
    lls_phase phase;
    bool published;
    uint32_t component; /**< Index in the plan. */
    lls_sum sum;        /**< PROGRESS: what is staged. OUTCOME: what the source held. */
    lls_sum target;     /**< OUTCOME: what the target holds once published. */
    uint64_t verified;
    uint64_t replaced;
} lls_entry;

/** Called for each entry, in order; the views live for the call. A failure ends the reading. */
typedef lls_err (*lls_entry_fn)(void *user, const lls_entry *entry, lls_error *err);

/** Make a journal that holds `first`. Errors: LLS_E_EXISTS. */
lls_err lls_journal_create(const char *path, const lls_entry *first, lls_journal **out,
                           lls_error *err) LLS_CHECKED;

/**
 * Open a journal to go on with it: tell its entries and cut off a torn tail.
 *
 * Errors: LLS_E_BUSY when another process, or this one, has it open; LLS_E_CORRUPT; LLS_E_NEWER.
 */
lls_err lls_journal_open(const char *path, lls_entry_fn each, void *user, lls_journal **out,
                         lls_error *err) LLS_CHECKED;

/** Tell the entries of a journal without changing it, whoever has it open. */
lls_err lls_journal_read(const char *path, lls_entry_fn each, void *user,
                         lls_error *err) LLS_CHECKED;

/** Whether somebody on this host has it open for writing. False when it cannot be told. */
bool lls_journal_is_open(const char *path);

/** Put an entry into the next commit. */
void lls_journal_add(lls_journal *journal, const lls_entry *entry);

/** Write what was added, and return when it is on the disk. */
lls_err lls_journal_commit(lls_journal *journal, lls_error *err) LLS_CHECKED;

void lls_journal_close(lls_journal *journal); /**< NULL is fine. What was only added is gone. */

#endif
