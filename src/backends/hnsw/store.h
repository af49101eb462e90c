/**
 * store.h - what the files of the durable side share: a store is a folder, in it a folder for each
 * tenant; a tenant has one log, and its collections.
 *
 * The process that writes first takes the store's lock and keeps it until it closes. Everybody else
 * reads: before each call it looks whether the log has grown, or the manifest is another.
 *
 * Locks, in the order in which they are taken: `write` (one writer at a time, and whoever brings
 * the memory up to date), then `lock` (shared by all who look at collections, alone for who changes
 * them), then those of group commit.
 */
#ifndef LLS_BACKENDS_HNSW_STORE_H
#define LLS_BACKENDS_HNSW_STORE_H

#include "backends/hnsw/coll.h"
#include "backends/hnsw/manifest.h"
#include "ports/backend.h"
#include "ports/stage.h"

#include <sys/stat.h>

typedef struct hnsw_store hnsw_store;

/** Group commit: writers that wait for the disk together. */
typedef struct hnsw_commit {
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool busy;         /**< Somebody is syncing. */
    bool failing;      /**< It went wrong for him, and he waits to take frames back. */
    uint64_t synced;   /**< Frames up to this one are on the disk. */
    uint64_t failures; /**< How often a sync failed, and took frames back. */
} hnsw_commit;

typedef struct hnsw_tenant {
    hnsw_store *store;
    char *name;
    char *folder;
    pthread_mutex_t write;
    pthread_rwlock_t lock;
    bool loaded; /**< Otherwise the collections are to be read from the files. */
    bool owned;  /**< Loaded, or brought up to date, by the holder of the lock. */
    hnsw_manifest manifest;
    struct stat seen; /**< Of the manifest, */
    int seen_fd;      /**< open, so that no other file gets its number; -1: there was none. */
    hnsw_coll **colls;
    size_t coll_count;
    hnsw_log_file *log; /**< The one that is read, or written, now; NULL: none yet. */
    uint64_t log_number;
    uint64_t log_at;    /**< Up to where it was read or written. */
    uint64_t sequence;  /**< Of the last frame. */
    uint32_t link;      /**< And its checksum. */
    uint64_t synced_at; /**< Where the log ends for sure. */
    uint64_t cut_log; /**< What this log has from `cut_at` on was taken back, and is still to be */
    uint64_t cut_at;  /**< cut off; 0: nothing. */
    bool withdrawn;   /**< Others may have read what was taken back: the log must be another. */
    bool suspect;     /**< A sync of the log failed: what was read is to be written once more. */
    bool compacting;
    hnsw_commit commit;
} hnsw_tenant;

struct hnsw_store {
    lls_backend base;
    lls_vec vec;
    lls_kv kv;
    hnsw_conf conf;
    char *path;
    bool writable;
    bool full_sync;
    pthread_mutex_t lock; /**< Guards what follows. */
    int lock_fd;          /**< Of the lock file; -1: we are no writer. */
    hnsw_tenant **tenants;
    size_t tenant_count;
    struct hnsw_keeper *keeper; /**< The thread behind the scenes: keeper.h. */
};

/* ---- folder.c: where things are ---- */

#define HNSW_STAGES ".stage" /* the folder of stages; no tenant's has that name */

/**
 * Append the name of a tenant's folder: letters, digits, '-' and '_' as they are, others as %XX. A
 * name that is too long for one folder lies in several, one in the other: all but the last end
 * in '+'.
 */
void hnsw_folder_name(lls_str tenant, lls_buf *out);

/** Make a folder in the store, and those above it, so that they last. */
lls_err hnsw_folder_make(const hnsw_store *store, const char *folder, lls_error *err) LLS_CHECKED;
void hnsw_path_manifest(const hnsw_tenant *tenant, lls_buf *out);
void hnsw_path_log(const hnsw_tenant *tenant, uint64_t number, lls_buf *out);
void hnsw_path_base(const hnsw_tenant *tenant, lls_str coll, uint64_t number, lls_buf *out);
void hnsw_path_derived(const hnsw_tenant *tenant, lls_str coll, uint64_t number, lls_buf *out);

/**
 * Remove the files of a tenant that its manifest does not name. What cannot go stays. `write` is
 * held, and nobody writes a base, or it is us.
 */
void hnsw_folder_tidy(hnsw_tenant *tenant);

/** The same, unless somebody is folding the log: he does it. `write` is held. */
void hnsw_tidy_if_idle(hnsw_tenant *tenant);

/* ---- owner.c: one writer ---- */

/** Become the writer. Errors: LLS_E_BUSY naming the process that is; LLS_E_DENIED. */
lls_err hnsw_store_own(hnsw_store *store, lls_error *err) LLS_CHECKED;
bool hnsw_is_owner(hnsw_store *store);

/* ---- tenant.c ---- */

/** The tenant of this name. It stays until the store is closed. */
lls_err hnsw_tenant_get(hnsw_store *store, lls_str name, hnsw_tenant **out,
                        lls_error *err) LLS_CHECKED;
void hnsw_tenant_free(hnsw_tenant *tenant);

/** Bring it up to date and hold `lock` to read: hnsw_leave it, if this succeeds. */
lls_err hnsw_enter(hnsw_store *store, lls_str name, hnsw_tenant **out, lls_error *err) LLS_CHECKED;
void hnsw_leave(hnsw_tenant *tenant);

/** Hold `write`, as the owner of the store, everything loaded. Undo: hnsw_write_end. */
lls_err hnsw_write_begin(hnsw_store *store, lls_str name, hnsw_tenant **out,
                         lls_error *err) LLS_CHECKED;
