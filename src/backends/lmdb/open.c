#include "backends/lmdb/open.h"

#include "backends/lmdb/space.h"
#include "backends/lmdb/value.h"
#include "base/file.h"
#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* LMDB may leave the last pages of its file unwritten when nothing refers to them. */
enum {
    TAIL_PAGES = 16,
    MAP_MIN = 1 << 20,
    NAMED_TABLES = 2,
    FORMER_TABLES = 120 /* of format 1 */
};

static void data_path(const char *folder, lls_buf *out)
{
    lls_buf_printf(out, "%s/data.mdb", folder);
}

lls_err lmdb_open_folder(const lmdb_conf *conf, bool write, struct stat *folder, lls_error *err)
{
    LLS_AUTO(lls_buf) file = {0};
    struct stat data;

    data_path(conf->path, &file);
    LLS_TRY(lls_buf_status(&file, err));
    if (stat(conf->path, folder) == 0 && !S_ISDIR(folder->st_mode))
        return lls_fail(err, LLS_E_INVALID, "'%s' is a file, not a folder", conf->path);
    if (write)
        LLS_TRY(lls_file_mkdirs(conf->path, err));
    else if (stat(lls_buf_cstr(&file), &data) != 0 && errno != ENOENT && errno != ENOTDIR)
        return lls_fail_sys(err, errno, "'%s'", lls_buf_cstr(&file));
    else if (stat(lls_buf_cstr(&file), &data) != 0 || data.st_size == 0)
        return lls_fail(err, LLS_E_NOTFOUND, "no store in '%s'", conf->path);
    if (stat(conf->path, folder) != 0)
        return lls_fail_sys(err, errno, "'%s'", conf->path);
    return lmdb_disk_check(conf->path, conf->allow_network_fs, err);
}

/* Without a lock file, LMDB would not know of writers: only for a file that nobody can write. */
static lls_err choose_lock(const lmdb_conf *conf, unsigned *flags, lls_error *err)
{
    LLS_AUTO(lls_buf) lock = {0};
    LLS_AUTO(lls_buf) file = {0};
    struct statvfs fs;
    struct stat data;

    lls_buf_printf(&lock, "%s/lock.mdb", conf->path);
    data_path(conf->path, &file);
    LLS_TRY(lls_buf_status(&lock, err));
    LLS_TRY(lls_buf_status(&file, err));
    bool there = lls_file_exists(lls_buf_cstr(&lock));
    const char *needed = there ? lls_buf_cstr(&lock) : conf->path;
    if (faccessat(AT_FDCWD, needed, there ? R_OK | W_OK : W_OK | X_OK, AT_EACCESS) == 0)
        return LLS_OK;
    int sys = errno;
    bool frozen = statvfs(conf->path, &fs) == 0 && (fs.f_flag & ST_RDONLY);
    if (!frozen && stat(lls_buf_cstr(&file), &data) == 0)
        frozen = (data.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) == 0;
    if (!frozen)
        return lls_fail_sys(err, sys,
                            "'%s' must be writable to read beside possible writers (or make "
                            "data.mdb read-only for everybody)",
                            lls_buf_cstr(&lock));
    *flags |= MDB_NOLOCK;
    return LLS_OK;
}

static lls_err explain(int rc, const char *path, lls_error *err)
{
    switch (rc) {
    case MDB_INVALID:
        return lls_fail(err, LLS_E_CORRUPT, "'%s/data.mdb' is not an LMDB file", path);
    case MDB_VERSION_MISMATCH:
        return lls_fail(err, LLS_E_NEWER,
                        "'%s/data.mdb' is of another format of LMDB than this one (%s) reads", path,
                        mdb_version(NULL, NULL, NULL));
    case EAGAIN:
        return lls_fail(err, LLS_E_BUSY, "'%s/lock.mdb' is locked by another process", path);
    default:
        return lmdb_fail(rc, err, "'%s'", path);
    }
}

static int try_open(const lmdb_conf *conf, unsigned flags, size_t size, MDB_env **out)
{
    MDB_env *raw = NULL;
    int rc = mdb_env_create(&raw);

    if (rc == 0)
        rc = mdb_env_set_maxdbs(raw, NAMED_TABLES + FORMER_TABLES);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(raw, (unsigned)conf->maxreaders);
    if (rc == 0)
        rc = mdb_env_set_mapsize(raw, size);
    if (rc == 0)
        rc = mdb_env_open(raw, conf->path, flags, 0600);
    if (rc != 0 && raw)
        mdb_env_close(raw); // also after a failed open, says LMDB
    else
        *out = raw;
    return rc;
}

