/* Indexes over embeddings: which are chosen, that searches use them, and what they find. */
#include "backends/postgres/vec_search.h"
#include "base/alloc.h"
#include "testing/postgres_fixture.h"

#include <math.h>

enum { RECORDS = 12000, DIM = 32, CLUSTERS = 60, QUERIES = 40, K = 10, WIDE = 2100, FEW = 40 };

static lls_private_postgres server;
static lls_backend *backend;
static const lls_kv_space coll = {LLS_STR_INIT("one"), LLS_STR_INIT("episodes")};

static int start(void **state)
{
    (void)state;
    fixture_start_server(&server, NULL);
    backend = fixture_open(server.connection, NULL, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lls_backend_close(backend);
    lls_private_postgres_stop(&server);
    return 0;
}

static bool has_pgvector(void)
{
    return strcmp(fixture_sql(server.connection, "SELECT count(*) FROM pg_extension"
                                                 " WHERE extname = 'vector'"),
                  "1") == 0;
}

/* The `i`th of a cloud around some points: the same in every run. */
static void vector_of(unsigned i, float *out)
{
    uint32_t dice = i * 2654435761u + 1;

    for (unsigned k = 0; k < DIM; k++) {
        dice = dice * 1664525u + 1013904223u;
        out[k] = sinf((float)((i % CLUSTERS) * 37 + k * 11)) +
                 0.4f * ((float)(dice >> 8) / 16777216.0f - 0.5f);
    }
}

static lls_vec_item item_of(unsigned i, char id[32], char metadata[32], float *vector)
{
    (void)snprintf(id, 32, "%06u", i);
    (void)snprintf(metadata, 32, "{\"n\":%u,\"rare\":%s}", i % 100, i % 200 ? "false" : "true");
    vector_of(i, vector);
    return (lls_vec_item){.id = lls_bytes_of(lls_str_of(id)),
                          .space = {.model = LLS_STR("m"), .dim = DIM, .metric = LLS_VEC_COSINE},
                          .vector = vector,
                          .metadata = lls_str_of(metadata),
                          .event_usec = 1};
}

static void fill(void)
{
    enum { BATCH = 1000 };
    static lls_vec_write writes[BATCH];
    static char ids[BATCH][32];
    static char metadata[BATCH][32];
    static float vectors[BATCH][DIM];
    lls_error err = {0};

    for (unsigned i = 0; i < RECORDS; i += BATCH) {
        for (unsigned j = 0; j < BATCH; j++)
            writes[j] =
                (lls_vec_write){LLS_VEC_PUT, item_of(i + j, ids[j], metadata[j], vectors[j])};
        assert_ok(lls_vec_apply(backend->vec, coll, writes, BATCH, &err), err);
    }
}

static lls_vec_query query_of(unsigned i, float *vector)
{
    vector_of(RECORDS + i, vector);
    return (lls_vec_query){.model = LLS_STR("m"), .vector = vector, .dim = DIM, .k = K};
}

static size_t common(const lls_vec_hits *a, const lls_vec_hits *b)
{
    size_t count = 0;

    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++)
            count += lls_bytes_eq(a->hits[i].item.id, b->hits[j].item.id);
    return count;
}

static void keep_index(void *user, const lls_vec_stats *stats)
{
    if (stats->space.dim == DIM)
        *(lls_vec_stats *)user = *stats;
}

static void a_large_space_gets_an_index_and_is_found_by_it(void **state)
{
    lls_vec_stats stats = {0};
    lls_error err = {0};
    float vector[DIM];
    size_t found = 0;

    (void)state;
    if (!has_pgvector())
        skip();
    fill();
    assert_ok(lls_vec_tend(backend->vec, coll, &err), err);
    assert_ok(lls_vec_stats_of(backend->vec, coll, keep_index, &stats, &err), err);
    assert_string_equal(stats.index, "pgvector hnsw");
    assert_false(stats.exact);
    assert_int_equal(stats.count, RECORDS);
    for (unsigned i = 0; i < QUERIES; i++) {
        LLS_AUTO(lls_vec_hits) near = {0};
        LLS_AUTO(lls_vec_hits) truth = {0};
        lls_vec_query query = query_of(i, vector);

        assert_ok(lls_vec_search(backend->vec, coll, &query, &near, &err), err);
        assert_false(near.exact);
        assert_int_equal(near.count, K);
        query.exact = true;
        assert_ok(lls_vec_search(backend->vec, coll, &query, &truth, &err), err);
        assert_true(truth.exact);
        found += common(&near, &truth);
    }
    assert_true((double)found >= 0.95 * QUERIES * K);
}

