/* A swap whose target goes away, at every call that would change something there. */
#include "testing/cut.h"

#include "base/alloc.h"
#include "base/scope.h"
#include "store/route.h"
#include "testing/check.h"

#include <stdio.h>

#define SESSIONS LLS_STR("sessions")

enum { RECORDS = 20, CUTS_MAX = 1000 };

static lls_store *open_store(void)
{
    static const char *const nothing[] = {NULL};
    static const char *const flags[] = {"storage.backend=from", "storage.backends.from.type=memory",
                                        "storage.backends.to.type=memory"};
    lls_config_sources sources = {
        .abi = LLS_ABI, .environment = nothing, .flags = flags, .flag_count = LLS_COUNT(flags)};
    lls_config *config = NULL;
    lls_store *store = NULL;
    lls_error err = {0};

    assert_ok(lls_config_load(&sources, &config, &err), err);
    assert_ok(lls_store_open(config, NULL, &store, &err), err);
    lls_config_free(config);
    return store;
}

static void put(lls_store *store, const char *key)
{
    lls_record record = {
        .component = SESSIONS, .key = lls_bytes_of(lls_str_of(key)), .value = B("{}")};
    lls_error err = {0};

    assert_ok(lls_store_put(store, &record, LLS_PUT_ANY, &err), err);
}

static int count(lls_store *store)
{
    lls_store_list *list = NULL;
    lls_record record;
    lls_error err = {0};
    int n = 0;

    assert_ok(lls_store_list_open(store, SESSIONS, (lls_bytes){0}, (lls_bytes){0}, &list, &err),
              err);
    while (lls_store_list_next(list, &record, &err) == LLS_OK)
        n++;
    lls_store_list_close(list);
    return n;
}

static const char *serving(lls_store *store)
{
    LLS_AUTO(lls_served_ref) served = NULL;
    lls_route *route = NULL;
    lls_error err = {0};

    assert_ok(lls_route_find(store, SESSIONS, &route, &err), err);
    assert_ok(lls_route_hold(store, route, &served, &err), err);
    return strcmp(served->name, "to") == 0 ? "to" : "from";
}

/* Swap to a target that is cut at its `at`th change; whether it was cut at all. */
static bool swap_with_cut(lls_store *store, lls_cut_when when, long at)
{
    lls_served *to = NULL;
    lls_cut cut;
    lls_error err = {0};

    assert_ok(lls_served_open(store, "to", &to, &err), err);
    lls_kv *inner = to->backend->kv;
    lls_cut_init(&cut, inner);
    cut.when = when;
    cut.at = at;
    to->backend->kv = &cut.base;
    lls_err e = lls_store_swap(store, SESSIONS, "to", &err);
    bool was_cut = cut.dead;
    cut.at = -1; // what comes now is about the store
    if (was_cut)
        assert_code(e, LLS_E_UNAVAILABLE, err);
    else
        assert_ok(e, err);
    assert_string_equal(serving(store), was_cut ? "from" : "to");
    assert_int_equal(count(store), RECORDS);
    put(store, "session:00"); // who writes goes on
    assert_int_equal(count(store), RECORDS);
    to->backend->kv = inner;
    lls_served_drop(to); // memory: what it holds goes with it
    return was_cut;
}

static void swap_to_a_target_that_goes_away_leaves_the_route_as_it_was(void **state)
{
    char key[32];

    (void)state;
    for (int when = LLS_CUT_BEFORE; when <= LLS_CUT_AFTER; when++) {
        lls_store *store = open_store();
        long at = 0;
        for (int i = 0; i < RECORDS; i++) {
            (void)snprintf(key, sizeof(key), "session:%02d", i);
            put(store, key);
        }
        while (at < CUTS_MAX && swap_with_cut(store, (lls_cut_when)when, at))
            at++;
        assert_in_range(at, 3, CUTS_MAX - 1);
        lls_store_close(store);
    }
}

static void swap_in_memory_survives_every_failed_allocation(void **state)
{
    lls_store *store = open_store();
    lls_error err = {0};
    lls_err e;
    long n = 0;

    (void)state;
    put(store, "session:00");
    do {
        lls_alloc_fail_after(n++);
        e = lls_store_swap(store, SESSIONS, "to", &err);
        lls_alloc_fail_after(-1);
        if (e != LLS_OK)
            assert_code(e, LLS_E_NOMEM, err);
        assert_string_equal(serving(store), e == LLS_OK ? "to" : "from");
        assert_int_equal(count(store), 1);
    } while (e != LLS_OK);
    assert_true(n > 10);
    lls_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swap_to_a_target_that_goes_away_leaves_the_route_as_it_was),
        cmocka_unit_test(swap_in_memory_survives_every_failed_allocation),
    };

    if (!lls_backend_find(LLS_STR("memory")))
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
