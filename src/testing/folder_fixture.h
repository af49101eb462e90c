/**
 * folder_fixture.h - what the tests of backends that keep a store in one folder share. Each has a
 * header of its own on top, which says how the store is opened.
 */
#ifndef LLS_TESTING_FOLDER_FIXTURE_H
#define LLS_TESTING_FOLDER_FIXTURE_H

#include "ports/backend.h"
#include "ports/stage.h"
#include "testing/fixture.h"

#define COLL LLS_STR("things")
static const lls_kv_space fixture_space = {LLS_STR_INIT("tenant"), LLS_STR_INIT("things")};

static inline int fixture_setup(void **state)
{
    return fixture_setup_below(state, "/tmp");
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

#endif
