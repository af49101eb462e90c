/**
 * gate.c - who is inside the environment, and the change of the map's size while nobody is.
 *
 * While somebody waits to be alone, brief calls wait outside unless a scan is open: whoever holds a
 * scan may have to make another call before he can close it, and would wait for himself.
 */
#include "backends/lmdb/env.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    IDLE_MAX = 8,            /* readers kept; each holds a slot of the table that all share */
    FREEING_BYTES = 1 << 20, /* what a write that frees room may take beyond map_max */
};

lls_err lmdb_gate_enter_reading(lmdb_env *env, lmdb_stay stay, lmdb_reader **out, lls_error *err)
{
    if (!*env->alive)
        return lls_fail(err, LLS_E_INVALID,
                        "'%s' was opened before a fork: the child must open it itself", env->path);
    (void)pthread_mutex_lock(&env->gate);
    while (env->exclusive && env->scans == 0)
        (void)pthread_cond_wait(&env->moved, &env->gate);
    bool broken = env->broken;
    if (!broken) {
        env->active++;
        env->scans += stay == LMDB_SCAN;
    }
    if (!broken && out) {
        *out = env->idle;
        if (env->idle) {
            env->idle = env->idle->next;
            env->idle_count--;
        }
    }
    (void)pthread_mutex_unlock(&env->gate);
    if (broken)
        return lls_fail(err, LLS_E_NOMEM, "'%s' lost its memory map: open it again", env->path);
    return LLS_OK;
}

lls_err lmdb_gate_enter(lmdb_env *env, lmdb_stay stay, lls_error *err)
{
    return lmdb_gate_enter_reading(env, stay, NULL, err);
}

void lmdb_gate_leave_reading(lmdb_env *env, lmdb_stay stay, lmdb_reader *reader)
{
    (void)pthread_mutex_lock(&env->gate);
    bool full = env->idle_count >= IDLE_MAX;
    if (reader && !full) {
        reader->next = env->idle;
        env->idle = reader;
        env->idle_count++;
        reader = NULL;
    }
    if (!reader) {
        env->active--;
        env->scans -= stay == LMDB_SCAN;
        if (env->exclusive)
            (void)pthread_cond_broadcast(&env->moved);
    }
    (void)pthread_mutex_unlock(&env->gate);
    if (reader) { // one too many: end it while still inside
        lmdb_reader_free(reader);
        lmdb_gate_leave_reading(env, stay, NULL);
    }
}

void lmdb_gate_leave(lmdb_env *env, lmdb_stay stay)
{
    lmdb_gate_leave_reading(env, stay, NULL);
}

void lmdb_gate_drop_readers(lmdb_env *env)
{
    while (env->idle) {
        lmdb_reader *reader = env->idle;
        env->idle = reader->next;
        lmdb_reader_free(reader);
    }
    env->idle_count = 0;
}

static struct timespec deadline_in(uint64_t ms)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(ms / 1000);
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

lls_err lmdb_gate_close(lmdb_env *env, lls_error *err)
{
    struct timespec deadline = deadline_in(env->conf.growth_timeout);
    int rc = 0;

    (void)pthread_mutex_lock(&env->gate);
    while (env->exclusive && rc == 0)
        rc = pthread_cond_timedwait(&env->moved, &env->gate, &deadline);
    bool mine = rc == 0;
    if (mine)
        env->exclusive = true;
    while (env->active > 0 && rc == 0)
        rc = pthread_cond_timedwait(&env->moved, &env->gate, &deadline);
    unsigned scans = env->scans;
    unsigned active = env->active;
    if (mine && active > 0) {
        env->exclusive = false;
        (void)pthread_cond_broadcast(&env->moved);
    }
    (void)pthread_mutex_unlock(&env->gate);
    if (mine && active == 0)
        return LLS_OK;
    return lls_fail(err, LLS_E_FULL,
                    "the map of '%s', %zu bytes, cannot change while %u scans and %u other calls "
                    "are open",
                    env->path, lmdb_env_map_size(env), scans, active - scans);
}

void lmdb_gate_open(lmdb_env *env)
{
    (void)pthread_mutex_lock(&env->gate);
    env->exclusive = false;
    (void)pthread_cond_broadcast(&env->moved);
    (void)pthread_mutex_unlock(&env->gate);
}

size_t lmdb_env_map_size(const lmdb_env *env)
{
    MDB_envinfo info = {0};

    (void)mdb_env_info(env->raw, &info);
    return info.me_mapsize;
}

/* Whether `more` bytes of address space can be had. LMDB unmaps before it maps, so that a refusal
   in the middle would leave it without any map: ask first. */
static bool room_for(size_t more)
{
    void *at = mmap(NULL, more, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (at == MAP_FAILED)
        return false;
    (void)munmap(at, more);
    return true;
}

static lls_err set_size(lmdb_env *env, size_t size, lls_error *err)
{
    int rc = mdb_env_set_mapsize(env->raw, size);

    env->moves++;
    if (rc == 0)
        return LLS_OK;
    env->broken = true; // nobody is inside: the gate is closed
    return lmdb_fail(rc, err, "map '%s'", env->path);
}

/* How far beyond `size` the map may go: twice that, up to map_max and what can be had. LMDB writes
   new pages also to delete: without an exception a full store would stay full for ever. */
static lls_err next_size(lmdb_env *env, lmdb_room room, size_t size, size_t *out, lls_error *err)
{
    size_t max = env->conf.map_max > SIZE_MAX / 4 ? SIZE_MAX / 4 : (size_t)env->conf.map_max;

    if (room == LMDB_FREES && size >= max && size < 2 * max)
        max = size + FREEING_BYTES;
    if (size >= max)
        return lls_fail(err, LLS_E_FULL, "'%s' is full: map_max is %zu bytes", env->path, max);
    size_t want = size > max / 2 ? max : size * 2;
    if (!room_for(want - size))
        return lls_fail(
            err, LLS_E_FULL,
            "the map of '%s', %zu bytes, is full and there is no address space for more", env->path,
            size);
    *out = want;
    return LLS_OK;
}

lls_err lmdb_env_grow(lmdb_env *env, lmdb_room room, size_t seen, lls_error *err)
{
    size_t want = 0;
    lls_err e = lmdb_gate_close(env, err);

    if (e != LLS_OK)
        return lls_wrap(err, e, "the store is full and cannot grow");
    size_t size = lmdb_env_map_size(env);
    if (size <= seen) { // otherwise it grew meanwhile
        e = next_size(env, room, size, &want, err);
        if (e == LLS_OK)
            e = set_size(env, want, err);
    }
    lmdb_gate_open(env);
    return e;
}

lls_err lmdb_env_adopt(lmdb_env *env, lls_error *err)
{
    lls_err e = lmdb_gate_close(env, err);

    if (e != LLS_OK)
        return lls_wrap(err, e, "another process made the store larger");
    e = set_size(env, 0, err);
    lmdb_gate_open(env);
    return e;
}