/* The index that a search walks, when the application's login runs it. */
static void the_plan_walks_the_index_of_the_space(void **state)
{
    static const char plan_of[] =
        "CREATE FUNCTION public.index_of(query text) RETURNS text LANGUAGE plpgsql AS $$"
        " DECLARE line text; plan text := ''; BEGIN FOR line IN EXECUTE 'EXPLAIN ' || query LOOP"
        " plan := plan || line; END LOOP; RETURN substring(plan FROM 'using ([a-z0-9_]+)'); END $$";
    char sql[1024];

    (void)state;
    if (!has_pgvector())
        skip();
    (void)fixture_sql(server.connection, "CREATE ROLE app LOGIN IN ROLE llmspell_app");
    (void)fixture_sql(server.connection, plan_of);
    (void)snprintf(sql, sizeof(sql),
                   "SELECT set_config('llmspell.current_tenant', 'one', false);"
                   " SELECT public.index_of(format('SELECT r.id FROM"
                   " llmspell.vector_embeddings_%d AS r WHERE r.tenant_id = ''one'' AND"
                   " r.collection = ''episodes'' AND r.space_id = %%s ORDER BY r.embedding"
                   " OPERATOR(public.<=>) array_fill(1, ARRAY[%d])::public.vector LIMIT 26', s.id))"
                   " FROM llmspell.vector_spaces AS s",
                   DIM, DIM);
    const char *index = fixture_sql(fixture_connection(&server, "user=app"), sql);
    assert_memory_equal(index, "vector_embeddings_32_s", 22);
}

static void a_selective_filter_still_finds_k(void **state)
{
    const lls_str yes = LLS_STR("true");
    const lls_filter_term term = {
        .path = LLS_STR("rare"), .op = LLS_FILTER_EQ, .values = &yes, .value_count = 1};
    const lls_filter filter = {.terms = &term, .term_count = 1};
    lls_error err = {0};
    float vector[DIM];

    (void)state;
    if (!has_pgvector())
        skip();
    for (unsigned i = 0; i < FEW; i++) {
        LLS_AUTO(lls_vec_hits) hits = {0};
        lls_vec_query query = query_of(i, vector);

        query.filter = &filter;
        query.k = RECORDS / 200; // as many as there are
        assert_ok(lls_vec_search(backend->vec, coll, &query, &hits, &err), err);
        assert_int_equal(hits.count, RECORDS / 200);
    }
}

static void another_tenant_finds_nothing(void **state)
{
    const lls_kv_space other = {LLS_STR("two"), coll.coll};
    LLS_AUTO(lls_vec_hits) hits = {0};
    lls_error err = {0};
    float vector[DIM];
    lls_vec_query query = query_of(1, vector);

    (void)state;
    assert_ok(lls_vec_search(backend->vec, other, &query, &hits, &err), err);
    assert_int_equal(hits.count, 0);
    assert_string_equal(fixture_sql(fixture_connection(&server, "user=app"),
                                    "SELECT set_config('llmspell.current_tenant', 'two', false);"
                                    " SELECT count(*) FROM llmspell.vector_embeddings"),
                        "0");
    assert_string_equal(fixture_sql(fixture_connection(&server, "user=app"),
                                    "SELECT count(*) FROM llmspell.vector_terms"),
                        "ERROR 42501");
}

static void an_index_goes_with_its_space(void **state)
{
    lls_error err = {0};

    (void)state;
    if (!has_pgvector())
        skip();
    assert_ok(lls_kv_clear(backend->vec->records, coll, &err), err);
    assert_ok(lls_vec_tend(backend->vec, coll, &err), err);
    assert_string_equal(fixture_sql(server.connection,
                                    "SELECT count(*) FROM pg_class WHERE relname ~"
                                    " '^vector_embeddings_[0-9]+_s[0-9]+$'"),
                        "0");
}

