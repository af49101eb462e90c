#include "base/alloc.h"
#include "base/scope.h"
#include "ports/backend.h"
#include "ports/stage.h"
#include "testing/check.h"
#include "testing/kv_suite.h"
#include "testing/stage_suite.h"

static lls_backend *backend;
static const lls_kv_space space = {LLS_STR_INIT("t"), LLS_STR_INIT("c")};

static lls_err open_memory(const char *limit, lls_access access, lls_backend **out, lls_error *err)
{
    lls_setting setting = {.name = "limit", .value = limit};
    lls_backend_params params = {.access = access};

    return lls_backend_open(LLS_STR("memory"), &setting, limit ? 1 : 0, &params, out, err);
}

static int open_group(void **state)
{
    lls_error err = {0};

    assert_ok(open_memory(NULL, LLS_READ_WRITE, &backend, &err), err);
    *state = backend;
    return 0;
}

static int close_group(void **state)
{
    (void)state;
    lls_backend_close(backend);
    return 0;
}

static void limit_is_kept(void **state)
{
    LLS_AUTO(lls_backend_ref) small = NULL;
    lls_error err = {0};

    (void)state;
    assert_ok(open_memory("8B", LLS_READ_WRITE, &small, &err), err);
    assert_ok(lls_kv_put(small->kv, space, B("1234"), B("5678"), &err), err);
    assert_code(lls_kv_put(small->kv, space, B("9"), B(""), &err), LLS_E_FULL, err);
    assert_string_equal(err.msg, "over the limit of 8 bytes");
    assert_ok(lls_kv_put(small->kv, space, B("1234"), B("56"), &err), err);
    assert_ok(lls_kv_put(small->kv, space, B("9"), B(""), &err), err);
}

/* Stage `count` records of ten bytes each, one by one, beginning with `first`. */
static lls_err stage_tens(lls_kv_stage *stage, char first, int count, lls_error *err)
{
    for (int i = 0; i < count; i++) {
        const uint8_t key[] = {(uint8_t)(first + i)};
        const lls_kv_item item = {{key, 1}, B("123456789"), {.version = 1}};
        LLS_TRY(lls_stage_add(stage, space.coll, &item, 1, err));
    }
    return LLS_OK;
}

/* What is staged takes room too, each byte once; publishing takes none. */
static void limit_counts_what_is_staged(void **state)
{
    const lls_stage_spec spec = {space.tenant, LLS_STR("run"), &space.coll, 1, LLS_STAGE_MERGE};
    LLS_AUTO(lls_backend_ref) small = NULL;
    LLS_AUTO(lls_kv_stage_ref) stage = NULL;
    lls_error err = {0};
    uint64_t count = 0;

    (void)state;
    assert_ok(open_memory("100B", LLS_READ_WRITE, &small, &err), err);
    assert_ok(lls_kv_put(small->kv, space, B("a"), B("123456789"), &err), err);
    assert_ok(lls_stage_open(small->kv, &spec, &stage, &err), err);
    assert_ok(stage_tens(stage, 'b', 9, &err), err);
    assert_code(stage_tens(stage, 'k', 1, &err), LLS_E_FULL, err);
    assert_string_equal(err.msg, "over the limit of 100 bytes");
    assert_code(lls_kv_put(small->kv, space, B("z"), B(""), &err), LLS_E_FULL, err);
    assert_ok(lls_stage_prepare(stage, &err), err);
    assert_ok(lls_stage_publish(stage, &err), err);
    assert_ok(lls_kv_count(small->kv, space, &count, &err), err);
    assert_int_equal(count, 10);
    assert_code(stage_tens(stage, 'k', 1, &err), LLS_E_FULL, err);
    assert_ok(lls_kv_clear(small->kv, space, &err), err);
    assert_ok(stage_tens(stage, 'k', 10, &err), err); // room that was given back is there again
    assert_code(lls_kv_put(small->kv, space, B("z"), B(""), &err), LLS_E_FULL, err);
    assert_ok(lls_stage_discard(small->kv, space.tenant, spec.run, &err), err);
    assert_ok(lls_kv_put(small->kv, space, B("z"), B(""), &err), err);
}

