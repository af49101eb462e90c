/* Vectors move as everything else does: every direction that this build has, forward and back. */
#include "base/scope.h"
#include "ports/record.h"
#include "ports/vec_record.h"
#include "testing/migration.h"
#include "testing/private_postgres.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { RECORDS = 300, OWN = 40, DIM = 24, LARGE = 8600 };

static const lls_kv_space coll = {LLS_STR_INIT("acme"), LLS_STR_INIT("episodic_memory")};

typedef struct world {
    lls_private_postgres server;
    bool has_server;
} world;

/* A store for one test, and how it is reached. NULL when there can be none. */
static lls_backend *open_store(world *w, lls_migration *m, const lls_backend_def *def,
                               const char *which)
{
    LLS_AUTO(lls_buf) path = {0};
    lls_setting settings[1] = {{"path", NULL, NULL}};
    lls_backend *out = NULL;
    size_t count = 1;
    lls_error err = {0};

    if (lls_option_find(def->options, LLS_STR("connection"))) {
        if (!w->has_server)
            return NULL;
        settings[0] = (lls_setting){"connection", w->server.connection, NULL};
    } else if (lls_option_find(def->options, LLS_STR("path"))) {
        lls_buf_printf(&path, "%s/%s", m->folder, which);
        settings[0].value = lls_buf_cstr(&path);
    } else {
        count = 0;
    }
    assert_ok(lls_backend_open(lls_str_of(def->name), settings, count, NULL, &out, &err), err);
    if (def->schema)
        assert_ok(def->schema->apply(out, NULL, NULL, &err), err);
    assert_ok(lls_kv_clear(out->vec->records, coll, &err), err);
    return out;
}

/* The `i`th of a family of records, of several spaces and without any. */
static void fill(lls_backend *backend, unsigned seed, size_t count)
{
    lls_error err = {0};

    for (size_t i = 0; i < count; i++) {
        char id[64];
        char text[64];
        float vector[DIM];
        (void)snprintf(id, sizeof(id), "%u/%zu%s", seed, i, i % 7 ? "" : "/\xff\xfe");
        (void)snprintf(text, sizeof(text), "number %zu of %u", i, seed);
        for (size_t k = 0; k < DIM; k++)
            vector[k] = sinf((float)(i * 31 + k * 17 + seed));
        lls_vec_item item = {
            .id = lls_bytes_of(lls_str_of(id)),
            .space = {.model = i % 3 ? LLS_STR("m") : LLS_STR(""),
                      .dim = i % 3 ? DIM : DIM / 2,
                      .metric = i % 3 ? LLS_VEC_COSINE : LLS_VEC_L2},
            .vector = vector,
            .scope = LLS_STR("session:a"),
            .text = lls_str_of(text),
            .metadata = i % 2 ? LLS_STR("{\"a\" : 1}") : LLS_STR("{\"z\":\"\\u0000\"}"),
            .event_usec = 1000000 + (int64_t)i,
            .meta = {.expires_usec = i % 11 ? 0 : INT64_C(4102444800000000)},
        };
        if (i % 5 == 0)
            item.space = (lls_vec_space){0};
        assert_ok(lls_vec_put(backend->vec, coll, &item, &err), err);
    }
}

static lls_sum sum_of(lls_backend *backend)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_kv_item item;
    lls_sum sum = {0};
    lls_error err = {0};
    lls_err e;

    assert_ok(lls_kv_scan(backend->vec->records, coll, (lls_kv_range){0}, LLS_KV_ALL, &it, &err),
              err);
    while ((e = lls_kv_iter_next(it, &item, &err)) == LLS_OK) {
        lls_digest_add(&sum.digest, lls_record_digest(coll.coll, &item));
        sum.count++;
    }
    assert_code(e, LLS_END, err);
    return sum;
}

static void assert_same(lls_sum a, lls_sum b)
{
    assert_int_equal(a.count, b.count);
    assert_true(lls_digest_eq(a.digest, b.digest));
}

/* What was moved is found by nearness, by words and by its id. */
static void assert_found(lls_backend *backend)
{
    LLS_AUTO(lls_vec_hits) one = {0};
    LLS_AUTO(lls_vec_hits) near = {0};
    LLS_AUTO(lls_vec_hits) words = {0};
    lls_error err = {0};

    assert_ok(lls_vec_get(backend->vec, coll, B("1/1"), LLS_VEC_WHOLE, &one, &err), err);
    lls_vec_query query = {
        .model = LLS_STR("m"), .vector = one.hits[0].item.vector, .dim = DIM, .k = 3};
    assert_ok(lls_vec_search(backend->vec, coll, &query, &near, &err), err);
    assert_int_equal(near.count, 3);
    assert_bytes(near.hits[0].item.id, "1/1");
    lls_vec_words asked = {.words = LLS_STR("17"), .k = 5};
    assert_ok(lls_vec_match(backend->vec, coll, &asked, &words, &err), err);
    assert_true(words.count >= 1);
    assert_bytes(words.hits[0].item.id, "1/17");
}

static int stop_now;

static void stop_in_copying(void *user, const lls_event *event)
{
    (void)user;
    if (event->type == LLS_EVENT_PROGRESS)
        stop_now = 1;
}

