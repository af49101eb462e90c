/* Every migration between two of the backends that this build has, forward and back. */
#include "base/scope.h"
#include "testing/migration.h"
#include "testing/private_postgres.h"

#include <stdlib.h>

enum { RECORDS = 60, OWN = 10, BACKENDS = 4 };

static const lls_str names[BACKENDS] = {
    LLS_STR_INIT("lmdb"),
    LLS_STR_INIT("memory"),
    LLS_STR_INIT("postgres"),
    LLS_STR_INIT("sled"),
};

typedef struct world {
    lls_private_postgres server;
    bool has_server;
} world;

/* A store of its own for each test, empty; NULL when there can be none. */
static lls_backend *open_store(world *w, lls_migration *m, size_t backend, const char *which)
{
    LLS_AUTO(lls_buf) value = {0};
    lls_setting settings[1] = {{"path", NULL, NULL}};
    lls_backend *out = NULL;
    lls_error err = {0};
    size_t count = backend == 1 ? 0 : 1;

    if (!lls_backend_find(names[backend]) || (backend == 2 && !w->has_server))
        return NULL;
    if (backend == 2) {
        settings[0].name = "connection";
        lls_buf_add_text(&value, w->server.connection);
    } else {
        lls_buf_printf(&value, "%s/%s", m->folder, which);
    }
    settings[0].value = lls_buf_cstr(&value);
    lls_err e = lls_backend_open(names[backend], settings, count, NULL, &out, &err);
    if (e == LLS_E_UNSUPPORTED)
        return NULL; // Sled without its engine
    assert_ok(e, err);
    if (out->def->schema)
        assert_ok(out->def->schema->apply(out, NULL, NULL, &err), err);
    for (size_t c = 0; c < LLS_MIGRATION_COLLS; c++) {
        lls_kv_space space = {LLS_STR("acme"), lls_migration_colls[c]};
        assert_ok(lls_kv_clear(out->kv, space, &err), err);
    }
    return out;
}

static void assert_same(lls_sum a, lls_sum b)
{
    assert_int_equal(a.count, b.count);
    assert_true(lls_digest_eq(a.digest, b.digest));
}

static void there_and_back(lls_migration *m, bool merges)
{
    lls_error err = {0};

    lls_migration_fill(m->source->kv, 1, RECORDS);
    if (merges)
        lls_migration_fill(m->target->kv, 2, OWN);
    lls_sum source = lls_migration_sum(m->source->kv);
    lls_sum before = lls_migration_sum(m->target->kv);
    lls_sum both = source;

    both.count += before.count; // the keys of the two seeds are disjoint
    lls_digest_add(&both.digest, before.digest);
    assert_ok(lls_migration_execute(m, &err), err);
    assert_same(lls_migration_sum(m->target->kv), both);
    assert_same(lls_migration_sum(m->source->kv), source);
    assert_int_equal(m->report.components[0].verified, m->report.components[0].source_count);
    assert_ok(lls_migration_rollback(m, &err), err);
    assert_same(lls_migration_sum(m->target->kv), before);
    assert_true(lls_migration_is_clean(m->target->kv));
}

static size_t try_direction(world *w, size_t from, size_t to, bool merges)
{
    lls_migration m;

    lls_migration_init(&m, NULL, NULL);
    LLS_AUTO(lls_backend_ref) source = open_store(w, &m, from, "from");
    LLS_AUTO(lls_backend_ref) target = open_store(w, &m, to, "to");
    m.source = source;
    m.target = target;
    if (source && target)
        there_and_back(&m, merges);
    lls_migration_fini(&m);
    return source && target;
}

static size_t try_all(world *w, bool merges)
{
    size_t count = 0;

    for (size_t from = 0; from < BACKENDS; from++) {
        for (size_t to = 0; to < BACKENDS; to++) {
            if (from == to && from == 2)
                continue; // one server: that would be one store
            count += try_direction(w, from, to, merges);
        }
    }
    return count;
}

static int start(void **state)
{
    static world w;

    w.has_server = lls_backend_find(LLS_STR("postgres")) && lls_private_postgres_is_possible() &&
                   lls_private_postgres_start(&w.server, NULL, NULL) == LLS_OK;
    *state = &w;
    return 0;
}

static int stop(void **state)
{
    world *w = *state;

    if (w->has_server)
        lls_private_postgres_stop(&w->server);
    return 0;
}

static void every_direction_into_an_empty_target(void **state)
{
    print_message("%zu directions\n", try_all(*state, false));
}

static void every_direction_into_a_target_with_records(void **state)
{
    assert_true(try_all(*state, true) > 0);
}

/* The largest value that there is, as a record among others. */
static void the_largest_value_moves_too(void **state)
{
    world *w = *state;
    lls_migration m;
    lls_error err = {0};
    uint8_t *value = calloc(1, LLS_VALUE_MAX);

    assert_non_null(value);
    value[LLS_VALUE_MAX - 1] = 0xff;
    lls_migration_init(&m, NULL, NULL);
    LLS_AUTO(lls_backend_ref) source = open_store(w, &m, 1, "from");
    LLS_AUTO(lls_backend_ref) target = open_store(w, &m, 0, "to");
    if (source && target) {
        lls_kv_space space = {LLS_STR("acme"), lls_migration_colls[0]};
        assert_ok(lls_kv_put(source->kv, space, B("agent:m:large"),
                             (lls_bytes){value, LLS_VALUE_MAX}, &err),
                  err);
        m.source = source;
        m.target = target;
        there_and_back(&m, true);
        // And as part of a backup, whose line is a third longer.
        assert_ok(lls_migration_execute(&m, &err), err);
        assert_ok(lls_migration_execute(&m, &err), err);
        assert_ok(lls_migration_rollback(&m, &err), err);
    }
    lls_migration_fini(&m);
    free(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_direction_into_an_empty_target),
        cmocka_unit_test(every_direction_into_a_target_with_records),
        cmocka_unit_test(the_largest_value_moves_too),
    };

    return cmocka_run_group_tests_name("directions", tests, start, stop);
}
