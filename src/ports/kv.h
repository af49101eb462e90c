/**
 * kv.h - the key/value port: ordered bytes in named collections, each tenant for itself.
 *
 * This is what a backend implements (`lls_kv_ops`) and what components and the migration engine
 * call (`lls_kv_*`). Nobody calls through `ops` but kv.c, which checks arguments, hides records
 * that have expired, and supplies what an optional function leaves out.
 *
 * Three promises carry everything above:
 *
 *  - A scan yields keys in `lls_bytes_cmp` order. Resume, validation, export and undo are walks
 *    over that order.
 *  - Values come back byte for byte.
 *  - `apply` is atomic, and durable when it returns LLS_OK, at the durability that the backend
 *    documents.
 *
 * Threads: all functions may be called on one `lls_kv` from any number of threads at once. An
 * iterator belongs to one thread at a time.
 */
#ifndef LLS_PORTS_KV_H
#define LLS_PORTS_KV_H

#include "base/time.h"

#include <llmspell/record.h>

/* LLS_KEY_MAX and LLS_VALUE_MAX are public: <llmspell/record.h>. */
#define LLS_TENANT_MAX 255 /* bytes of a tenant's name, not empty, no control characters */
#define LLS_COLL_MAX 48 /* bytes of a collection's name: [a-z][a-z0-9_]*, a table name anywhere */

/** The ports. What a backend keeps of any of them can be walked and staged as keys and values. */
typedef enum lls_port {
    LLS_PORT_KV,  /**< Keys of up to LLS_KEY_MAX bytes, values of any. */
    LLS_PORT_VEC, /**< Ids of up to LLS_VEC_ID_MAX bytes, values as ports/vec_record.h has them. */
} lls_port;

typedef struct lls_kv lls_kv;
typedef struct lls_kv_iter lls_kv_iter;
typedef struct lls_kv_stage lls_kv_stage;     /* ports/stage.h */
typedef struct lls_stage_spec lls_stage_spec; /* ports/stage.h */

/** Where a record lives: one collection of one tenant. */
typedef struct lls_kv_space {
    lls_str tenant;
    lls_str coll;
} lls_kv_space;

/**
 * What a backend keeps beside the value. Every record has it; migration carries it along.
 *
 * A version starts at 1 and goes up by one with each write of the key. After a delete it starts
 * again at 1.
 */
typedef struct lls_kv_meta {
    uint64_t version;
    int64_t created_usec; /**< Microseconds since 1970-01-01 UTC; so are the next two. */
    int64_t updated_usec;
    int64_t expires_usec; /**< From this moment on the record is not there. 0: never. */
} lls_kv_meta;

typedef struct lls_kv_item {
    lls_bytes key;
    lls_bytes value;
    lls_kv_meta meta;
} lls_kv_item;

typedef enum lls_kv_verb {
    LLS_KV_PUT,     /**< Insert or replace, whatever was there. */
    LLS_KV_CREATE,  /**< Insert; LLS_E_EXISTS when the key is there. */
    LLS_KV_REPLACE, /**< Compare and set: LLS_E_CONFLICT unless the version is `meta.version`. */
    LLS_KV_DELETE,  /**< Remove; a missing key is no failure. With `meta.version` not 0:
                         LLS_E_CONFLICT unless the record is there with that version. */
    LLS_KV_SWEEP,   /**< Remove, if it has expired; otherwise leave it alone. */
    LLS_KV_RESTORE, /**< Insert or replace with exactly this `meta`: for import and undo. */
} lls_kv_verb;

typedef struct lls_kv_write {
    lls_kv_verb verb;
    lls_str coll;
    lls_bytes key;
    lls_bytes value;  /**< Ignored by LLS_KV_DELETE. */
    lls_kv_meta meta; /**< `expires_usec` for PUT, CREATE and REPLACE; `version` for REPLACE and
                           DELETE; all of it for RESTORE. */
} lls_kv_write;

