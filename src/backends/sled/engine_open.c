/** engine_open.c - opening, making and closing a database that is written. */
#include "backends/sled/engine_kv.h"

#include "backends/sled/conf.h"
#include "backends/sled/holder.h"
#include "backends/sled/layout.h"
#include "backends/sled/snapshot.h"
#include "backends/sled/writer.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SEGMENT_BYTES = 512 * 1024, /* the engine's own default */
    BATCHES_AT_OPEN = 16,       /* dead records are removed in batches; an opening does its share */
};

bool sled_writer_is_built(void)
{
    return true;
}

lls_err sled_writer_refuse(const char *path, lls_error *err)
{
    return lls_fail(err, LLS_E_DENIED, "'%s' is open for reading only", path);
}

/* ---- making ---- */

/* There is no log yet. A kill in the first moment of a database may have left a configuration, or
 * half of one, with which the engine would not open. */
static lls_err take_conf(const char *path, sled_facts *out, lls_error *err)
{
    sled_folder folder;
    sled_conf conf;
    lls_error why = {0};

    lls_err e = sled_folder_open(path, &folder, err);
    if (e == LLS_OK && sled_conf_read(&folder, &conf, &why) == LLS_OK) {
        out->segment_bytes = conf.segment_bytes;
        out->compressed = conf.compressed;
    } else if (e == LLS_OK && unlinkat(folder.fd, "conf", 0) != 0 && errno != ENOENT) {
        e = lls_fail_sys(err, errno, "remove '%s/conf', which is damaged", path);
    }
    sled_folder_close(&folder);
    return e;
}

static lls_err look_for_strangers(void *user, const char *name, lls_error *err)
{
    static const char *const own[] = {".", "..", "conf", "db", "blobs"};

    for (size_t i = 0; i < LLS_COUNT(own); i++)
        if (strcmp(name, own[i]) == 0)
            return LLS_OK;
    return lls_fail(err, LLS_E_INVALID,
                    "'%s' holds other things, such as '%s': a new database wants an empty folder",
                    (const char *)user, name);
}

static lls_err make_folder(const char *path, sled_facts *out, lls_error *err)
{
    LLS_AUTO(lls_buf) name = {0};
    sled_folder folder;

    LLS_TRY(lls_file_mkdirs(path, err));
    lls_buf_add_text(&name, path);
    LLS_TRY(lls_buf_status(&name, err));
    lls_err e = sled_folder_open(path, &folder, err);
    if (e == LLS_OK)
        e = sled_folder_list(&folder, look_for_strangers, (void *)lls_buf_cstr(&name), err);
    sled_folder_close(&folder);
    return e == LLS_OK ? take_conf(path, out, err) : e;
}

/* The engine syncs neither its configuration nor the names of its files. */
static lls_err sync_new(const sled_kv *kv, const char *path, lls_error *err)
{
    LLS_AUTO(lls_fd) conf = openat(kv->disk.folder, "conf", O_RDONLY | O_CLOEXEC);

    if (conf < 0 || fsync(conf) != 0 || fsync(kv->disk.folder) != 0)
        return lls_fail_sys(err, errno, "sync '%s'", path);
    return lls_file_sync_parent(path, err);
}

static void take_format(void *user, lls_bytes value)
{
    lls_buf_add(user, value);
}

static lls_err write_mark(sled_kv *kv, sled_engine_tree *tree, lls_error *err)
{
    LLS_AUTO(sled_batch_ref) batch = NULL;
    sled_engine_error said = {0};
    uint64_t turn;

    int rc = sled_engine_batch_open(tree, &batch, &said);
    if (rc != SLED_ENGINE_OK)
        return sled_kv_fail(kv, rc, &said, "mark", err);
    LLS_TRY(sled_kv_set(kv, batch, lls_bytes_of(LLS_STR(SLED_FORMAT_KEY)),
                        lls_bytes_of(LLS_STR(SLED_FORMAT)), err));
    LLS_TRY(sled_kv_commit(kv, batch, &turn, err));
    return sled_kv_sync(kv, turn, err);
}

/* Nothing else is written before the mark is on the disk. */
static lls_err check_mark(sled_kv *kv, sled_engine_tree *tree, lls_error *err)
{
    LLS_AUTO(lls_buf) format = {0};
    sled_engine_error said = {0};

    int rc =
        sled_engine_get(tree, lls_bytes_of(LLS_STR(SLED_FORMAT_KEY)), take_format, &format, &said);
    if (rc == SLED_ENGINE_NONE)
        return write_mark(kv, tree, err);
    if (rc != SLED_ENGINE_OK)
        return sled_kv_fail(kv, rc, &said, "read", err);
    if (lls_str_eq(lls_buf_str(&format), LLS_STR(SLED_FORMAT)))
        return LLS_OK;
    return lls_fail(err, LLS_E_NEWER, "'%s' has format %s, this version knows %s",
                    lls_buf_cstr(&kv->disk.path), lls_buf_cstr(&format), SLED_FORMAT);
}

