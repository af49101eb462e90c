/** stage_test.c - what stages of this backend promise beyond the port's suite. */
#include "backends/lmdb/kv.h"
#include "testing/lmdb_fixture.h"

static lls_kv_stage *open_run(lls_backend *backend, lls_str run, lls_stage_mode mode)
{
    lls_str colls[] = {COLL};
    lls_stage_spec spec = {fixture_space.tenant, run, colls, 1, mode};
    lls_kv_stage *stage = NULL;
    lls_error err = {0};

    assert_ok(lls_stage_open(backend->kv, &spec, &stage, &err), err);
    return stage;
}

static void add_range(lls_kv_stage *stage, unsigned from, unsigned to, size_t size)
{
    static uint8_t value[100000];
    lls_error err = {0};

    for (unsigned i = from; i < to; i++) {
        char key[16];
        fixture_value(i, 9, value, size);
        lls_kv_item item = {.key = fixture_key(i, key), .value = {value, size}};
        item.meta = (lls_kv_meta){.version = 3, .created_usec = 1, .updated_usec = 2};
        assert_ok(lls_stage_add(stage, COLL, &item, 1, &err), err);
    }
}

static lls_err prepare_and_publish(lls_kv_stage *stage, lls_error *err)
{
    LLS_TRY(lls_stage_prepare(stage, err));
    return lls_stage_publish(stage, err);
}

static void take_dead(void *user, const char *name, const char *value)
{
    if (strcmp(name, "dead spaces") == 0)
        *(uint64_t *)user = strtoull(value, NULL, 10);
}

static uint64_t dead_spaces(lls_backend *backend)
{
    uint64_t count = UINT64_MAX;
    lls_error err = {0};

    assert_ok(backend->def->facts(backend, take_dead, &count, &err), err);
    return count;
}

/* Two stages at once: the younger one has the greater number, so the older must insert. */
static void an_older_stage_can_still_be_filled(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    lls_kv_stage *older = open_run(backend, LLS_STR("older"), LLS_STAGE_REPLACE);
    lls_kv_stage *younger = open_run(backend, LLS_STR("younger"), LLS_STAGE_REPLACE);
    lls_error err = {0};

    add_range(older, 0, 10, 100);
    assert_ok(lls_stage_flush(older, &err), err);
    add_range(younger, 0, 20, 100);
    assert_ok(lls_stage_flush(younger, &err), err);
    add_range(older, 10, 30, 100);
    assert_ok(prepare_and_publish(older, &err), err);
    assert_int_equal(fixture_count(backend), 30);
    assert_ok(prepare_and_publish(younger, &err), err);
    assert_int_equal(fixture_count(backend), 20);
    lls_stage_close(older);
    lls_stage_close(younger);
    assert_int_equal(fixture_faults(backend), 0);
    assert_int_equal(dead_spaces(backend), 0);
}

static void of_two_prepared_stages_the_second_conflicts(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    lls_kv_stage *first = open_run(backend, LLS_STR("first"), LLS_STAGE_MERGE);
    lls_kv_stage *second = open_run(backend, LLS_STR("second"), LLS_STAGE_MERGE);
    lls_error err = {0};

    assert_ok(fixture_put(backend, 100, 1, 10, &err), err);
    add_range(first, 0, 10, 100);
    add_range(second, 10, 20, 100);
    assert_ok(lls_stage_prepare(first, &err), err);
    assert_ok(lls_stage_prepare(second, &err), err);
    assert_ok(lls_stage_publish(first, &err), err);
    assert_code(lls_stage_publish(second, &err), LLS_E_CONFLICT, err);
    lls_stage_close(first); // lets go of nothing that the second one watches
    assert_ok(prepare_and_publish(second, &err), err);
    lls_stage_close(second);
    assert_int_equal(fixture_count(backend), 21);
    assert_int_equal(fixture_faults(backend), 0);
}

static void closing_one_stage_leaves_the_other_watching(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    lls_kv_stage *first = open_run(backend, LLS_STR("first"), LLS_STAGE_REPLACE);
    lls_kv_stage *second = open_run(backend, LLS_STR("second"), LLS_STAGE_REPLACE);
    lls_error err = {0};

    assert_ok(fixture_put(backend, 100, 1, 10, &err), err);
    assert_ok(lls_stage_prepare(first, &err), err);
    assert_ok(lls_stage_prepare(second, &err), err);
    lls_stage_close(first);
    assert_ok(fixture_put(backend, 101, 1, 10, &err), err);
    assert_code(lls_stage_publish(second, &err), LLS_E_CONFLICT, err);
    lls_stage_close(second);
    assert_ok(lls_stage_discard(backend->kv, fixture_space.tenant, LLS_STR("first"), &err), err);
    assert_ok(lls_stage_discard(backend->kv, fixture_space.tenant, LLS_STR("second"), &err), err);
    assert_int_equal(fixture_count(backend), 2);
    assert_int_equal(fixture_faults(backend), 0);
}

