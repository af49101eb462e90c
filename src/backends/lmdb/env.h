/**
 * env.h - one LMDB environment as this process has it open: shared by every backend on the same
 * folder, its map grown when it is full, its transactions handed out.
 *
 * LMDB has three rules that a process must keep, and this is where they are kept:
 *
 *  - A file is opened once in a process, or its locks are lost: lmdb_env_acquire finds the one
 *    that is there.
 *  - The map may change its size only while the process has no transaction open: everybody enters
 *    through a gate, which closes for growth.
 *  - An environment does not survive fork: a child is refused.
 */
#ifndef LLS_BACKENDS_LMDB_ENV_H
#define LLS_BACKENDS_LMDB_ENV_H

#include "backends/lmdb/conf.h"
#include "ports/kv.h"

#include <lmdb.h>
#include <pthread.h>
#include <sys/types.h>

enum {
    LMDB_FORMAT = 2, /* of the environment; docs/FORMATS.md */
    LMDB_SPACE_KEY_MAX = LLS_TENANT_MAX + 1 + LLS_COLL_MAX,
};

/** A read transaction, and the space that it looked up last. */
typedef struct lmdb_reader {
    MDB_txn *raw;
    struct lmdb_reader *next;
    size_t cached_txn; /* 0: nothing is cached */
    uint32_t cached_id;
    size_t cached_len;
    uint8_t cached_key[LMDB_SPACE_KEY_MAX];
} lmdb_reader;

typedef struct lmdb_env {
    MDB_env *raw;
    char *path;
    const volatile char *alive; /* a page that fork leaves zeroed in the child: 1 here */
    dev_t dev;                  /* of the folder: which environment this is */
    ino_t ino;
    unsigned references;
    bool writable;
    lmdb_conf conf;  /* of whoever opened it first; without the texts */
    uint32_t format; /* when it was opened */
    MDB_dbi records; /* the one without a name, which LMDB finds fastest */
    MDB_dbi spaces;
    MDB_dbi meta;
    size_t page_size;

    pthread_mutex_t gate; /* guards all down to `idle_count` */
    pthread_cond_t moved;
    bool exclusive;    /* somebody wants the environment for himself */
    bool broken;       /* the map was lost */
    unsigned moves;    /* how often the map moved; read inside the gate */
    unsigned active;   /* transactions that are open */
    unsigned scans;    /* how many of them are scans, open as long as the caller likes */
    lmdb_reader *idle; /* reset, ready to be renewed */
    unsigned idle_count;

    pthread_mutex_t writing; /* one writer of this process at a time asks LMDB */
    unsigned commits;        /* since readers that died were looked for; under `writing` */

    struct lmdb_env *next;
} lmdb_env;

/**
 * Open the environment of `conf->path`, or share the one that this process has open already.
 *
 * Owns: the caller gives it back with lmdb_env_release.
 * Errors: LLS_E_NOTFOUND when reading what is not there; LLS_E_DENIED; LLS_E_NEWER;
 * LLS_E_CORRUPT; LLS_E_UNSUPPORTED on a network file system.
 */
lls_err lmdb_env_acquire(const lmdb_conf *conf, bool write, lmdb_env **out,
                         lls_error *err) LLS_CHECKED;
void lmdb_env_release(lmdb_env *env);

/* ---- gate.c ---- */

typedef enum lmdb_stay {
    LMDB_BRIEF, /**< A call that ends by itself. */
    LMDB_SCAN,  /**< Until the caller closes it. */
} lmdb_stay;

/** Enter with a transaction in mind; wait while the map grows. Refuses a child of fork. */
lls_err lmdb_gate_enter(lmdb_env *env, lmdb_stay stay, lls_error *err) LLS_CHECKED;
void lmdb_gate_leave(lmdb_env *env, lmdb_stay stay);

/** The same in one step with a reader that was left behind, or NULL when there is none. */
lls_err lmdb_gate_enter_reading(lmdb_env *env, lmdb_stay stay, lmdb_reader **out,
                                lls_error *err) LLS_CHECKED;
void lmdb_gate_leave_reading(lmdb_env *env, lmdb_stay stay, lmdb_reader *reader);

