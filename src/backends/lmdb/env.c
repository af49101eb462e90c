#include "backends/lmdb/env.h"

#include "backends/lmdb/open.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/scope.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The environments that this process has open: the one piece of global state here. LMDB asks for
 * it: two openings of one file in a process would share the process's byte-range locks, and closing
 * either would drop them for both.
 */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static lmdb_env *registry;

/* A page that reads 1 in this process and 0 in a child of fork. Where the system cannot do that
 * (Linux before 4.14, valgrind) a fork goes unnoticed, and not opening would help nobody. */
static const volatile char *alive_page(void)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    char *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return NULL;
    (void)madvise(page, size, MADV_WIPEONFORK);
    *page = 1;
    return page;
}

static void env_free(lmdb_env *env)
{
    lmdb_gate_drop_readers(env);
    if (env->raw)
        mdb_env_close(env->raw);
    if (env->alive)
        (void)munmap((void *)(uintptr_t)env->alive, (size_t)sysconf(_SC_PAGESIZE));
    (void)pthread_cond_destroy(&env->moved);
    (void)pthread_mutex_destroy(&env->gate);
    (void)pthread_mutex_destroy(&env->writing);
    lls_free(env->path);
    lls_free(env);
}

static lmdb_env *env_new(const lmdb_conf *conf, const struct stat *folder)
{
    lmdb_env *env = lls_alloc(sizeof(*env));
    pthread_condattr_t attr;

    if (!env)
        return NULL;
    env->conf = *conf;
    env->conf.path = NULL;
    env->conf.durability = NULL;
    env->dev = folder->st_dev;
    env->ino = folder->st_ino;
    (void)pthread_mutex_init(&env->gate, NULL);
    (void)pthread_mutex_init(&env->writing, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&env->moved, &attr);
    (void)pthread_condattr_destroy(&attr);
    env->alive = alive_page();
    env->path = lls_alloc(strlen(conf->path) + 1);
    if (!env->path || !env->alive) {
        env_free(env);
        return NULL;
    }
    memcpy(env->path, conf->path, strlen(conf->path));
    return env;
}

static lmdb_env *find_open(const struct stat *folder)
{
    for (lmdb_env *env = registry; env; env = env->next)
        if (*env->alive && env->dev == folder->st_dev && env->ino == folder->st_ino)
            return env;
    return NULL;
}

/* It is open for reading only, and somebody wants to write: open it again, while nobody is in. */
static lls_err upgrade(lmdb_env *env, const lmdb_conf *conf, lls_error *err)
{
    (void)pthread_mutex_lock(&env->writing);
    lls_err e = lmdb_gate_close(env, err);
    if (e == LLS_OK) {
        lmdb_gate_drop_readers(env);
        mdb_env_close(env->raw);
        env->raw = NULL;
        e = lmdb_open_raw(env, conf, true, err);
        if (e != LLS_OK) { // leave the readers what they had
            lls_error ignored = {0};
            env->broken = lmdb_open_raw(env, conf, false, &ignored) != LLS_OK;
        }
        lmdb_gate_open(env);
    } else {
        e = lls_wrap(err, LLS_E_BUSY, "open for writing what is open for reading");
    }
    (void)pthread_mutex_unlock(&env->writing);
    return e;
}

static lls_err make(const lmdb_conf *conf, bool write, const struct stat *folder, lmdb_env **out,
                    lls_error *err)
{
    lmdb_env *env = env_new(conf, folder);

    if (!env)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    lls_err e = lmdb_open_raw(env, conf, write, err);
    if (e == LLS_OK && write)
        e = lmdb_convert(env, err);
    if (e != LLS_OK) {
        env_free(env);
        return e;
    }
    env->next = registry;
    registry = env;
    *out = env;
    return LLS_OK;
}

/* The strictest of all who have it open decides. */
static void set_durability(lmdb_env *env, const lmdb_conf *conf, bool first)
{
    bool relaxed = strcmp(conf->durability, "relaxed") == 0;

    if (relaxed && !first)
        return;
    (void)pthread_mutex_lock(&env->writing);
    (void)mdb_env_set_flags(env->raw, MDB_NOMETASYNC, relaxed);
    (void)pthread_mutex_unlock(&env->writing);
}

static lls_err acquire(const lmdb_conf *conf, bool write, lmdb_env **out, lls_error *err)
{
    struct stat folder;

    LLS_TRY(lmdb_open_folder(conf, write, &folder, err));
    lmdb_env *env = find_open(&folder);
    bool first = !env || (write && !env->writable);
    if (!env)
        LLS_TRY(make(conf, write, &folder, &env, err));
    else if (write && !env->writable)
        LLS_TRY(upgrade(env, conf, err));
    if (write)
        set_durability(env, conf, first);
    env->references++;
    *out = env;
    return LLS_OK;
}

lls_err lmdb_env_acquire(const lmdb_conf *conf, bool write, lmdb_env **out, lls_error *err)
{
    (void)pthread_mutex_lock(&registry_lock);
    lls_err e = acquire(conf, write, out, err);
    (void)pthread_mutex_unlock(&registry_lock);
    return e;
}

void lmdb_env_release(lmdb_env *env)
{
    if (!*env->alive)
        return; // a child of fork: the locks and the map are its parent's
    (void)pthread_mutex_lock(&registry_lock);
    if (--env->references == 0) {
        lmdb_env **at = &registry;
        while (*at != env)
            at = &(*at)->next;
        *at = env->next;
        env_free(env);
    }
    (void)pthread_mutex_unlock(&registry_lock);
}