static void clearing_the_target_is_a_conflict(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    lls_kv_stage *stage = open_run(backend, LLS_STR("run"), LLS_STAGE_MERGE);
    lls_error err = {0};

    assert_ok(fixture_put(backend, 100, 1, 10, &err), err);
    add_range(stage, 0, 10, 100);
    assert_ok(lls_stage_prepare(stage, &err), err);
    assert_ok(lls_kv_clear(backend->kv, fixture_space, &err), err);
    assert_code(lls_stage_publish(stage, &err), LLS_E_CONFLICT, err);
    assert_ok(prepare_and_publish(stage, &err), err);
    lls_stage_close(stage);
    assert_int_equal(fixture_count(backend), 10);
}

/* More than one transaction's worth of survivors and of staged records. */
static void a_large_merge_goes_in_batches(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    lls_kv_stage *stage = open_run(backend, LLS_STR("run"), LLS_STAGE_MERGE);
    lls_error err = {0};

    for (unsigned i = 0; i < 150; i++)
        assert_ok(fixture_put(backend, i * 2, 1, 60000, &err), err);
    add_range(stage, 100, 250, 60000);
    assert_ok(prepare_and_publish(stage, &err), err);
    lls_stage_close(stage);
    assert_int_equal(fixture_count(backend), 50 + 150 + 25);
    for (unsigned i = 0; i < 300; i++)
        if (i >= 100 && i < 250)
            fixture_expect(backend, i, 9, 60000);
        else if (i % 2 == 0)
            fixture_expect(backend, i, 1, 60000);
    assert_int_equal(fixture_faults(backend), 0);
    assert_int_equal(dead_spaces(backend), 0);
}

static void what_waits_in_a_stage_is_told_by_check(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    lls_kv_stage *stage = open_run(backend, LLS_STR("run"), LLS_STAGE_MERGE);
    lls_error err = {0};

    add_range(stage, 0, 10, 100);
    lls_stage_close(stage);
    assert_int_equal(fixture_faults(backend), 1);
    assert_ok(lls_stage_discard(backend->kv, fixture_space.tenant, LLS_STR("run"), &err), err);
    assert_int_equal(fixture_faults(backend), 0);
}

static void what_a_kill_left_dead_is_collected_by_the_next_opening(void **state)
{
    lls_backend *backend = fixture_open(*state);
    lls_error err = {0};

    for (unsigned round = 0; round < 2; round++) {
        lls_kv_stage *stage = open_run(backend, LLS_STR("run"), LLS_STAGE_REPLACE);
        add_range(stage, 0, 5000, 100);
        assert_ok(prepare_and_publish(stage, &err), err);
        LLS_OUTER(backend, lmdb_store, base)->env->broken = round == 1; // as if killed here
        lls_stage_close(stage);
        LLS_OUTER(backend, lmdb_store, base)->env->broken = false;
        assert_int_equal(dead_spaces(backend), round);
    }
    lls_backend_close(backend);
    backend = fixture_open(*state);
    assert_int_equal(dead_spaces(backend), 0);
    assert_int_equal(fixture_count(backend), 5000);
    assert_int_equal(fixture_faults(backend), 0);
    lls_backend_close(backend);
}

static void a_reading_opening_has_no_stages(void **state)
{
    lls_backend *writer = fixture_open(*state);
    LLS_AUTO(lls_backend_ref) backend = NULL;
    lls_str colls[] = {COLL};
    lls_stage_spec spec = {fixture_space.tenant, LLS_STR("run"), colls, 1, LLS_STAGE_MERGE};
    lls_kv_stage *stage = NULL;
    lls_error err = {0};

    lls_backend_close(writer);
    assert_ok(fixture_try(*state, "1MiB", LLS_READ_ONLY, &backend, &err), err);
    assert_code(lls_stage_open(backend->kv, &spec, &stage, &err), LLS_E_DENIED, err);
    assert_code(lls_stage_discard(backend->kv, fixture_space.tenant, LLS_STR("run"), &err),
                LLS_E_DENIED, err);
    assert_code(lls_kv_clear(backend->kv, fixture_space, &err), LLS_E_DENIED, err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        T(an_older_stage_can_still_be_filled),
        T(of_two_prepared_stages_the_second_conflicts),
        T(closing_one_stage_leaves_the_other_watching),
        T(clearing_the_target_is_a_conflict),
        T(a_large_merge_goes_in_batches),
        T(what_waits_in_a_stage_is_told_by_check),
        T(what_a_kill_left_dead_is_collected_by_the_next_opening),
        T(a_reading_opening_has_no_stages),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
