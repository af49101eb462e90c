/** value_test.c - the bytes of a record, and a store that an earlier build wrote. */
#include "backends/lmdb/value.h"

#include "base/alloc.h"
#include "testing/lmdb_fixture.h"

static const lls_kv_meta meta = {.version = 5, .created_usec = -1, .updated_usec = 2};

static void a_header_has_32_bytes_and_40_with_an_expiry(void **state)
{
    (void)state;
    lls_kv_meta expires = {.version = 1, .expires_usec = 7};

    assert_int_equal(lmdb_value_size(&meta, B("abc")), 35);
    assert_int_equal(lmdb_value_size(&expires, B("abc")), 43);
}

static void what_is_encoded_is_decoded(void **state)
{
    (void)state;
    static const int64_t times[] = {0, 1, LLS_TIME_MIN_USEC, LLS_TIME_MAX_USEC};
    lls_error err = {0};

    for (size_t i = 0; i < LLS_COUNT(times); i++) {
        lls_kv_meta in = {1 + i, times[i], -times[i] / 2, times[i]};
        uint8_t stored[64];
        lls_kv_meta out;
        lls_bytes value;
        lmdb_value_encode(B("key"), &in, B("abc"), stored);
        lls_bytes all = {stored, lmdb_value_size(&in, B("abc"))};
        assert_ok(lmdb_value_decode(B("key"), all, &out, &value, &err), err);
        assert_bytes(value, "abc");
        assert_memory_equal(&in, &out, sizeof(in));
        assert_int_equal(lmdb_value_expired(all, 1), times[i] != 0 && times[i] <= 1);
    }
}