/** Free the readers that were left behind. */
void lmdb_gate_drop_readers(lmdb_env *env);

/** Have the environment without any transaction of this process, or LLS_E_FULL after a while. */
lls_err lmdb_gate_close(lmdb_env *env, lls_error *err) LLS_CHECKED;
void lmdb_gate_open(lmdb_env *env);

/** What a write does to the room: one that frees some may go a little beyond map_max for it. */
typedef enum lmdb_room { LMDB_TAKES, LMDB_FREES } lmdb_room;

/** Make the map larger than `seen` bytes: twice that. Errors: LLS_E_FULL. */
lls_err lmdb_env_grow(lmdb_env *env, lmdb_room room, size_t seen, lls_error *err) LLS_CHECKED;

/** Take over the size that another process gave the map. */
lls_err lmdb_env_adopt(lmdb_env *env, lls_error *err) LLS_CHECKED;

size_t lmdb_env_map_size(const lmdb_env *env);

/* ---- txn.c ---- */

/** Begin to read: one moment of the store, until lmdb_read_end. */
lls_err lmdb_read_begin(lmdb_env *env, lmdb_stay stay, lmdb_reader **out,
                        lls_error *err) LLS_CHECKED;
void lmdb_read_end(lmdb_env *env, lmdb_reader *reader, lmdb_stay stay);
void lmdb_reader_free(lmdb_reader *reader);

/** A write transaction. */
typedef struct lmdb_txn {
    lmdb_env *env;
    MDB_txn *raw;
    size_t map_size; /* when it began */
    int rc;          /* what LMDB said when it failed */
} lmdb_txn;

/** What happens inside one: called again from its beginning when the map had to grow. */
typedef lls_err (*lmdb_work_fn)(lmdb_txn *txn, void *user, lls_error *err);

/** Do `work` and commit it, all or nothing. */
lls_err lmdb_write(lmdb_env *env, lmdb_room room, lmdb_work_fn work, void *user,
                   lls_error *err) LLS_CHECKED;

/** Record in `txn` and `err` that LMDB failed with `rc`. */
lls_err lmdb_txn_fail(lmdb_txn *txn, int rc, lls_error *err, const char *what);

/** What an LMDB code means to a caller. */
lls_err lmdb_fail(int rc, lls_error *err, const char *fmt, ...) LLS_PRINTF(3, 4);

/* ---- disk.c ---- */

/** Whether LMDB's locks and its map work on the file system below `path`. */
lls_err lmdb_disk_check(const char *path, bool allow_network, lls_error *err) LLS_CHECKED;

/** The name of the file system's type, "ext4"; "0x…" when it has none here. */
void lmdb_disk_type(const char *path, char out[20]);

/** Why the file cannot grow: ENOSPC, EDQUOT, EFBIG; EIO when it can. Inside the gate. */
int lmdb_disk_error(lmdb_env *env);

/* ---- fetch.c ---- */

/** Ask for the bytes of a record that will be read soon. Reads nothing itself. */
void lmdb_fetch_record(lls_bytes stored);

/** Ask for the beginnings of the records beside `key`, as LMDB gave it, which a walk will come to;
 * `*last` is the page for which that was done before, 0 at first. */
void lmdb_fetch_page(const lmdb_env *env, const void *key, uintptr_t *last);

/* ---- pages.c ---- */

/** Where in the map somebody has been reading: pages to give back, so that memory stays bounded. */
typedef struct lmdb_trail {
    uintptr_t low;
    uintptr_t high;
    uintptr_t window; /**< The last one that was touched. */
    size_t bytes;     /**< Held, at most. */
} lmdb_trail;

/** Note that `bytes` of the map were read; give pages back every few MiB. */
void lmdb_trail_note(lmdb_trail *trail, const void *at, size_t bytes);

/** Give back what was noted. Inside the transaction that read it, or the map may have moved. */
void lmdb_trail_drop(lmdb_trail *trail);

/** At the end of a scan: a short one, like a get, leaves its few pages, which others use too;
 * giving them back would cost more than the scan did. */
void lmdb_trail_end(lmdb_trail *trail);

#endif
