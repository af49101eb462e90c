/*
 * Vectors on their way to a server that goes away in the middle, and away from one: the target is
 * whole or untouched, and the run can be gone on with or rolled back, exactly.
 */
#include "base/scope.h"
#include "ports/record.h"
#include "testing/outage.h"
#include "testing/postgres_fixture.h"

#include <math.h>

enum { RECORDS = 3000, OWN = 20, DIM = 24, OUTAGES = 2, FIRST_USEC = 20000, STEP_USEC = 150000 };

static const lls_kv_space coll = {LLS_STR_INIT("acme"), LLS_STR_INIT("episodic_memory")};

static void fill(lls_backend *backend, char family, size_t count)
{
    static char ids[RECORDS][32];
    static float vectors[RECORDS][DIM];
    static lls_vec_write writes[RECORDS];
    lls_error err = {0};

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "%c/%zu", family, i);
        for (size_t k = 0; k < DIM; k++)
            vectors[i][k] = sinf((float)(i * 31 + k * 17));
        writes[i] = (lls_vec_write){.item = {.id = lls_bytes_of(lls_str_of(ids[i])),
                                             .space = {LLS_STR("m"), DIM, LLS_VEC_COSINE, false},
                                             .vector = vectors[i],
                                             .text = LLS_STR("moved"),
                                             .metadata = LLS_STR("{\"a\" : 1}"),
                                             .event_usec = 1000000 + (int64_t)i}};
    }
    assert_ok(lls_vec_apply(backend->vec, coll, writes, count, &err), err);
}

static lls_digest digest_of(lls_backend *backend)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_digest sum = {0};
    lls_kv_item item;
    lls_error err = {0};
    lls_err e;

    assert_ok(lls_kv_scan(backend->vec->records, coll, (lls_kv_range){0}, LLS_KV_ALL, &it, &err),
              err);
    while ((e = lls_kv_iter_next(it, &item, &err)) == LLS_OK)
        lls_digest_add(&sum, lls_record_digest(coll.coll, &item));
    assert_code(e, LLS_END, err);
    return sum;
}

/* One outage at one moment; then the way out; then exactly what it promises. */
static bool live_through(lls_private_postgres *server, lls_backend *source, lls_backend *target,
                         int i)
{
    outage o = {.server = server, .after_usec = FIRST_USEC + (useconds_t)i * STEP_USEC};
    lls_migration m;
    lls_error err = {0};

    assert_ok(lls_kv_clear(target->vec->records, coll, &err), err);
    fill(target, 't', OWN);
    lls_digest before = digest_of(target);
    lls_digest after = digest_of(source);
    lls_digest_add(&after, before);
    lls_migration_init(&m, NULL, NULL);
    m.plan->component_count = 1;
    m.plan->components[0] = (lls_plan_component){"episodic_memory", 0, 50};
    m.source = source;
    m.target = target;
    lls_err e = outage_execute(&m, &o, &err);
    lls_digest now = digest_of(target);
    assert_true(lls_digest_eq(now, before) || lls_digest_eq(now, after));
    if (e != LLS_OK && !m.run_folder.len) {
        assert_code(e, LLS_E_UNAVAILABLE, err); // gone before the run began
    } else if (i % 2) {
        assert_ok(lls_migration_rollback(&m, &err), err);
        assert_true(lls_digest_eq(digest_of(target), before));
    } else {
        if (e != LLS_OK)
            assert_ok(lls_migration_resume(&m, &err), err);
        assert_true(lls_digest_eq(digest_of(target), after));
        assert_int_equal(lls_migration_phase(&m), LLS_PHASE_DONE);
    }
    lls_migration_fini(&m);
    return e != LLS_OK;
}

static lls_backend *open_hnsw(const char *path)
{
    const lls_setting settings[] = {{"path", path, NULL}};
    lls_backend *backend = NULL;
    lls_error err = {0};

    assert_ok(lls_backend_open(LLS_STR("hnsw"), settings, 1, NULL, &backend, &err), err);
    return backend;
}

static void a_server_that_goes_away_costs_no_vectors(void **state)
{
    LLS_AUTO(lls_backend_ref) file = NULL;
    LLS_AUTO(lls_backend_ref) base = NULL;
    lls_private_postgres server;
    lls_error err = {0};
    char path[160];
    int hits = 0;

    (void)state;
    fixture_start_server(&server, NULL);
    base = fixture_open(server.connection, NULL, NULL);
    (void)snprintf(path, sizeof(path), "%s/vectors", server.dir); // goes with the server
    file = open_hnsw(path);
    fill(file, 's', RECORDS);
    for (int i = 0; i < OUTAGES; i++)
        hits += live_through(&server, file, base, i);
    assert_ok(lls_kv_clear(base->vec->records, coll, &err), err);
    fill(base, 's', RECORDS);
    for (int i = 0; i < OUTAGES; i++)
        hits += live_through(&server, base, file, i);
    lls_backend_close(base);
    base = NULL;
    lls_backend_close(file);
    file = NULL;
    lls_private_postgres_stop(&server);
    print_message("%d of %d runs were hit\n", hits, 2 * OUTAGES);
    assert_true(hits > 0); // else the outages came too late to prove anything
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_goes_away_costs_no_vectors),
    };

    fixture_need_server();
    return cmocka_run_group_tests_name("migrate.vectors_outage", tests, NULL, NULL);
}
