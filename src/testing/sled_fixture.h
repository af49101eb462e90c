/** sled_fixture.h - what the tests of the Sled backend share: a store in a temporary folder. */
#ifndef LLS_TESTING_SLED_FIXTURE_H
#define LLS_TESTING_SLED_FIXTURE_H

#include "testing/folder_fixture.h"

static inline lls_err fixture_try(const char *path, lls_access access, lls_backend **out,
                                  lls_error *err)
{
    const lls_setting settings[] = {{"path", path, NULL}, {"torn_tail", "accept", NULL}};
    lls_backend_params params = {.access = access};

    return lls_backend_open(LLS_STR("sled"), settings, LLS_COUNT(settings), &params, out, err);
}

static inline lls_backend *fixture_open(const char *path)
{
    lls_backend *backend = NULL;
    lls_error err = {0};

    assert_ok(fixture_try(path, LLS_READ_WRITE, &backend, &err), err);
    return backend;
}

/* As the engine would recover it; nothing is changed. */
static inline lls_backend *fixture_look(const char *path)
{
    lls_backend *backend = NULL;
    lls_error err = {0};

    assert_ok(fixture_try(path, LLS_READ_ONLY, &backend, &err), err);
    return backend;
}

/* A torn tail is one: none is left by whoever closed it. */
static inline unsigned fixture_faults_of(const char *path)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_look(path);

    return fixture_faults(backend);
}

#endif