static void every_changed_bit_is_noticed(void **state)
{
    (void)state;
    uint8_t stored[64];
    size_t len = lmdb_value_size(&meta, B("abc"));

    lmdb_value_encode(B("key"), &meta, B("abc"), stored);
    for (size_t bit = 0; bit < len * 8; bit++) {
        lls_error err = {0};
        lls_kv_meta out;
        lls_bytes value;
        stored[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_code(lmdb_value_decode(B("key"), (lls_bytes){stored, len}, &out, &value, &err),
                    LLS_E_CORRUPT, err);
        assert_non_null(strstr(err.msg, "record 'key'"));
        stored[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void another_key_or_length_is_noticed(void **state)
{
    (void)state;
    uint8_t stored[64];
    lls_error err = {0};
    lls_kv_meta out;
    lls_bytes value;

    lmdb_value_encode(B("key"), &meta, B("abc"), stored);
    assert_code(lmdb_value_decode(B("kez"), (lls_bytes){stored, 35}, &out, &value, &err),
                LLS_E_CORRUPT, err);
    for (size_t len = 0; len < 35; len++)
        assert_code(lmdb_value_decode(B("key"), (lls_bytes){stored, len}, &out, &value, &err),
                    LLS_E_CORRUPT, err);
}

/* ---- a damaged record in a store ---- */

static void damage(const char *path, unsigned i)
{
    char data[80];
    char needle[16];
    lls_bytes key = fixture_key(i, needle);
    LLS_AUTO(lls_buf) file = {0};

    (void)snprintf(data, sizeof(data), "%s/data.mdb", path);
    FILE *f = fopen(data, "r+b");
    assert_non_null(f);
    for (int c; (c = fgetc(f)) != EOF;) {
        uint8_t byte = (uint8_t)c;
        lls_buf_add(&file, (lls_bytes){&byte, 1});
    }
    for (size_t at = 0; at + key.len < file.len; at++) {
        if (memcmp(file.data + at, key.data, key.len) != 0)
            continue;
        assert_int_equal(fseek(f, (long)(at + key.len + 40), SEEK_SET), 0);
        assert_true(fputc(file.data[at + key.len + 40] ^ 1, f) != EOF);
    }
    assert_int_equal(fclose(f), 0);
}

static void a_damaged_record_is_named_and_the_others_are_read(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    LLS_AUTO(lls_buf) value = {0};
    lls_error err = {0};
    lls_kv_item item;
    char key[16];
    unsigned good = 0;
    unsigned bad = 0;
    lls_err e;

    for (unsigned i = 0; i < 20; i++)
        assert_ok(fixture_put(backend, i, 1, 100, &err), err);
    damage(*state, 7);
    assert_code(lls_kv_get(backend->kv, fixture_space, fixture_key(7, key), &value, NULL, &err),
                LLS_E_CORRUPT, err);
    assert_non_null(strstr(err.msg, "k000007"));
    assert_non_null(strstr(err.msg, "things"));
    assert_ok(lls_kv_scan(backend->kv, fixture_space, (lls_kv_range){0}, LLS_KV_ALL, &it, &err),
              err);
    while ((e = lls_kv_iter_next(it, &item, &err)) != LLS_END) {
        good += e == LLS_OK;
        bad += e == LLS_E_CORRUPT;
    }
    assert_int_equal(good, 19);
    assert_int_equal(bad, 1);
    assert_ok(fixture_put(backend, 7, 2, 100, &err), err); // an unconditional write repairs it
    fixture_expect(backend, 7, 2, 100);
}

/* ---- golden ---- */

static const lls_kv_meta golden_meta = {3, 1700000000000001, 1700000000000002, 0};
static const lls_kv_meta golden_expiring = {1, 1, 2, 4102444800000000};

/* How tests/golden/lmdb-2 was made: LLS_GOLDEN_WRITE=folder of a new store. */
static void write_golden(const char *path)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(path);
    static uint8_t large[10000];
    lls_error err = {0};

    memset(large, 'L', sizeof(large));
    const lls_kv_write writes[] = {
        {LLS_KV_RESTORE, COLL, B("binary\0\xff"), B("\0\xff\n"), golden_meta},
        {LLS_KV_RESTORE, COLL, B("empty"), {0}, golden_meta},
        {LLS_KV_RESTORE, COLL, B("expires"), B("later"), golden_expiring},
        {LLS_KV_RESTORE, COLL, B("large"), {large, sizeof(large)}, golden_meta},
        {LLS_KV_RESTORE, LLS_STR("others"), B("json"), B("{\"a\": 1}"), golden_meta},
    };
    assert_ok(lls_kv_apply(backend->kv, fixture_space.tenant, writes, LLS_COUNT(writes), &err),
              err);
    lls_str colls[] = {COLL};
    lls_stage_spec spec = {fixture_space.tenant, LLS_STR("golden"), colls, 1, LLS_STAGE_MERGE};
    LLS_AUTO(lls_kv_stage_ref) stage = NULL;
    lls_kv_item item = {B("staged"), B("waits"), golden_meta};
    assert_ok(lls_stage_open(backend->kv, &spec, &stage, &err), err);
    assert_ok(lls_stage_add(stage, COLL, &item, 1, &err), err);
    assert_ok(lls_stage_flush(stage, &err), err);
}

static void expect_golden(lls_kv_iter *it, lls_bytes key, size_t len, const lls_kv_meta *want)
{
    lls_kv_item item;
    lls_error err = {0};

    assert_ok(lls_kv_iter_next(it, &item, &err), err);
    assert_int_equal(item.key.len, key.len);
    assert_memory_equal(item.key.data, key.data, key.len);
    assert_int_equal(item.value.len, len);
    assert_memory_equal(&item.meta, want, sizeof(*want));
}

static void copy_golden(const char *name, const char *to)
{
    LLS_AUTO(lls_buf) command = {0};

    lls_buf_printf(&command, "cp -r '%s/tests/golden/%s' '%s' && chmod -R u+w '%s'", LLS_SOURCE_DIR,
                   name, to, to);
    assert_int_equal(system(lls_buf_cstr(&command)), 0);
}

static void expect_all_golden(const char *path)
{
    LLS_AUTO(lls_buf) value = {0};
    lls_error err = {0};
    lls_kv_item item;

    LLS_AUTO(lls_backend_ref) backend = fixture_open(path);
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    assert_ok(lls_kv_scan(backend->kv, fixture_space, (lls_kv_range){0}, LLS_KV_ALL, &it, &err),
              err);
    expect_golden(it, B("binary\0\xff"), 3, &golden_meta);
    expect_golden(it, B("empty"), 0, &golden_meta);
    expect_golden(it, B("expires"), 5, &golden_expiring);
    expect_golden(it, B("large"), 10000, &golden_meta);
    assert_int_equal(lls_kv_iter_next(it, &item, &err), LLS_END);
    assert_ok(lls_kv_get(backend->kv, (lls_kv_space){fixture_space.tenant, LLS_STR("others")},
                         B("json"), &value, NULL, &err),
              err);
    assert_bytes(lls_buf_view(&value), "{\"a\": 1}");

    lls_str colls[] = {COLL};
    lls_stage_spec spec = {fixture_space.tenant, LLS_STR("golden"), colls, 1, LLS_STAGE_MERGE};
    LLS_AUTO(lls_kv_stage_ref) stage = NULL;
    LLS_AUTO(lls_buf) last = {0};
    uint64_t count;
    assert_ok(lls_stage_open(backend->kv, &spec, &stage, &err), err);
    assert_ok(lls_stage_last(stage, COLL, &last, &count, &err), err);
    assert_bytes(lls_buf_view(&last), "staged");
    assert_int_equal(count, 1);
    assert_int_equal(fixture_faults(backend), 1); // the stage that waits
}

static void a_store_of_format_2_is_read_for_ever(void **state)
{
    copy_golden("lmdb-2", *state);
    expect_all_golden(*state);
}

static void a_store_of_format_1_becomes_one_of_format_2(void **state)
{
    lls_backend *backend = NULL;
    lls_error err = {0};

    copy_golden("lmdb-1", *state);
    assert_code(fixture_try(*state, "1MiB", LLS_READ_ONLY, &backend, &err), LLS_E_UNSUPPORTED, err);
    expect_all_golden(*state);
    expect_all_golden(*state);
    assert_ok(fixture_try(*state, "1MiB", LLS_READ_ONLY, &backend, &err), err);
    lls_backend_close(backend);
}

/* ---- memory ---- */

static lls_err do_all(const char *path, lls_error *err)
{
    LLS_AUTO(lls_backend_ref) backend = NULL;
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    LLS_AUTO(lls_buf) value = {0};
    lls_str colls[] = {COLL};
    lls_stage_spec spec = {fixture_space.tenant, LLS_STR("run"), colls, 1, LLS_STAGE_MERGE};
    lls_kv_item item = {B("staged"), B("x"), golden_meta};

    LLS_TRY(fixture_try(path, "1MiB", LLS_READ_WRITE, &backend, err));
    LLS_TRY(lls_kv_put(backend->kv, fixture_space, B("key"), B("value"), err));
    LLS_TRY(lls_kv_get(backend->kv, fixture_space, B("key"), &value, NULL, err));
    LLS_AUTO(lls_kv_stage_ref) stage = NULL;
    LLS_TRY(lls_stage_open(backend->kv, &spec, &stage, err));
    LLS_TRY(lls_stage_add(stage, COLL, &item, 1, err));
    LLS_TRY(lls_stage_prepare(stage, err));
    LLS_TRY(lls_stage_publish(stage, err));
    LLS_TRY(lls_kv_scan(backend->kv, fixture_space, (lls_kv_range){0}, LLS_KV_ALL, &it, err));
    return lls_kv_iter_next(it, &item, err);
}

static void every_allocation_may_fail(void **state)
{
    lls_error err = {0};
    lls_err e = LLS_E_NOMEM;
    long n = 0;

    for (; e != LLS_OK && n < 1000; n++) {
        lls_alloc_fail_after(n);
        e = do_all(*state, &err);
        lls_alloc_fail_after(-1);
        if (e != LLS_OK)
            assert_code(e, LLS_E_NOMEM, err);
        LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
        assert_ok(lls_stage_discard(backend->kv, fixture_space.tenant, LLS_STR("run"), &err), err);
        assert_int_equal(fixture_faults(backend), 0);
    }
    assert_int_equal(e, LLS_OK);
    assert_true(n > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_has_32_bytes_and_40_with_an_expiry),
        cmocka_unit_test(what_is_encoded_is_decoded),
        cmocka_unit_test(every_changed_bit_is_noticed),
        cmocka_unit_test(another_key_or_length_is_noticed),
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        T(a_damaged_record_is_named_and_the_others_are_read),
        T(a_store_of_format_2_is_read_for_ever),
        T(a_store_of_format_1_becomes_one_of_format_2),
        T(every_allocation_may_fail),
#undef T
    };

    if (getenv("LLS_GOLDEN_WRITE")) {
        write_golden(getenv("LLS_GOLDEN_WRITE"));
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