/* The map takes address space, not memory; but a process may be limited in that too. */
static lls_err open_largest(const lmdb_conf *conf, unsigned flags, MDB_env **out, lls_error *err)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint64_t size = conf->map_size < conf->map_max ? conf->map_size : conf->map_max;

    if (size > SIZE_MAX / 4)
        size = SIZE_MAX / 4;
    for (;;) {
        size_t rounded = ((size_t)size + page - 1) / page * page;
        int rc = try_open(conf, flags, rounded, out);
        if (rc == 0)
            return LLS_OK;
        if (rc != ENOMEM || size / 2 < MAP_MIN)
            return explain(rc, conf->path, err);
        size /= 2;
    }
}

/* Reading a page behind the end of the file would be a SIGBUS. */
static lls_err check_length(MDB_env *raw, const char *path, lls_error *err)
{
    MDB_envinfo info = {0};
    MDB_stat stats = {0};
    struct stat data;
    int fd = -1;

    int rc = mdb_env_info(raw, &info);
    if (rc == 0)
        rc = mdb_env_stat(raw, &stats);
    if (rc == 0)
        rc = mdb_env_get_fd(raw, &fd);
    if (rc != 0)
        return lmdb_fail(rc, err, "'%s'", path);
    if (fstat(fd, &data) != 0)
        return lls_fail_sys(err, errno, "'%s/data.mdb'", path);
    uint64_t pages = (uint64_t)data.st_size / stats.ms_psize;
    if (pages + TAIL_PAGES < (uint64_t)info.me_last_pgno + 1 || pages < 2)
        return lls_fail(err, LLS_E_CORRUPT, "'%s/data.mdb' is cut off: %llu of %llu pages", path,
                        (unsigned long long)pages, (unsigned long long)info.me_last_pgno + 1);
    return LLS_OK;
}

/* Begin without the gate: at this time nobody else has the environment. */
static int begin(MDB_env *raw, unsigned flags, MDB_txn **out)
{
    int rc = mdb_txn_begin(raw, NULL, flags, out);

    if (rc == MDB_MAP_RESIZED) {
        rc = mdb_env_set_mapsize(raw, 0);
        if (rc == 0)
            rc = mdb_txn_begin(raw, NULL, flags, out);
    }
    return rc;
}

static bool tail_is_short(MDB_env *raw, size_t page_size, int *fd, off_t *want)
{
    MDB_envinfo info = {0};
    struct stat data;

    (void)mdb_env_info(raw, &info);
    (void)mdb_env_get_fd(raw, fd);
    *want = (off_t)((info.me_last_pgno + 1) * page_size);
    return fstat(*fd, &data) == 0 && data.st_size < *want;
}

/* The last few pages may be missing rightly or not: with a hole there, reading them is safe. */
static lls_err fill_tail(lmdb_env *env, lls_error *err)
{
    MDB_txn *txn;
    off_t want;
    int sys = 0;
    int fd = -1;

    if (!tail_is_short(env->raw, env->page_size, &fd, &want))
        return LLS_OK;
    int rc = begin(env->raw, 0, &txn); // from here on nobody else makes the file longer
    if (rc != 0)
        return lmdb_fail(rc, err, "'%s'", env->path);
    if (tail_is_short(env->raw, env->page_size, &fd, &want) && ftruncate(fd, want) != 0)
        sys = errno;
    mdb_txn_abort(txn);
    return sys ? lls_fail_sys(err, sys, "'%s/data.mdb'", env->path) : LLS_OK;
}

/* ---- tables ---- */

static lls_err check_format(lmdb_env *env, MDB_txn *txn, lls_error *err)
{
    MDB_val key = lmdb_text(LMDB_META_FORMAT, sizeof(LMDB_META_FORMAT) - 1);
    MDB_val val;

    int rc = mdb_get(txn, env->meta, &key, &val);
    if (rc == MDB_NOTFOUND || (rc == 0 && val.mv_size != 4))
        return lls_fail(err, LLS_E_CORRUPT, "'%s' does not say its format", env->path);
    if (rc != 0)
        return lmdb_fail(rc, err, "'%s': read its format", env->path);
    uint32_t format = lls_little_get_u32(val.mv_data);
    if (format > LMDB_FORMAT)
        return lls_fail(err, LLS_E_NEWER,
                        "'%s' is a store of format %u; this version knows formats up to %d",
                        env->path, format, LMDB_FORMAT);
    if (format == 1 && !env->writable)
        return lls_fail(err, LLS_E_UNSUPPORTED,
                        "'%s' is a store of format 1: open it for writing once, and it becomes one "
                        "of format %d",
                        env->path, LMDB_FORMAT);
    if (format == 0)
        return lls_fail(err, LLS_E_CORRUPT, "'%s' is a store of the impossible format %u",
                        env->path, format);
    env->format = format;
    return LLS_OK;
}