typedef struct lls_kv_range {
    lls_bytes prefix; /**< Only keys that begin with this; empty for all. */
    lls_bytes after;  /**< Only keys greater than this; empty to start at the first. */
} lls_kv_range;

/** What a space holds, expired records that nobody swept yet included. */
typedef struct lls_kv_stats {
    uint64_t count;
    uint64_t bytes;        /**< Room on disk, or in memory, as the backend counts it. */
    bool bytes_are_shared; /**< True: `bytes` is of the collection, all tenants together. */
} lls_kv_stats;

/**
 * What a backend implements. `now_usec` is the port's clock, read once per call: a record whose
 * `expires_usec` is not 0 and not greater is treated as absent by every verb of `apply`.
 */
typedef struct lls_kv_ops {
    /* Required. */

    /**
     * Append the value of `key` to `out` and fill `*meta`, expired or not: kv.c looks at the
     * time. LLS_E_NOTFOUND when there is none; LLS_E_CORRUPT when its checksum is wrong.
     */
    lls_err (*get)(lls_kv *kv, lls_kv_space space, lls_bytes key, lls_buf *out, lls_kv_meta *meta,
                   lls_error *err);

    /**
     * Do all writes in order, or none of them, also across collections. Borrows `writes`.
     * Created and updated times are `now_usec`; a write that replaces keeps the created time.
     */
    lls_err (*apply)(lls_kv *kv, lls_str tenant, int64_t now_usec, const lls_kv_write *writes,
                     size_t count, lls_error *err);

    /**
     * Open a scan over a stable view: the space as it was when the scan was opened, whatever is
     * written meanwhile, also by the same thread. Yields expired records too.
     */
    lls_err (*scan)(lls_kv *kv, lls_kv_space space, lls_kv_range range, lls_kv_iter **out,
                    lls_error *err);

    /** Remove every record of the space, all or none. */
    lls_err (*clear)(lls_kv *kv, lls_kv_space space, lls_error *err);

    /* Optional: when NULL, kv.c answers with a scan. */

    /** The records of the space that have not expired at `now_usec`. */
    lls_err (*count)(lls_kv *kv, lls_kv_space space, int64_t now_usec, uint64_t *out,
                     lls_error *err);

    lls_err (*stats)(lls_kv *kv, lls_kv_space space, lls_kv_stats *out, lls_error *err);

    /* Optional: LLS_E_UNSUPPORTED when NULL. */

    /** Open a stage: see ports/stage.h, where its contract stands. */
    lls_err (*stage)(lls_kv *kv, const lls_stage_spec *spec, lls_kv_stage **out, lls_error *err);

    /** Throw away what a stage left behind. A run that left nothing is no failure. */
    lls_err (*stage_discard)(lls_kv *kv, lls_str tenant, lls_str run, lls_error *err);
} lls_kv_ops;

typedef struct lls_kv_iter_ops {
    /**
     * Fill `item`. Its views live until the next call on this iterator. LLS_E_CORRUPT names a
     * damaged record; the next call goes on behind it. Any other failure repeats, as LLS_END does.
     */
    lls_err (*next)(lls_kv_iter *it, lls_kv_item *item, lls_error *err);
    void (*close)(lls_kv_iter *it);
} lls_kv_iter_ops;

/* A backend embeds these as the first member of its own structs. */
struct lls_kv {
    const lls_kv_ops *ops;
    const lls_clock *clock; /**< NULL: the system's. Set by whoever opens, before the first call. */
    lls_port port;          /**< Of which port the records are. Set by the backend. */
};
struct lls_kv_iter {
    const lls_kv_iter_ops *ops;
    int64_t now_usec; /**< Set by kv.c: records that expired before this are skipped; 0: none. */
};

/**
 * Append the value stored under `key` to `out`; fill `meta` unless it is NULL.
 *
 * Errors: LLS_E_NOTFOUND, also when it has expired; LLS_E_INVALID for an empty key, one over
 * LLS_KEY_MAX or a bad space; LLS_E_CORRUPT. On failure `out` and `meta` are as they were.
 */