/* ---- opening ---- */

static lls_err open_tree(sled_kv *kv, const char *name, sled_engine_tree **out, lls_error *err)
{
    sled_engine_error said = {0};
    int rc = sled_engine_tree_open(kv->engine, lls_bytes_of(lls_str_of(name)), out, &said);

    return rc == SLED_ENGINE_OK ? LLS_OK : sled_kv_fail(kv, rc, &said, "open", err);
}

static lls_err open_trees(sled_kv *kv, lls_error *err)
{
    sled_engine_tree *format = NULL;

    LLS_TRY(open_tree(kv, SLED_FORMAT_TREE, &format, err));
    lls_err e = check_mark(kv, format, err);
    sled_engine_tree_close(format);
    LLS_TRY(e);
    return open_tree(kv, SLED_RECORDS_TREE, &kv->records, err);
}

/* Whether somebody holds the lock that the engine could not get: then the error names them. */
static lls_err who_holds(const char *path, lls_error *err)
{
    LLS_AUTO(lls_buf) db = {0};

    lls_buf_printf(&db, "%s/db", path);
    LLS_AUTO(lls_fd) fd = open(lls_buf_cstr(&db), O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return sled_holder_fail(fd, path, err);
    return LLS_OK;
}

static lls_err open_engine(sled_kv *kv, const sled_options *conf, const sled_facts *facts,
                           lls_error *err)
{
    sled_engine_error said = {0};
    sled_engine_options options = {
        .path = lls_bytes_of(lls_str_of(conf->path)),
        .segment_bytes = facts->segment_bytes,
        .cache_bytes = conf->cache,
        .compressed = facts->compressed,
    };

    LLS_TRY(who_holds(conf->path, err)); // the engine fails without a name
    int rc = sled_engine_open(&options, &kv->engine, &said);
    if (rc == SLED_ENGINE_OK)
        return LLS_OK;
    LLS_TRY(who_holds(conf->path, err));
    return lls_fail(err, rc == SLED_ENGINE_CORRUPT ? LLS_E_CORRUPT : LLS_E_IO,
                    "open '%s': the engine says: %s", conf->path, said.text);
}

static lls_err open_all(sled_kv *kv, const sled_options *conf, const sled_facts *found,
                        lls_error *err)
{
    sled_facts facts = {.segment_bytes = SEGMENT_BYTES, .compressed = conf->compression};

    if (found)
        facts = *found;
    LLS_TRY(found ? sled_snapshot_sweep(conf->path, err) : make_folder(conf->path, &facts, err));
    LLS_TRY(open_engine(kv, conf, &facts, err));
    LLS_TRY(sled_disk_open(conf->path, &kv->disk, err));
    LLS_TRY(open_trees(kv, err));
    return found ? LLS_OK : sync_new(kv, conf->path, err);
}

lls_err sled_writer_open(const sled_options *conf, const sled_facts *found, lls_kv **out,
                         lls_error *err)
{
    sled_kv *kv = lls_alloc(sizeof(*kv));

    if (!kv)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    kv->kv.ops = &sled_kv_ops;
    kv->disk = (sled_disk){.folder = -1, .db = -1, .blobs = -1};
    (void)pthread_mutex_init(&kv->write, NULL);
    (void)pthread_mutex_init(&kv->pins, NULL);
    (void)pthread_rwlock_init(&kv->spaces, NULL);
    lls_err e = open_all(kv, conf, found, err);
    if (e != LLS_OK) {
        sled_writer_close(&kv->kv);
        return e;
    }
    sled_kv_collect(kv, BATCHES_AT_OPEN);
    *out = &kv->kv;
    return LLS_OK;
}

void sled_writer_close(lls_kv *base)
{
    sled_kv *kv = sled_kv_of(base);

    if (kv->records)
        sled_engine_tree_close(kv->records);
    if (kv->engine) {
        sled_engine_close(kv->engine);
        sled_disk_wait_for_lock(&kv->disk);
    }
    sled_disk_close(&kv->disk);
    lls_buf_fini(&kv->pinned);
    (void)pthread_rwlock_destroy(&kv->spaces);
    (void)pthread_mutex_destroy(&kv->pins);
    (void)pthread_mutex_destroy(&kv->write);
    lls_free(kv);
}