void hnsw_write_end(hnsw_tenant *tenant);

/** The collection, or NULL. `lock` or `write` is held. */
hnsw_coll *hnsw_tenant_coll(const hnsw_tenant *tenant, lls_str name);

/** Forget everything that is in memory; the next who needs it reads it again. `write` is held. */
void hnsw_tenant_forget(hnsw_tenant *tenant);

/** Remember the manifest by its open file, or none by -1. Takes over `fd`. `lock` is held alone. */
void hnsw_tenant_see(hnsw_tenant *tenant, int fd);

/* ---- load.c: from the files into memory ---- */

/** Read the manifest and what it names. `write` is held. */
lls_err hnsw_tenant_load(hnsw_tenant *tenant, lls_error *err) LLS_CHECKED;

/** Read on in the log. `write` is held, and `lock` alone. */
lls_err hnsw_tenant_follow(hnsw_tenant *tenant, lls_error *err) LLS_CHECKED;

/** Do the changes of a frame that stands in the log at `at`. `lock` is held alone. */
lls_err hnsw_tenant_do(hnsw_tenant *tenant, const hnsw_frame *frame, hnsw_log_file *log,
                       uint64_t at, lls_error *err) LLS_CHECKED;

/* ---- log.c: writing. `write` is held. ---- */

/** A log to write to, if there is none. */
lls_err hnsw_log_ready(hnsw_tenant *tenant, lls_error *err) LLS_CHECKED;

/** Begin another log, behind the one of now, and publish that. */
lls_err hnsw_log_roll(hnsw_tenant *tenant, lls_error *err) LLS_CHECKED;

/**
 * Write a frame and do its changes in memory. After a failure nothing has changed, but what was in
 * memory may have been forgotten: views into collections are good no more.
 */
lls_err hnsw_log_append(hnsw_tenant *tenant, lls_buf *frame, lls_error *err) LLS_CHECKED;

/**
 * Put a manifest in place, and take over its contents. After a failure nobody knows which one is
 * there: everything is forgotten, to be read again.
 */
lls_err hnsw_manifest_publish(hnsw_tenant *tenant, hnsw_manifest *fresh,
                              lls_error *err) LLS_CHECKED;

/**
 * Wait until frame `sequence` is on the disk. `write` is not held. Errors: LLS_E_IO; the frame, and
 * all behind it, are taken back.
 */
lls_err hnsw_commit_wait(hnsw_tenant *tenant, uint64_t sequence, uint64_t failures,
                         lls_error *err) LLS_CHECKED;

/* ---- apply.c ---- */

/** A write of either port. */
typedef struct hnsw_write {
    lls_str coll;
    lls_vec_verb verb;
    bool sweep; /**< DELETE it only if it has expired. */
    lls_vec_item item;
    lls_bytes value; /**< Canonical; empty: to be made from the item. */
} hnsw_write;

lls_err hnsw_apply(hnsw_store *store, lls_str tenant, int64_t now_usec, const hnsw_write *writes,
                   size_t count, lls_error *err) LLS_CHECKED;

/** Remove all records of a collection, or those that a filter lets through. */
lls_err hnsw_clear(hnsw_store *store, lls_kv_space space, lls_error *err) LLS_CHECKED;
lls_err hnsw_remove(hnsw_store *store, lls_kv_space space, int64_t now_usec,
                    const lls_filter *filter, uint64_t *removed, lls_error *err) LLS_CHECKED;

/* ---- iterate.c, compact.c, audit.c, stage.c, facts.c ---- */

/** A scan over the collection as it is. `lock` is held. */
lls_err hnsw_scan_coll(hnsw_coll *coll, lls_kv_range range, lls_kv_iter **out,
                       lls_error *err) LLS_CHECKED;

/** A scan over a base, whose hold it takes in any case. */
lls_err hnsw_scan_base(hnsw_base *base, lls_kv_iter **out, lls_error *err) LLS_CHECKED;

/** Fold the log into bases. Others may write meanwhile. */
lls_err hnsw_compact(hnsw_tenant *tenant, lls_error *err) LLS_CHECKED;

/**
 * Build what is put off in the indexes of a collection. With `stop`, until that is set, and only
 * what is worth while now; NULL: to the end.
 */
lls_err hnsw_build(hnsw_tenant *tenant, lls_str coll, const atomic_bool *stop,
                   lls_error *err) LLS_CHECKED;

/**
 * Read the derived parts of a collection, and have them made again if they are damaged. We are the
 * owner of the store.
 */
lls_err hnsw_audit(hnsw_tenant *tenant, lls_str coll, lls_error *err) LLS_CHECKED;

lls_err hnsw_stage_open(lls_kv *kv, const lls_stage_spec *spec, lls_kv_stage **out,
                        lls_error *err) LLS_CHECKED;
lls_err hnsw_stage_discard(lls_kv *kv, lls_str tenant, lls_str run, lls_error *err) LLS_CHECKED;

lls_err hnsw_facts(lls_backend *backend, lls_fact_fn each, void *user, lls_error *err) LLS_CHECKED;
lls_err hnsw_check(lls_backend *backend, lls_fact_fn each, void *user, lls_error *err) LLS_CHECKED;
lls_err hnsw_ready(lls_backend *backend, uint64_t bytes_to_come, lls_error *err) LLS_CHECKED;

extern const lls_kv_ops hnsw_kv_ops;
extern const lls_vec_ops hnsw_vec_ops;

#endif