/* Publishing one collection leaves another stage alone whose name begins like it. */
static void stage_names_are_whole(void **state)
{
    const lls_str longer = LLS_STR("cc");
    const lls_stage_spec one = {space.tenant, LLS_STR("run"), &space.coll, 1, LLS_STAGE_MERGE};
    const lls_stage_spec two = {space.tenant, LLS_STR("run"), &longer, 1, LLS_STAGE_MERGE};
    const lls_kv_item item = {B("k"), B("v"), {.version = 1}};
    LLS_AUTO(lls_backend_ref) mem = NULL;
    LLS_AUTO(lls_kv_stage_ref) first = NULL;
    LLS_AUTO(lls_kv_stage_ref) second = NULL;
    LLS_AUTO(lls_buf) key = {0};
    lls_error err = {0};
    uint64_t count = 0;

    (void)state;
    assert_ok(open_memory(NULL, LLS_READ_WRITE, &mem, &err), err);
    assert_ok(lls_stage_open(mem->kv, &one, &first, &err), err);
    assert_ok(lls_stage_open(mem->kv, &two, &second, &err), err);
    assert_ok(lls_stage_add(first, space.coll, &item, 1, &err), err);
    assert_ok(lls_stage_add(second, longer, &item, 1, &err), err);
    assert_ok(lls_stage_prepare(first, &err), err);
    assert_ok(lls_stage_publish(first, &err), err);
    assert_ok(lls_stage_last(second, longer, &key, &count, &err), err);
    assert_int_equal(count, 1);
}

static void unknown_option_is_named(void **state)
{
    lls_setting setting = {.name = "limits", .value = "8B", .origin = "here"};
    lls_backend *none = NULL;
    lls_error err = {0};

    (void)state;
    assert_code(lls_backend_open(LLS_STR("memory"), &setting, 1, NULL, &none, &err), LLS_E_INVALID,
                err);
    assert_non_null(strstr(err.msg, "open memory: unknown option 'limits' (here)"));
    assert_null(none);
}

static void reading_changes_nothing(void **state)
{
    LLS_AUTO(lls_backend_ref) reader = NULL;
    lls_error err = {0};

    (void)state;
    assert_ok(open_memory(NULL, LLS_READ_ONLY, &reader, &err), err);
    assert_code(lls_kv_put(reader->kv, space, B("k"), B("v"), &err), LLS_E_DENIED, err);
    assert_code(lls_kv_clear(reader->kv, space, &err), LLS_E_DENIED, err);
}

/* A batch, a scan, and a whole migration into a store that holds something. */
static lls_err live(lls_backend *mem, lls_error *err)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    LLS_AUTO(lls_kv_stage_ref) stage = NULL;
    const lls_stage_spec spec = {space.tenant, LLS_STR("run"), &space.coll, 1, LLS_STAGE_MERGE};
    const lls_kv_write writes[] = {
        {.verb = LLS_KV_PUT, .coll = space.coll, .key = B("a"), .value = B("1")},
        {.verb = LLS_KV_PUT, .coll = space.coll, .key = B("b"), .value = B("2")},
        {.verb = LLS_KV_DELETE, .coll = space.coll, .key = B("a")},
    };
    const lls_kv_item staged[] = {{B("b"), B("3"), {1, 1, 1, 0}}, {B("c"), B("3"), {1, 1, 1, 0}}};

    LLS_TRY(lls_kv_apply(mem->kv, space.tenant, writes, LLS_COUNT(writes), err));
    LLS_TRY(lls_kv_scan(mem->kv, space, (lls_kv_range){0}, LLS_KV_ALL, &it, err));
    LLS_TRY(lls_stage_open(mem->kv, &spec, &stage, err));
    LLS_TRY(lls_stage_add(stage, space.coll, staged, LLS_COUNT(staged), err));
    LLS_TRY(lls_stage_prepare(stage, err));
    return lls_stage_publish(stage, err);
}

/* Let the Nth allocation fail, for every N: no crash, no leak (ASan tells), nothing half-written.
 */
static void survives_every_failed_allocation(void **state)
{
    lls_err e = LLS_E_NOMEM;
    int n = 0;

    (void)state;
    for (; e == LLS_E_NOMEM; n++) {
        LLS_AUTO(lls_backend_ref) mem = NULL;
        lls_error err = {0};
        uint64_t count = 0;
        lls_alloc_fail_after(n);
        e = open_memory(NULL, LLS_READ_WRITE, &mem, &err);
        if (e == LLS_OK)
            e = live(mem, &err);
        lls_alloc_fail_after(-1);
        if (mem) {
            assert_ok(lls_kv_count(mem->kv, space, &count, &err), err);
            assert_int_equal(count, e == LLS_OK ? 2 : count ? 1 : 0);
        }
    }
    assert_int_equal(e, LLS_OK);
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LLS_KV_SUITE,
        LLS_STAGE_SUITE,
        cmocka_unit_test(limit_is_kept),
        cmocka_unit_test(limit_counts_what_is_staged),
        cmocka_unit_test(stage_names_are_whole),
        cmocka_unit_test(unknown_option_is_named),
        cmocka_unit_test(reading_changes_nothing),
        cmocka_unit_test(survives_every_failed_allocation),
    };

    return cmocka_run_group_tests_name("memory", tests, open_group, close_group);
}
