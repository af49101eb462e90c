/** facts.c - what a store can say of itself: sizes and settings, faults, room for more. */
#include "backends/lmdb/kv.h"

#include "backends/lmdb/stage.h"
#include "backends/lmdb/value.h"
#include "base/scope.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* A list to tell, entry by entry. */
typedef struct teller {
    lls_fact_fn each;
    void *user;
} teller;

static void tell(const teller *t, const char *name, const char *fmt, ...) LLS_PRINTF(3, 4);

static void tell(const teller *t, const char *name, const char *fmt, ...)
{
    char text[LLS_ERROR_MSG_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    t->each(t->user, name, text);
}

/* ---- facts ---- */

/* Pages that LMDB will use again: records of the table 0 are lists, each led by its length. */
static int count_free(MDB_txn *txn, uint64_t *out)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val val;
    size_t n;

    *out = 0;
    int rc = mdb_cursor_open(txn, 0, &cursor);
    if (rc != 0)
        return rc;
    while ((rc = mdb_cursor_get(cursor, &key, &val, MDB_NEXT)) == 0) {
        memcpy(&n, val.mv_data, sizeof(n));
        *out += n;
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Entries of `meta` that begin with `prefix`. */
static int count_meta(lmdb_env *env, MDB_txn *txn, MDB_val prefix, uint64_t *out)
{
    MDB_cursor *cursor;
    MDB_val key = prefix;
    MDB_val val;

    *out = 0;
    int rc = mdb_cursor_open(txn, env->meta, &cursor);
    if (rc != 0)
        return rc;
    rc = mdb_cursor_get(cursor, &key, &val, MDB_SET_RANGE);
    while (rc == 0 && lls_bytes_has_prefix(lmdb_bytes(&key), lmdb_bytes(&prefix))) {
        *out += 1;
        rc = mdb_cursor_get(cursor, &key, &val, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

typedef struct sizes {
    MDB_envinfo info;
    MDB_stat spaces;
    uint64_t free_pages;
    uint64_t dead;
    uint64_t staged;
    unsigned flags;
    struct stat file;
} sizes;

static int measure(lmdb_env *env, MDB_txn *txn, sizes *out)
{
    int fd = -1;

    int rc = mdb_env_info(env->raw, &out->info);
    if (rc == 0)
        rc = mdb_env_get_flags(env->raw, &out->flags);
    if (rc == 0)
        rc = mdb_stat(txn, env->spaces, &out->spaces);
    if (rc == 0)
        rc = count_free(txn, &out->free_pages);
    if (rc == 0)
        rc = count_meta(env, txn, lmdb_text(LMDB_META_DEAD, LMDB_META_DEAD_LEN), &out->dead);
    if (rc == 0)
        rc = count_meta(env, txn, lmdb_text(LMDB_META_STAGE, LMDB_META_STAGE_LEN), &out->staged);
    if (rc == 0)
        rc = mdb_env_get_fd(env->raw, &fd);
    if (rc == 0 && fstat(fd, &out->file) != 0)
        rc = errno;
    return rc;
}

lls_err lmdb_facts(lls_backend *backend, lls_fact_fn each, void *user, lls_error *err)
{
    lmdb_env *env = LLS_OUTER(backend, lmdb_store, base)->env;
    teller t = {each, user};
    lmdb_reader *reader;
    char type[20];
    sizes s = {0};

    LLS_TRY(lmdb_read_begin(env, LMDB_BRIEF, &reader, err));
    int rc = measure(env, reader->raw, &s);
    lmdb_read_end(env, reader, LMDB_BRIEF);
    if (rc != 0)
        return lmdb_fail(rc, err, "measure '%s'", env->path);
    lmdb_disk_type(env->path, type);
    tell(&t, "path", "%s", env->path);
    tell(&t, "file system", "%s", type);
    tell(&t, "LMDB", "%s", mdb_version(NULL, NULL, NULL));
    tell(&t, "format", "%d", LMDB_FORMAT);
    tell(&t, "durability", "%s", s.flags & MDB_NOMETASYNC ? "relaxed" : "full");
    tell(&t, "bytes on disk", "%" PRIu64, (uint64_t)s.file.st_blocks * 512);
    tell(&t, "bytes in use", "%" PRIu64,
         (s.info.me_last_pgno + 1 - s.free_pages) * (uint64_t)env->page_size);
    tell(&t, "page size", "%zu", env->page_size);
    tell(&t, "pages", "%zu", s.info.me_last_pgno + 1);
    tell(&t, "free pages", "%" PRIu64, s.free_pages);
    tell(&t, "map size", "%zu", s.info.me_mapsize);
    tell(&t, "map limit", "%" PRIu64, env->conf.map_max);
    tell(&t, "reader slots", "%u of %u", s.info.me_numreaders, s.info.me_maxreaders);
    tell(&t, "last transaction", "%zu", s.info.me_last_txnid);
    tell(&t, "spaces", "%zu", s.spaces.ms_entries);
    tell(&t, "staged spaces", "%" PRIu64, s.staged);
    tell(&t, "dead spaces", "%" PRIu64, s.dead);
    return LLS_OK;
}

/* ---- check ---- */

/* A walk over all that `meta` and `spaces` know of numbers. True stops it. */
typedef bool (*entry_fn)(void *user, const MDB_val *key, const MDB_val *val);

static int walk(MDB_txn *txn, MDB_dbi dbi, MDB_val prefix, entry_fn each, void *user)
{
    MDB_cursor *cursor;
    MDB_val key = prefix;
    MDB_val val;

    int rc = mdb_cursor_open(txn, dbi, &cursor);
    if (rc != 0)
        return rc;
    rc = mdb_cursor_get(cursor, &key, &val, prefix.mv_size ? MDB_SET_RANGE : MDB_FIRST);
    while (rc == 0 && lls_bytes_has_prefix(lmdb_bytes(&key), lmdb_bytes(&prefix))) {
        if (each(user, &key, &val))
            break;
        rc = mdb_cursor_get(cursor, &key, &val, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Whether somebody knows the number `id`. */
typedef struct question {
    uint32_t id;
    bool known;
} question;

static lls_bytes tail_after_nul(const MDB_val *key)
{
    const uint8_t *at = key->mv_data;
    size_t len = key->mv_size;
    size_t i = len;

    while (i > 0 && at[i - 1] != '\0')
        i--;
    return (lls_bytes){at + i, len - i};
}

static bool is_live(void *user, const MDB_val *key, const MDB_val *val)
{
    question *q = user;
    const uint8_t *at = val->mv_data;

    (void)key;
    q->known = val->mv_size == 24 && q->id == lls_little_get_u32(at + 8);
    return q->known;
}

static bool is_staged(void *user, const MDB_val *key, const MDB_val *val)
{
    question *q = user;
    lmdb_staged entry;

    q->known = lmdb_staged_decode(key, val, &entry, NULL) == LLS_OK &&
               (q->id == entry.staged || q->id == entry.merged);
    return q->known;
}

static bool is_dead(void *user, const MDB_val *key, const MDB_val *val)
{
    question *q = user;
    const uint8_t *at = (const uint8_t *)key->mv_data + LMDB_META_DEAD_LEN;

    (void)val;
    q->known = key->mv_size == LMDB_META_DEAD_LEN + 4 && q->id == lls_big_get_u32(at);
    return q->known;
}

static int ask(lmdb_env *env, MDB_txn *txn, question *q)
{
    MDB_val none = {0, NULL};

    int rc = walk(txn, env->spaces, none, is_live, q);
    if (rc == 0 && !q->known)
        rc = walk(txn, env->meta, lmdb_text(LMDB_META_STAGE, LMDB_META_STAGE_LEN), is_staged, q);
    if (rc == 0 && !q->known)
        rc = walk(txn, env->meta, lmdb_text(LMDB_META_DEAD, LMDB_META_DEAD_LEN), is_dead, q);
    return rc;
}

/* Each number that there are records of, with a jump from one to the next. */
static int check_spaces(lmdb_env *env, MDB_txn *txn, const teller *t)
{
    uint8_t bytes[LMDB_KEY_MAX];
    uint32_t id = 0;
    MDB_cursor *cursor;
    MDB_val val;

    int rc = mdb_cursor_open(txn, env->records, &cursor);
    if (rc != 0)
        return rc;
    while (rc == 0) {
        MDB_val key = lmdb_key_make(bytes, id, (lls_bytes){0});
        rc = mdb_cursor_get(cursor, &key, &val, MDB_SET_RANGE);
        if (rc != 0)
            break;
        if (key.mv_size < 5) {
            tell(t, "key", "there is a key of %zu bytes", key.mv_size);
            break;
        }
        id = lmdb_key_space(&key);
        question q = {.id = id};
        rc = ask(env, txn, &q);
        if (rc == 0 && !q.known)
            tell(t, "space", "there are records of space %u, which nobody knows", id);
        if (++id == LMDB_RECORD)
            break;
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static bool tell_stage(void *user, const MDB_val *key, const MDB_val *val)
{
    const char *run = (const char *)key->mv_data + LMDB_META_STAGE_LEN;
    const char *end = (const char *)key->mv_data + key->mv_size;
    lls_bytes coll = tail_after_nul(key);
    lmdb_staged entry;

    size_t run_len = strnlen(run, (size_t)(end - run));
    const char *tenant = run + run_len + 1;
    if (lmdb_staged_decode(key, val, &entry, NULL) != LLS_OK || tenant >= end)
        tell(user, "stage", "the entry of a stage is damaged");
    else
        tell(user, "stage",
             "%" PRIu64 " records of collection '" LLS_FMT "' of tenant '%s' wait in the stage of "
             "run '%s' to be published or discarded",
             entry.count, LLS_ARG(coll), tenant, run);
    return false;
}

static bool tell_damage(void *user, const MDB_val *key, const MDB_val *val)
{
    lls_bytes coll = tail_after_nul(key);

    if (val->mv_size != 24 || coll.len == 0 || coll.len + 1 >= key->mv_size)
        tell(user, "space", "an entry of the table of spaces is damaged");
    return false;
}

lls_err lmdb_check(lls_backend *backend, lls_fact_fn each, void *user, lls_error *err)
{
    lmdb_env *env = LLS_OUTER(backend, lmdb_store, base)->env;
    teller t = {each, user};
    MDB_val none = {0, NULL};
    lmdb_reader *reader;

    LLS_TRY(lmdb_read_begin(env, LMDB_SCAN, &reader, err));
    int rc = walk(reader->raw, env->spaces, none, tell_damage, &t);
    if (rc == 0)
        rc = walk(reader->raw, env->meta, lmdb_text(LMDB_META_STAGE, LMDB_META_STAGE_LEN),
                  tell_stage, &t);
    if (rc == 0)
        rc = check_spaces(env, reader->raw, &t);
    lmdb_read_end(env, reader, LMDB_SCAN);
    return rc ? lmdb_fail(rc, err, "check '%s'", env->path) : LLS_OK;
}

/* ---- ready ---- */

lls_err lmdb_ready(lls_backend *backend, uint64_t bytes_to_come, lls_error *err)
{
    lmdb_env *env = LLS_OUTER(backend, lmdb_store, base)->env;
    MDB_envinfo info = {0};
    struct statvfs fs;

    // twice: a tree has pages that are not full, and what is replaced goes only afterwards
    uint64_t needed = bytes_to_come > UINT64_MAX / 2 ? UINT64_MAX : bytes_to_come * 2;
    LLS_TRY(lmdb_gate_enter(env, LMDB_BRIEF, err));
    (void)mdb_env_info(env->raw, &info);
    lmdb_gate_leave(env, LMDB_BRIEF);
    if (statvfs(env->path, &fs) != 0)
        return lls_fail_sys(err, errno, "'%s'", env->path);
    uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;
    if (room < needed)
        return lls_fail(err, LLS_E_FULL,
                        "'%s' has %" PRIu64 " bytes of room; %" PRIu64 " are needed", env->path,
                        room, needed);
    uint64_t used = (uint64_t)info.me_last_pgno * env->page_size;
    if (used > env->conf.map_max || env->conf.map_max - used < needed)
        return lls_fail(err, LLS_E_FULL,
                        "'%s' holds %" PRIu64 " bytes and may grow to %" PRIu64
                        " (map_max); %" PRIu64 " more are needed",
                        env->path, used, env->conf.map_max, needed);
    return LLS_OK;
}
