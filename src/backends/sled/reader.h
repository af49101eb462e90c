/**
 * reader.h - reads a Sled 0.34 database from nothing but its files: no Rust, nothing written.
 *
 * The database is opened as the engine would recover it: the newest snapshot, and the log behind
 * it up to the last byte that is whole. What the engine would repair silently, and so lose, is
 * refused here: LLS_E_CORRUPT with the file and the offset. docs/formats/sled.md describes the
 * files and every rule.
 *
 * A torn tail is the one state that a killed program and damage to the newest writes both leave:
 * there is something behind the end of the log. SLED_TAIL_REFUSE names it and gives up;
 * SLED_TAIL_ACCEPT leaves it away, as the engine does.
 *
 * Threads: a `sled_db` may be read by any number of threads at once. A cursor belongs to one.
 */
#ifndef LLS_BACKENDS_SLED_READER_H
#define LLS_BACKENDS_SLED_READER_H

#include <llmspell/bytes.h>

/** The tree that programs use when they name none. It is always there. */
#define SLED_DEFAULT_TREE "__sled__default"

typedef struct sled_db sled_db;
typedef struct sled_cursor sled_cursor;

typedef enum sled_tail {
    SLED_TAIL_REFUSE,
    SLED_TAIL_ACCEPT,
} sled_tail;

/** What `info` prints of a database. LSNs are positions in the log, in bytes. */
typedef struct sled_facts {
    uint64_t segment_bytes; /**< Size of a segment. */
    bool compressed;        /**< Whether the engine's own compression (zstd) is in use. */
    uint64_t db_bytes;      /**< Size of the file `db`. */
    uint64_t slots;         /**< Places for segments in `db`. */
    uint64_t segments;      /**< Segments that were replayed. */
    bool has_snapshot;      /**< False before a database is opened for the second time. */
    char snapshot[64];      /**< Name of the snapshot that was used, or "". */
    int64_t snapshot_lsn;   /**< Where the replay began; 0 without a snapshot. */
    int64_t stable_lsn;     /**< The last byte that the log itself calls durable; -1: none. */
    int64_t tip_lsn;        /**< Where the next message would be written. */
    uint64_t live_pages;    /**< Pages that hold something, of all trees. */
    uint64_t free_pages;    /**< Pages that wait to be used again. */
    uint64_t parts;         /**< Messages that the live pages are made of. */
    uint64_t live_blobs;    /**< How many of these are files of their own. */
    uint64_t trees;         /**< The default tree included. */
    uint64_t counter;       /**< The generator of identifiers, as logged. */
    bool torn;              /**< Something stood behind the end, and was left away. */
    char torn_text[256];    /**< What, and where; "" when there was nothing. */
} sled_facts;

/**
 * Whether `path` looks like a database: a folder with a `conf` that begins as the engine's does, or
 * with a `db`. Never fails: what cannot be read is none.
 */
bool sled_is_database(const char *path);

/** Whether the folder `path` has no log, or an empty one: whatever its `conf` says. */
bool sled_holds_nothing(const char *path);

/**
 * Open the folder `path` for reading. Takes a shared lock on its file `db`, which keeps the engine
 * out until sled_close; writes nothing.
 *
 * Owns: the caller closes `*out` with sled_close, after its cursors.
 * Errors: LLS_E_NOTFOUND when there is no database; LLS_E_BUSY, with the process named, while the
 * engine has it open; LLS_E_CORRUPT for damage and, with SLED_TAIL_REFUSE, for a torn tail;
 * LLS_E_UNSUPPORTED for another version of the engine.
 */
lls_err sled_open(const char *path, sled_tail tail, sled_db **out, lls_error *err) LLS_CHECKED;

/** Close a database. NULL is fine. */
void sled_close(sled_db *db);

/** What sled_open found out. Lives as long as `db`. */
const sled_facts *sled_facts_of(const sled_db *db);

/** The folder, as it was given. Lives as long as `db`. */
const char *sled_path(const sled_db *db);

/**
 * The name of tree `index` of `sled_facts.trees`, ascending by bytes; any bytes, also none. The
 * view lives as long as `db`. LLS_END behind the last.
 */
lls_err sled_tree_at(const sled_db *db, size_t index, lls_bytes *name) LLS_CHECKED;

/** Whether there is a tree of this name. */
bool sled_tree_exists(const sled_db *db, lls_bytes tree);

/**
 * Append the value of `key` to `out`.
 *
 * Errors: LLS_E_NOTFOUND when there is no such tree or key; LLS_E_CORRUPT; LLS_E_FULL when the
 * value is over the buffer's limit. On failure `out` is as it was.
 */
lls_err sled_get(const sled_db *db, lls_bytes tree, lls_bytes key, lls_buf *out,
                 lls_error *err) LLS_CHECKED;

/**
 * Walk `tree` in order from the first key that is not less than `from`; an empty `from` is the
 * beginning. Borrows its arguments for the call only. A tree that is not there has no entries.
 *
 * Owns: the caller closes `*out` with sled_cursor_close.
 */
lls_err sled_cursor_open(const sled_db *db, lls_bytes tree, lls_bytes from, sled_cursor **out,
                         lls_error *err) LLS_CHECKED;

/**
 * LLS_OK with an entry, LLS_END after the last one, or a failure. Both of the latter repeat. The
 * views live until the next call; `value` may be many megabytes.
 */
lls_err sled_cursor_next(sled_cursor *cursor, lls_bytes *key, lls_bytes *value,
                         lls_error *err) LLS_CHECKED;

/** Close a cursor. NULL is fine. */
void sled_cursor_close(sled_cursor *cursor);

typedef sled_db *sled_db_ref; /* so that LLS_AUTO can name them */
static inline void sled_db_ref_auto(sled_db_ref *db)
{
    sled_close(*db);
}

typedef sled_cursor *sled_cursor_ref;
static inline void sled_cursor_ref_auto(sled_cursor_ref *cursor)
{
    sled_cursor_close(*cursor);
}

#endif
