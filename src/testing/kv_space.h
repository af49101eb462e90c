/** kv_space.h - the spaces that the key/value suites use, and short ways to write to them. */
#ifndef LLS_TESTING_KV_SPACE_H
#define LLS_TESTING_KV_SPACE_H

#include "base/scope.h"
#include "ports/backend.h"
#include "testing/check.h"

static const lls_kv_space space = {LLS_STR_INIT("tenant"), LLS_STR_INIT("suite")};
static const lls_kv_space other = {LLS_STR_INIT("tenant"), LLS_STR_INIT("suite2")};
static const lls_kv_space stranger = {LLS_STR_INIT("tenant2"), LLS_STR_INIT("suite")};

static inline lls_kv *kv_of(void **state)
{
    lls_backend *backend = *state;

    return backend->kv;
}

static inline void put(lls_kv *kv, lls_bytes key, lls_bytes value)
{
    lls_error err = {0};

    assert_ok(lls_kv_put(kv, space, key, value, &err), err);
}

static inline lls_kv_write write_of(lls_kv_verb verb, lls_bytes key, lls_bytes value)
{
    return (lls_kv_write){.verb = verb, .coll = space.coll, .key = key, .value = value};
}

/** Apply one write with the version that it expects or sets. */
static inline lls_err write_version(lls_kv *kv, lls_kv_verb verb, lls_bytes key, lls_bytes value,
                                    uint64_t version, lls_error *err)
{
    lls_kv_write write = write_of(verb, key, value);

    write.meta.version = version;
    return lls_kv_apply(kv, space.tenant, &write, 1, err);
}

static inline uint64_t count_of(lls_kv *kv, lls_kv_space where)
{
    lls_error err = {0};
    uint64_t n = 0;

    assert_ok(lls_kv_count(kv, where, &n, &err), err);
    return n;
}

/** Expect `value` under `key`, and give its meta. */
static inline lls_kv_meta expect(lls_kv *kv, lls_bytes key, lls_bytes value)
{
    LLS_AUTO(lls_buf) out = {0};
    lls_error err = {0};
    lls_kv_meta meta = {0};

    assert_ok(lls_kv_get(kv, space, key, &out, &meta, &err), err);
    assert_true(lls_bytes_eq(lls_buf_view(&out), value));
    return meta;
}

static inline void expect_none(lls_kv *kv, lls_kv_space where, lls_bytes key)
{
    LLS_AUTO(lls_buf) out = {0};
    lls_error err = {0};

    assert_code(lls_kv_get(kv, where, key, &out, NULL, &err), LLS_E_NOTFOUND, err);
}

/** The keys of a scan, each with a comma behind it. */
static inline lls_buf keys_of(lls_kv *kv, lls_kv_space where, lls_kv_range range,
                              lls_kv_scan_mode mode)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_error err = {0};
    lls_buf joined = {0};
    lls_kv_item item;
    lls_err e;

    assert_ok(lls_kv_scan(kv, where, range, mode, &it, &err), err);
    while ((e = lls_kv_iter_next(it, &item, &err)) == LLS_OK) {
        lls_buf_add(&joined, item.key);
        lls_buf_add_text(&joined, ",");
    }
    assert_code(e, LLS_END, err);
    return joined;
}

#define assert_keys(kv, where, range, mode, literal)                                               \
    do {                                                                                           \
        LLS_AUTO(lls_buf) keys_ = keys_of(kv, where, range, mode);                                 \
        assert_bytes(lls_buf_view(&keys_), literal);                                               \
    } while (0)

#endif
