/**
 * hnsw_fixture.h - what the tests of vector files share: a store in a temporary folder, and records
 * whose contents follow from a number and a salt, so that any reader can tell whether they are
 * whole.
 */
#ifndef LLS_TESTING_HNSW_FIXTURE_H
#define LLS_TESTING_HNSW_FIXTURE_H

#include "ports/backend.h"
#include "testing/fixture.h"

enum { HNSW_FIXTURE_DIM = 8 };

static const lls_kv_space fixture_space = {LLS_STR_INIT("tenant"), LLS_STR_INIT("things")};
static const lls_kv_space fixture_others = {LLS_STR_INIT("tenant"), LLS_STR_INIT("others")};

static inline int fixture_setup(void **state)
{
    return fixture_setup_below(state, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

static inline lls_err fixture_try(const char *path, lls_access access, lls_backend **out,
                                  lls_error *err)
{
    const lls_setting settings[] = {
        {"path", path, NULL}, {"flat_max", "40", NULL}, {"log_limit", "0B", NULL}};
    lls_backend_params params = {.access = access};

    return lls_backend_open(LLS_STR("hnsw"), settings, LLS_COUNT(settings), &params, out, err);
}

static inline lls_backend *fixture_open(const char *path)
{
    lls_backend *backend = NULL;
    lls_error err = {0};

    assert_ok(fixture_try(path, LLS_READ_WRITE, &backend, &err), err);
    return backend;
}

static inline lls_backend *fixture_read(const char *path)
{
    lls_backend *backend = NULL;
    lls_error err = {0};

    assert_ok(fixture_try(path, LLS_READ_ONLY, &backend, &err), err);
    return backend;
}

/* A record, and what its views point into. */
typedef struct fixture_record {
    char id[16];
    char text[64];
    char metadata[48];
    float vector[HNSW_FIXTURE_DIM];
    lls_vec_item item;
} fixture_record;

/* Record `i` as `salt` makes it. Every fifth has no vector, every seventh is in another space. */
static inline const lls_vec_item *fixture_make(unsigned i, unsigned salt, fixture_record *out)
{
    (void)snprintf(out->id, sizeof(out->id), "r%05u", i);
    (void)snprintf(out->text, sizeof(out->text), "word%u written by %u", i, salt);
    (void)snprintf(out->metadata, sizeof(out->metadata), "{\"salt\": %u}", salt);
    for (unsigned at = 0; at < HNSW_FIXTURE_DIM; at++)
        out->vector[at] = (float)((i * 31 + salt * 17 + at * at * 7) % 97 + 1) / 97;
    out->item = (lls_vec_item){.id = lls_bytes_of(lls_str_of(out->id)),
                               .text = lls_str_of(out->text),
                               .metadata = lls_str_of(out->metadata),
                               .event_usec = 1000 + i};
    if (i % 5 != 4) {
        out->item.vector = out->vector;
        out->item.space = (lls_vec_space){i % 7 == 6 ? LLS_STR("other") : LLS_STR("model"),
                                          HNSW_FIXTURE_DIM, LLS_VEC_L2, false};
    }
    return &out->item;
}

static inline lls_err fixture_put(lls_backend *backend, unsigned i, unsigned salt, lls_error *err)
{
    fixture_record record;

    return lls_vec_put(backend->vec, fixture_space, fixture_make(i, salt, &record), err);
}

/* Whether an item is record `i` as `salt` made it. */
static inline bool fixture_is(const lls_vec_item *item, unsigned i, unsigned salt)
{
    fixture_record record;
    const lls_vec_item *want = fixture_make(i, salt, &record);

    return lls_bytes_eq(item->id, want->id) && lls_str_eq(item->text, want->text) &&
           lls_str_eq(item->metadata, want->metadata) && item->space.dim == want->space.dim &&
           (want->space.dim == 0 || memcmp(item->vector, want->vector, sizeof(record.vector)) == 0);
}

/* The salt in the metadata of a record; 0 when there is none. */
static inline unsigned fixture_salt(const lls_vec_item *item)
{
    unsigned salt = 0;
    char text[48] = {0};

    if (item->metadata.len < sizeof(text))
        memcpy(text, item->metadata.data, item->metadata.len);
    return sscanf(text, "{\"salt\": %u", &salt) == 1 ? salt : 0;
}

#endif
