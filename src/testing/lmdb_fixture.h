/** lmdb_fixture.h - what the tests of the LMDB backend share: a store in a temporary folder. */
#ifndef LLS_TESTING_LMDB_FIXTURE_H
#define LLS_TESTING_LMDB_FIXTURE_H

#include "testing/folder_fixture.h"

static inline lls_err fixture_try(const char *path, const char *map_size, lls_access access,
                                  lls_backend **out, lls_error *err)
{
    const lls_setting settings[] = {
        {"path", path, NULL}, {"map_size", map_size, NULL}, {"growth_timeout", "200ms", NULL}};
    lls_backend_params params = {.access = access};

    return lls_backend_open(LLS_STR("lmdb"), settings, LLS_COUNT(settings), &params, out, err);
}

static inline lls_backend *fixture_open(const char *path)
{
    lls_backend *backend = NULL;
    lls_error err = {0};

    assert_ok(fixture_try(path, "1MiB", LLS_READ_WRITE, &backend, &err), err);
    return backend;
}

#endif
