/** txn.c - transactions: readers that are kept for the next call, and one writer at a time. */
#include "backends/lmdb/env.h"

#include "base/alloc.h"
#include "base/scope.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { CHECK_EVERY = 1000 }; /* commits between two looks for readers that died */

static lls_err code_of(int rc)
{
    switch (rc) {
    case MDB_MAP_FULL:
    case MDB_DBS_FULL:
    case MDB_TXN_FULL:
        return LLS_E_FULL;
    case MDB_READERS_FULL:
        return LLS_E_BUSY;
    case MDB_PAGE_NOTFOUND:
    case MDB_CORRUPTED:
    case MDB_INVALID:
    case MDB_INCOMPATIBLE:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
        return LLS_E_CORRUPT;
    case MDB_VERSION_MISMATCH:
        return LLS_E_NEWER;
    case MDB_PANIC:
        return LLS_E_IO;
    default:
        return LLS_E_INTERNAL;
    }
}

lls_err lmdb_fail(int rc, lls_error *err, const char *fmt, ...)
{
    char what[LLS_ERROR_MSG_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    if (rc > 0)
        return lls_fail_sys(err, rc, "%s", what);
    return lls_fail(err, code_of(rc), "%s: %s", what, mdb_strerror(rc));
}

lls_err lmdb_txn_fail(lmdb_txn *txn, int rc, lls_error *err, const char *what)
{
    txn->rc = rc;
    return lmdb_fail(rc, err, "%s", what);
}

/* ---- reading ---- */

void lmdb_reader_free(lmdb_reader *reader)
{
    if (reader->raw)
        mdb_txn_abort(reader->raw);
    lls_free(reader);
}

static int start(lmdb_env *env, lmdb_reader *reader)
{
    if (reader->raw)
        return mdb_txn_renew(reader->raw);
    int rc = mdb_txn_begin(env->raw, NULL, MDB_RDONLY, &reader->raw);
    if (rc == MDB_READERS_FULL && mdb_reader_check(env->raw, NULL) == 0)
        rc = mdb_txn_begin(env->raw, NULL, MDB_RDONLY, &reader->raw);
    if (rc != 0)
        reader->raw = NULL;
    return rc;
}

/* One attempt; MDB_MAP_RESIZED in `*rc` asks for another one. */
static lls_err read_once(lmdb_env *env, lmdb_stay stay, lmdb_reader **out, int *rc, lls_error *err)
{
    lmdb_reader *reader;

    LLS_TRY(lmdb_gate_enter_reading(env, stay, &reader, err));
    if (!reader)
        reader = lls_alloc(sizeof(*reader));
    if (!reader) {
        lmdb_gate_leave(env, stay);
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    }
    *rc = start(env, reader);
    if (*rc == 0) {
        *out = reader;
        return LLS_OK;
    }
    lmdb_reader_free(reader);
    lmdb_gate_leave(env, stay);
    return lmdb_fail(*rc, err, "read '%s'", env->path);
}

lls_err lmdb_read_begin(lmdb_env *env, lmdb_stay stay, lmdb_reader **out, lls_error *err)
{
    for (;;) {
        int rc = 0;
        lls_err e = read_once(env, stay, out, &rc, err);
        if (e == LLS_OK || rc != MDB_MAP_RESIZED)
            return e;
        LLS_TRY(lmdb_env_adopt(env, err));
    }
}

void lmdb_read_end(lmdb_env *env, lmdb_reader *reader, lmdb_stay stay)
{
    mdb_txn_reset(reader->raw);
    lmdb_gate_leave_reading(env, stay, reader);
}

/* ---- writing ---- */

static lls_err commit(lmdb_txn *txn, lls_error *err)
{
    MDB_txn *raw = txn->raw;

    txn->raw = NULL; // LMDB frees it, whatever comes
    int rc = mdb_txn_commit(raw);
    if (rc == EIO) // what LMDB makes of a write that was cut short
        rc = lmdb_disk_error(txn->env);
    return rc ? lmdb_txn_fail(txn, rc, err, "commit") : LLS_OK;
}

static lls_err write_once(lmdb_txn *txn, lmdb_work_fn work, void *user, lls_error *err)
{
    LLS_TRY(lmdb_gate_enter(txn->env, LMDB_BRIEF, err));
    lls_err e = LLS_OK;
    txn->map_size = lmdb_env_map_size(txn->env);
    int rc = mdb_txn_begin(txn->env->raw, NULL, 0, &txn->raw);
    if (rc != 0) {
        txn->raw = NULL;
        e = lmdb_txn_fail(txn, rc, err, "begin to write");
    } else {
        e = work(txn, user, err);
    }
    if (e == LLS_OK)
        e = commit(txn, err);
    if (txn->raw)
        mdb_txn_abort(txn->raw);
    lmdb_gate_leave(txn->env, LMDB_BRIEF);
    return e;
}

static lls_err write_with_growth(lmdb_env *env, lmdb_room room, lmdb_work_fn work, void *user,
                                 lls_error *err)
{
    for (;;) {
        lmdb_txn txn = {.env = env};
        lls_err e = write_once(&txn, work, user, err);
        if (e != LLS_OK && txn.rc == MDB_MAP_FULL)
            LLS_TRY(lmdb_env_grow(env, room, txn.map_size, err));
        else if (e != LLS_OK && txn.rc == MDB_MAP_RESIZED)
            LLS_TRY(lmdb_env_adopt(env, err));
        else
            return e;
    }
}

lls_err lmdb_write(lmdb_env *env, lmdb_room room, lmdb_work_fn work, void *user, lls_error *err)
{
    if (!*env->alive) // before the mutex: a thread that the child does not have may hold it
        return lmdb_gate_enter(env, LMDB_BRIEF, err);

    (void)pthread_mutex_lock(&env->writing);
    lls_err e = write_with_growth(env, room, work, user, err);
    if (++env->commits >= CHECK_EVERY) {
        env->commits = 0;
        (void)mdb_reader_check(env->raw, NULL);
    }
    (void)pthread_mutex_unlock(&env->writing);
    return e;
}