lls_err lls_kv_get(lls_kv *kv, lls_kv_space space, lls_bytes key, lls_buf *out, lls_kv_meta *meta,
                   lls_error *err) LLS_CHECKED;

/**
 * Do `count` writes for one tenant, in one or more collections, all or none. None is a success.
 *
 * Errors: LLS_E_EXISTS, LLS_E_CONFLICT with the key in the message; LLS_E_INVALID; LLS_E_FULL
 * when the store has no room. After any of them nothing has changed.
 */
lls_err lls_kv_apply(lls_kv *kv, lls_str tenant, const lls_kv_write *writes, size_t count,
                     lls_error *err) LLS_CHECKED;

/**
 * Whether a record may have these times and this version; all of them count only if it `is_whole`,
 * otherwise the store sets the rest. Errors: LLS_E_INVALID.
 */
lls_err lls_kv_meta_check(const lls_kv_meta *meta, bool is_whole, lls_error *err) LLS_CHECKED;

/** One PUT that never expires. */
lls_err lls_kv_put(lls_kv *kv, lls_kv_space space, lls_bytes key, lls_bytes value,
                   lls_error *err) LLS_CHECKED;

/** One DELETE, whatever the version. */
lls_err lls_kv_delete(lls_kv *kv, lls_kv_space space, lls_bytes key, lls_error *err) LLS_CHECKED;

/** How many records there are that have not expired. */
lls_err lls_kv_count(lls_kv *kv, lls_kv_space space, uint64_t *out, lls_error *err) LLS_CHECKED;

lls_err lls_kv_stats_of(lls_kv *kv, lls_kv_space space, lls_kv_stats *out,
                        lls_error *err) LLS_CHECKED;

/** Remove every record of the space. */
lls_err lls_kv_clear(lls_kv *kv, lls_kv_space space, lls_error *err) LLS_CHECKED;

/** Remove the records that have expired; `removed` may be NULL. */
lls_err lls_kv_sweep(lls_kv *kv, lls_kv_space space, uint64_t *removed, lls_error *err) LLS_CHECKED;

typedef enum lls_kv_scan_mode {
    LLS_KV_LIVE, /**< Records that have expired are skipped. */
    LLS_KV_ALL,  /**< Everything that is stored: for migration, backup and validation. */
} lls_kv_scan_mode;

/**
 * Open a scan in key order. Borrows its arguments for the call only.
 *
 * Owns: the caller closes `*out`, before it closes the backend. An open scan pins what it sees:
 * keep it short, or the store cannot reuse the room of what was deleted meanwhile.
 */
lls_err lls_kv_scan(lls_kv *kv, lls_kv_space space, lls_kv_range range, lls_kv_scan_mode mode,
                    lls_kv_iter **out, lls_error *err) LLS_CHECKED;

/** LLS_OK with an item, LLS_END after the last one, or a failure. END repeats. */
lls_err lls_kv_iter_next(lls_kv_iter *it, lls_kv_item *item, lls_error *err) LLS_CHECKED;

/** Close a scan. NULL is fine. */
void lls_kv_iter_close(lls_kv_iter *it);

/** The time by the port's clock, in microseconds since 1970-01-01 UTC. */
int64_t lls_kv_now(const lls_kv *kv);

/** Whether `meta` says that the record is gone at `now_usec`. */
static inline bool lls_kv_expired(const lls_kv_meta *meta, int64_t now_usec)
{
    return meta->expires_usec != 0 && meta->expires_usec <= now_usec;
}

typedef lls_kv_iter *lls_kv_iter_ref; /* so that LLS_AUTO can name it */
static inline void lls_kv_iter_ref_auto(lls_kv_iter_ref *it)
{
    lls_kv_iter_close(*it);
}

#endif
