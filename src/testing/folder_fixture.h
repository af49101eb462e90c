/**
 * folder_fixture.h - what the tests of backends that keep a store in one folder share. Each has a
 * header of its own on top, which says how the store is opened.
 */
#ifndef LLS_TESTING_FOLDER_FIXTURE_H
#define LLS_TESTING_FOLDER_FIXTURE_H

#include "base/scope.h"
#include "ports/backend.h"
#include "ports/stage.h"
#include "testing/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define COLL LLS_STR("things")
static const lls_kv_space fixture_space = {LLS_STR_INIT("tenant"), LLS_STR_INIT("things")};

/* `*state` is the path of a folder that is not there yet, below one that is removed at the end. */
static inline int fixture_setup(void **state)
{
    char *path = calloc(1, 64);

    assert_non_null(path);
    memcpy(path, "/tmp/lls-test-XXXXXX", sizeof("/tmp/lls-test-XXXXXX"));
    assert_non_null(mkdtemp(path));
    memcpy(path + strlen(path), "/store", sizeof("/store"));
    *state = path;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    LLS_AUTO(lls_buf) command = {0};
    char *path = *state;

    *strrchr(path, '/') = '\0';
    lls_buf_printf(&command, "chmod -R u+w '%s'; rm -rf '%s'", path, path);
    assert_int_equal(system(lls_buf_cstr(&command)), 0);
    free(path);
    return 0;
}

/* Keys "k000000", …; values of `size` bytes that depend on `i` and `salt`. */
static inline lls_bytes fixture_key(unsigned i, char out[16])
{
    (void)snprintf(out, 16, "k%06u", i);
    return lls_bytes_of(lls_str_of(out));
}

static inline void fixture_value(unsigned i, unsigned salt, uint8_t *out, size_t size)
{
    for (size_t at = 0; at < size; at++)
        out[at] = (uint8_t)(i * 31 + salt * 7 + at);
}

static inline lls_err fixture_put(lls_backend *backend, unsigned i, unsigned salt, size_t size,
                                  lls_error *err)
{
    static _Thread_local uint8_t value[1 << 20];
    char key[16];

    fixture_value(i, salt, value, size);
    return lls_kv_put(backend->kv, fixture_space, fixture_key(i, key), (lls_bytes){value, size},
                      err);
}

static inline void fixture_expect(lls_backend *backend, unsigned i, unsigned salt, size_t size)
{
    static _Thread_local uint8_t value[1 << 20];
    LLS_AUTO(lls_buf) found = {0};
    lls_error err = {0};
    char key[16];

    fixture_value(i, salt, value, size);
    assert_ok(lls_kv_get(backend->kv, fixture_space, fixture_key(i, key), &found, NULL, &err), err);
    assert_int_equal(found.len, size);
    assert_memory_equal(found.data, value, size);
}

static inline uint64_t fixture_count(lls_backend *backend)
{
    lls_error err = {0};
    uint64_t count = 0;

    assert_ok(lls_kv_count(backend->kv, fixture_space, &count, &err), err);
    return count;
}

static inline void fixture_count_fact(void *user, const char *name, const char *value)
{
    (void)name;
    (void)value;
    *(unsigned *)user += 1;
}

/* How many faults `check` finds. */
static inline unsigned fixture_faults(lls_backend *backend)
{
    lls_error err = {0};
    unsigned faults = 0;

    assert_ok(backend->def->check(backend, fixture_count_fact, &faults, &err), err);
    return faults;
}

/* Wait for a child; what it returned, or 1000 and the signal. */
static inline int fixture_wait(pid_t pid)
{
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

#endif