/* What is there already. LLS_E_NOTFOUND when the environment has no tables of ours. */
static lls_err open_existing(lmdb_env *env, lls_error *err)
{
    MDB_txn *txn;

    int rc = begin(env->raw, MDB_RDONLY, &txn);
    if (rc != 0)
        return lmdb_fail(rc, err, "'%s'", env->path);
    rc = mdb_dbi_open(txn, NULL, 0, &env->records);
    if (rc == 0)
        rc = mdb_dbi_open(txn, "meta", 0, &env->meta);
    if (rc == 0)
        rc = mdb_dbi_open(txn, "spaces", 0, &env->spaces);
    lls_err e = rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE ? LLS_E_NOTFOUND
                : rc == 0                                    ? check_format(env, txn, err)
                          : lmdb_fail(rc, err, "'%s': open its tables", env->path);
    if (e != LLS_OK) {
        mdb_txn_abort(txn);
        return e;
    }
    rc = mdb_txn_commit(txn); // which keeps the handles
    return rc ? lmdb_fail(rc, err, "'%s'", env->path) : LLS_OK;
}

static int set_first(lmdb_env *env, MDB_txn *txn, const char *name, uint32_t number)
{
    int rc = lmdb_meta_set(env, txn, name, number, MDB_NOOVERWRITE);

    return rc == MDB_KEYEXIST ? 0 : rc;
}

/* Two processes may get here at once: whoever comes second finds the tables. */
static int set_up_in(lmdb_env *env, MDB_txn *txn)
{
    MDB_stat stats = {0};

    int rc = mdb_dbi_open(txn, NULL, 0, &env->records);
    if (rc == 0)
        rc = mdb_stat(txn, env->records, &stats);
    unsigned create = stats.ms_entries ? 0 : MDB_CREATE;
    if (rc == 0)
        rc = mdb_dbi_open(txn, "meta", create, &env->meta);
    if (rc == 0)
        rc = mdb_dbi_open(txn, "spaces", create, &env->spaces);
    if (rc == 0)
        rc = set_first(env, txn, LMDB_META_FORMAT, LMDB_FORMAT);
    return rc ? rc : set_first(env, txn, LMDB_META_NEXT, 1);
}

static lls_err set_up(lmdb_env *env, lls_error *err)
{
    LLS_AUTO(lls_buf) file = {0};
    MDB_txn *txn;

    data_path(env->path, &file);
    LLS_TRY(lls_buf_status(&file, err));
    int rc = begin(env->raw, 0, &txn);
    if (rc != 0)
        return lmdb_fail(rc, err, "'%s': set up the store", env->path);
    rc = set_up_in(env, txn);
    if (rc == 0)
        rc = mdb_txn_commit(txn);
    else
        mdb_txn_abort(txn);
    if (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE)
        return lls_fail(err, LLS_E_INVALID, "'%s' is an LMDB environment of another program",
                        env->path);
    if (rc != 0)
        return lmdb_fail(rc, err, "'%s': set up the store", env->path);
    LLS_TRY(lls_file_sync_parent(lls_buf_cstr(&file), err));
    return lls_file_sync_parent(env->path, err);
}

static lls_err open_tables(lmdb_env *env, lls_error *err)
{
    lls_err e = open_existing(env, err);

    if (e != LLS_E_NOTFOUND)
        return e;
    if (!env->writable)
        return lls_fail(err, LLS_E_NOTFOUND, "no store in '%s'", env->path);
    LLS_TRY(set_up(env, err));
    return open_existing(env, err);
}

lls_err lmdb_open_raw(lmdb_env *env, const lmdb_conf *conf, bool write, lls_error *err)
{
    unsigned flags = MDB_NOTLS | (write ? 0U : MDB_RDONLY);
    MDB_stat stats = {0};

    if (!write)
        LLS_TRY(choose_lock(conf, &flags, err));
    LLS_TRY(open_largest(conf, flags, &env->raw, err));
    (void)mdb_env_stat(env->raw, &stats);
    (void)mdb_reader_check(env->raw, NULL);
    env->writable = write;
    env->page_size = stats.ms_psize;
    lls_err e = check_length(env->raw, conf->path, err);
    if (e == LLS_OK && write)
        e = fill_tail(env, err);
    if (e == LLS_OK)
        e = open_tables(env, err);
    if (e != LLS_OK) {
        mdb_env_close(env->raw);
        env->raw = NULL;
    }
    return e;
}
