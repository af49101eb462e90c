/** fault_test.c - the reader when memory runs out, and when somebody cuts a file that it reads. */
#include "backends/sled/reader.h"
#include "base/alloc.h"
#include "testing/folder_fixture.h"

#define FIXTURES LLS_SOURCE_DIR "/tests/sled/"

/* Walk through all trees; `*entries` is how many there are. */
static lls_err walk(const sled_db *db, unsigned *entries, lls_error *err)
{
    lls_bytes tree;

    *entries = 0;
    for (size_t i = 0; sled_tree_at(db, i, &tree) == LLS_OK; i++) {
        LLS_AUTO(sled_cursor_ref) cursor = NULL;
        lls_bytes key;
        lls_bytes value;
        lls_err e;
        LLS_TRY(sled_cursor_open(db, tree, (lls_bytes){0}, &cursor, err));
        while ((e = sled_cursor_next(cursor, &key, &value, err)) == LLS_OK) {
            LLS_AUTO(lls_buf) found = {0};
            LLS_TRY(sled_get(db, tree, key, &found, err));
            LLS_TRY(lls_buf_status(&found, err));
            ++*entries;
        }
        if (e != LLS_END)
            return e;
    }
    return LLS_OK;
}

static lls_err open_and_walk(const char *path, unsigned *entries, lls_error *err)
{
    LLS_AUTO(sled_db_ref) db = NULL;

    LLS_TRY(sled_open(path, SLED_TAIL_REFUSE, &db, err));
    return walk(db, entries, err);
}

static void every_allocation_may_fail(void **state)
{
    static const char *const names[] = {"empty", "ten", "ten_reopened", "ten_seg512", "ten_zstd"};

    (void)state;
    for (size_t i = 0; i < LLS_COUNT(names); i++) {
        char path[512];
        unsigned want = 0;
        unsigned got = 0;
        lls_error err = {0};
        lls_err e = LLS_E_NOMEM;
        long n = 0;
        (void)snprintf(path, sizeof(path), FIXTURES "%s", names[i]);
        assert_ok(open_and_walk(path, &want, &err), err);
        for (; e == LLS_E_NOMEM; n++) {
            lls_alloc_fail_after(n);
            e = open_and_walk(path, &got, &err);
            lls_alloc_fail_after(-1);
        }
        assert_ok(e, err);
        assert_int_equal(got, want);
        assert_true(n > 5);
    }
}

static lls_err list_all(lls_backend *backend, lls_str coll, unsigned *count, lls_error *err)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_kv_item item;
    lls_err e;

    LLS_TRY(lls_kv_scan(backend->kv, (lls_kv_space){LLS_STR("default"), coll}, (lls_kv_range){0},
                        LLS_KV_ALL, &it, err));
    while ((e = lls_kv_iter_next(it, &item, err)) == LLS_OK)
        ++*count;
    return e == LLS_END ? LLS_OK : e;
}

static lls_err list_installs(unsigned *count, lls_error *err)
{
    static const char *const colls[] = {"agent_state", "workflow_state", "sessions",
                                        "unrecognised"};
    const lls_setting settings[] = {{"path", FIXTURES "installs", NULL}};
    lls_backend_params params = {.access = LLS_READ_ONLY};
    LLS_AUTO(lls_backend_ref) backend = NULL;

    *count = 0;
    LLS_TRY(lls_backend_open(LLS_STR("sled"), settings, 1, &params, &backend, err));
    for (size_t i = 0; i < LLS_COUNT(colls); i++)
        LLS_TRY(list_all(backend, lls_str_of(colls[i]), count, err));
    return LLS_OK;
}

static void every_allocation_of_what_installs_left_may_fail(void **state)
{
    lls_error err = {0};
    lls_err e = LLS_E_NOMEM;
    unsigned want = 0;
    unsigned got = 0;

    (void)state;
    assert_ok(list_installs(&want, &err), err);
    for (long n = 0; e == LLS_E_NOMEM; n++) {
        lls_alloc_fail_after(n);
        e = list_installs(&got, &err);
        lls_alloc_fail_after(-1);
    }
    assert_ok(e, err);
    assert_int_equal(got, want);
}

static void a_file_that_is_cut_is_an_error(void **state)
{
    LLS_AUTO(lls_buf) text = {0};
    LLS_AUTO(sled_db_ref) db = NULL;
    const char *path = *state;
    lls_error err = {0};
    unsigned entries;

    lls_buf_printf(&text, "cp -r '" FIXTURES "churn_seg8192' '%s'", path);
    assert_int_equal(system(lls_buf_cstr(&text)), 0);
    assert_ok(sled_open(path, SLED_TAIL_REFUSE, &db, &err), err);
    assert_ok(walk(db, &entries, &err), err);
    lls_buf_clear(&text);
    lls_buf_printf(&text, "%s/db", path);
    assert_int_equal(truncate(lls_buf_cstr(&text), 100), 0);
    assert_code(walk(db, &entries, &err), LLS_E_CORRUPT, err);
    assert_non_null(strstr(err.msg, "cut while it was read"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(every_allocation_of_what_installs_left_may_fail),
        cmocka_unit_test_setup_teardown(a_file_that_is_cut_is_an_error, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