static void the_index_fits_the_server_and_the_space(void **state)
{
    const lls_pg_extensions none = {0};
    const lls_pg_extensions old = {.vector = 400};
    const lls_pg_extensions now = {.vector = 800};
    const lls_pg_extensions chord = {.vector = 800, .vchord = true};
    lls_vec_space space = {.dim = 384, .metric = LLS_VEC_COSINE};
    int64_t lists;

    (void)state;
    assert_null(lls_pg_index_choose(&space, 1000000, none, &lists));
    assert_null(lls_pg_index_choose(&space, 1000000, old, &lists));
    assert_null(lls_pg_index_choose(&space, 100, now, &lists));
    assert_string_equal(lls_pg_index_choose(&space, 1000000, now, &lists), "hnsw");
    assert_string_equal(lls_pg_index_choose(&space, 50000, chord, &lists), "vchordrq");
    assert_int_equal(lists, 0);
    assert_string_equal(lls_pg_index_choose(&space, 1000000, chord, &lists), "vchordrq");
    assert_int_equal(lists, 4000);
    space.dim = WIDE;
    assert_string_equal(lls_pg_index_choose(&space, 1000000, now, &lists), "hnsw halfvec");
    space.dim = 4001;
    assert_null(lls_pg_index_choose(&space, 1000000, now, &lists));
    space.metric = LLS_VEC_L1;
    assert_null(lls_pg_index_choose(&space, 1000000, chord, &lists));
}

/* What is said to an index, to the letter: that of VectorChord is on no server of these tests. */
static void settings_and_order_of_each_kind(void **state)
{
    lls_pg_vec_space space = {.space = {.dim = WIDE, .metric = LLS_VEC_L2},
                              .type = LLS_STR("public.vector"),
                              .schema = LLS_STR("public"),
                              .is_vector = true};
    LLS_AUTO(lls_pg_index_use) halfvec = {0};
    LLS_AUTO(lls_pg_index_use) chord = {0};
    LLS_AUTO(lls_pg_index_use) single = {0};
    lls_error err = {0};

    (void)state;
    space.indexed = LLS_STR("hnsw halfvec");
    assert_ok(lls_pg_index_ask(&space, 800, 26, 0, &halfvec, &err), err);
    assert_string_equal(lls_buf_cstr(&halfvec.settings),
                        "SELECT set_config('hnsw.ef_search', '64', true),"
                        " set_config('hnsw.iterative_scan', 'relaxed_order', true)");
    assert_string_equal(lls_buf_cstr(&halfvec.order),
                        "(r.embedding::public.halfvec(2100)) OPERATOR(public.<->)"
                        " ($3::public.vector::public.halfvec(2100))");
    space.indexed = LLS_STR("vchordrq 4000");
    assert_ok(lls_pg_index_ask(&space, 800, 26, 0, &chord, &err), err);
    assert_string_equal(lls_buf_cstr(&chord.settings),
                        "SELECT set_config('vchordrq.probes', '400', true)");
    assert_string_equal(lls_buf_cstr(&chord.order),
                        "(r.embedding OPERATOR(public.<->) $3::public.vector)");
    space.indexed = LLS_STR("vchordrq 0");
    assert_ok(lls_pg_index_ask(&space, 800, 26, 0, &single, &err), err);
    assert_string_equal(lls_buf_cstr(&single.settings),
                        "SELECT set_config('vchordrq.probes', '', true)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_index_fits_the_server_and_the_space),
        cmocka_unit_test(settings_and_order_of_each_kind),
        cmocka_unit_test(a_large_space_gets_an_index_and_is_found_by_it),
        cmocka_unit_test(the_plan_walks_the_index_of_the_space),
        cmocka_unit_test(a_selective_filter_still_finds_k),
        cmocka_unit_test(another_tenant_finds_nothing),
        cmocka_unit_test(an_index_goes_with_its_space),
    };

    fixture_need_server();
    return cmocka_run_group_tests_name("indexes of vectors", tests, start, stop);
}