static void there_and_back(lls_migration *m)
{
    lls_error err = {0};

    fill(m->source, 1, RECORDS);
    fill(m->target, 2, OWN);
    lls_sum source = sum_of(m->source);
    lls_sum before = sum_of(m->target);
    lls_sum both = source;
    both.count += before.count; // the ids of the two seeds are disjoint
    lls_digest_add(&both.digest, before.digest);

    assert_ok(lls_migration_execute(m, &err), err);
    assert_same(sum_of(m->target), both);
    assert_same(sum_of(m->source), source);
    assert_int_equal(m->report.components[0].verified, RECORDS);
    assert_true(m->report.components[0].recall_asked > 0);
    assert_true(m->report.components[0].target_recall > 0.9);
    assert_found(m->target);
    assert_ok(lls_migration_rollback(m, &err), err);
    assert_same(sum_of(m->target), before);

    // Stopped on its way, and gone on with.
    void (*told)(void *, const lls_event *) = m->options.event;
    stop_now = 0;
    m->options.event = stop_in_copying;
    m->options.cancel = &stop_now;
    assert_code(lls_migration_execute(m, &err), LLS_E_CANCELLED, err);
    assert_same(sum_of(m->target), before);
    m->options.event = told;
    m->options.cancel = NULL;
    assert_ok(lls_migration_resume(m, &err), err);
    assert_same(sum_of(m->target), both);
    assert_found(m->target);
}

static bool try_direction(world *w, const lls_backend_def *from, const lls_backend_def *to)
{
    lls_migration m;

    if (from == to && lls_option_find(from->options, LLS_STR("connection")))
        return false; // one server: that would be one store
    lls_migration_init(&m, NULL, NULL);
    m.plan->component_count = 1;
    m.plan->components[0] = (lls_plan_component){"episodic_memory", 0, 50};
    LLS_AUTO(lls_backend_ref) source = open_store(w, &m, from, "from");
    LLS_AUTO(lls_backend_ref) target = open_store(w, &m, to, "to");
    m.source = source;
    m.target = target;
    bool possible = source && target && target->vec->records->ops->stage;
    if (possible)
        there_and_back(&m);
    lls_migration_fini(&m);
    return possible;
}

static void vectors_move_in_every_direction(void **state)
{
    size_t count = 0;

    for (const lls_backend_def *const *from = lls_backends(); *from; from++)
        for (const lls_backend_def *const *to = lls_backends(); *to; to++)
            if (((*from)->ports & (*to)->ports & LLS_HAS(LLS_PORT_VEC)) != 0 &&
                try_direction(*state, *from, *to)) {
                print_message("%s -> %s\n", (*from)->name, (*to)->name);
                count++;
            }
    assert_true(count > 0);
}

/* ---- a target that builds an index ---- */

static unsigned indexed; /* how often we were told */

static void stop_in_indexing(void *user, const lls_event *event)
{
    (void)user;
    if (event->type != LLS_EVENT_PROGRESS || strcmp(event->what, "index") != 0)
        return;
    indexed++;
    assert_in_range(event->done, 1, event->total);
    assert_int_equal(event->total, LARGE);
    stop_now = indexed == 3;
}

/* Enough for a graph, of few dimensions. */
static void fill_large(lls_backend *backend)
{
    static float vectors[LARGE][4];
    static char ids[LARGE][16];
    static lls_vec_write writes[LARGE];
    unsigned random = 1;
    lls_error err = {0};

    for (size_t i = 0; i < LARGE; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "%05zu", i);
        for (size_t k = 0; k < 4; k++)
            vectors[i][k] = (float)(rand_r(&random) % 10000);
        writes[i].verb = LLS_VEC_PUT;
        writes[i].item =
            (lls_vec_item){.id = lls_bytes_of(lls_str_of(ids[i])),
                           .space = {.model = LLS_STR("m"), .dim = 4, .metric = LLS_VEC_L2},
                           .vector = vectors[i]};
    }
    assert_ok(lls_vec_apply(backend->vec, coll, writes, LARGE, &err), err);
}

static void an_index_that_takes_long_is_told_of_and_stops(void **state)
{
    lls_migration m;
    lls_error err = {0};

    lls_migration_init(&m, NULL, NULL);
    m.plan->component_count = 1;
    m.plan->components[0] = (lls_plan_component){"episodic_memory", 0, 1000};
    LLS_AUTO(lls_backend_ref) source = NULL;
    LLS_AUTO(lls_backend_ref) target = NULL;
    m.source = source = open_store(*state, &m, lls_backend_find(LLS_STR("memory")), "from");
    m.target = target = open_store(*state, &m, lls_backend_find(LLS_STR("hnsw")), "to");
    fill_large(source);
    void (*told)(void *, const lls_event *) = m.options.event;
    stop_now = 0;
    m.options.event = stop_in_indexing;
    m.options.cancel = &stop_now;
    assert_code(lls_migration_execute(&m, &err), LLS_E_CANCELLED, err);
    assert_int_equal(indexed, 3);
    assert_int_equal(sum_of(target).count, 0);
    m.options.event = told;
    m.options.cancel = NULL;
    assert_ok(lls_migration_resume(&m, &err), err);
    assert_same(sum_of(target), sum_of(source));
    assert_true(m.report.components[0].target_recall > 0.9);
    lls_migration_fini(&m);
}

static void a_plan_of_two_ports_is_refused(void **state)
{
    (void)state;
    lls_migration m;
    lls_error err = {0};

    lls_migration_init(&m, NULL, NULL);
    m.plan->components[1] = (lls_plan_component){"episodic_memory", 0, 50};
    assert_code(lls_migration_execute(&m, &err), LLS_E_INVALID, err);
    assert_non_null(strstr(err.msg, "make a plan for each"));
    lls_migration_fini(&m);
}

static int start(void **state)
{
    static world w;

    w.has_server = lls_private_postgres_is_possible() &&
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_move_in_every_direction),
        cmocka_unit_test(an_index_that_takes_long_is_told_of_and_stops),
        cmocka_unit_test(a_plan_of_two_ports_is_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
