/* Behind PgBouncer in transaction mode: each transaction may meet another session. */
#include "ports/vec_record.h"
#include "testing/postgres_fixture.h"

#include <pthread.h>

static lls_private_postgres server;
static char pooled[256];

static int start(void **state)
{
    lls_error err = {0};

    (void)state;
    assert_ok(lls_private_postgres_start(&server, NULL, &err), err);
    assert_ok(lls_private_postgres_bouncer(&server, pooled, &err), err);
    fixture_apply_schema(pooled);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lls_private_postgres_stop(&server);
    return 0;
}

enum { THREADS = 12, ROUNDS = 60 };

typedef struct client {
    lls_backend *backend;
    char tenant[16];
    lls_error err;
} client;

/* Save, read, scan and count as a tenant of one's own; nobody else's rows may show. */
static lls_err live(client *c)
{
    lls_kv_space space = {lls_str_of(c->tenant), LLS_STR("agent_state")};
    LLS_AUTO(lls_buf) got = {0};
    lls_kv_item item;
    uint64_t count;

    for (int i = 1; i <= ROUNDS; i++) {
        LLS_AUTO(lls_kv_iter_ref) it = NULL;
        lls_kv_write write = {.verb = i == 1 ? LLS_KV_CREATE : LLS_KV_REPLACE,
                              .coll = space.coll,
                              .key = B("agent:a:1"),
                              .value = lls_bytes_of(space.tenant),
                              .meta = {.version = (uint64_t)i - 1}};
        LLS_TRY(lls_kv_apply(c->backend->kv, space.tenant, &write, 1, &c->err));
        lls_buf_clear(&got);
        LLS_TRY(lls_kv_get(c->backend->kv, space, write.key, &got, NULL, &c->err));
        if (!lls_bytes_eq(lls_buf_view(&got), write.value))
            return lls_fail(&c->err, LLS_E_MISMATCH, "read another tenant's value");
        LLS_TRY(lls_kv_scan(c->backend->kv, space, (lls_kv_range){0}, LLS_KV_ALL, &it, &c->err));
        LLS_TRY(lls_kv_iter_next(it, &item, &c->err));
        if (item.meta.version != (uint64_t)i)
            return lls_fail(&c->err, LLS_E_MISMATCH, "scanned another version");
        lls_kv_iter_close(it); // an open scan has a session to itself, and there are but four
        it = NULL;
        LLS_TRY(lls_kv_count(c->backend->kv, space, &count, &c->err));
        if (count != 1)
            return lls_fail(&c->err, LLS_E_MISMATCH, "counted %d", (int)count);
    }
    return LLS_OK;
}

static void *live_in_thread(void *user)
{
    return live(user) == LLS_OK ? NULL : user;
}

static void run_clients(lls_backend *backend)
{
    pthread_t threads[THREADS];
    client clients[THREADS] = {0};

    for (int i = 0; i < THREADS; i++) {
        clients[i].backend = backend;
        (void)snprintf(clients[i].tenant, sizeof(clients[i].tenant), "tenant-%d", i);
        assert_int_equal(pthread_create(&threads[i], NULL, live_in_thread, &clients[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        if (failed)
            fail_msg("%s: %s", clients[i].tenant, clients[i].err.msg);
    }
    for (int i = 0; i < THREADS; i++) {
        lls_error err = {0};
        lls_kv_space space = {lls_str_of(clients[i].tenant), LLS_STR("agent_state")};
        assert_ok(lls_kv_clear(backend->kv, space, &err), err);
    }
}

/* Names of prepared statements collide or are missing soon; then nothing is prepared any more. */
static void tenants_stay_apart_when_sessions_are_shared(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(pooled, "pool_size", "12");

    (void)state;
    run_clients(backend);
}

static void unnamed_statements_from_the_start_work_too(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(pooled, "prepared_statements", "false");

    (void)state;
    run_clients(backend);
}

static void nothing_is_left_in_a_session(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        assert_string_equal(fixture_sql(pooled, "SELECT current_user"), "postgres");
        assert_string_equal(
            fixture_sql(pooled, "SELECT coalesce(current_setting('llmspell.current_tenant', true),"
                                " '')"),
            "");
    }
    assert_string_equal(fixture_sql(server.connection,
                                    "SELECT count(*) FROM pg_locks WHERE locktype"
                                    " = 'advisory'"),
                        "0");
}

static void a_stage_is_published_through_it(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(pooled, NULL, NULL);
    lls_kv_space space = {LLS_STR("t"), LLS_STR("sessions")};
    lls_stage_spec spec = {space.tenant, LLS_STR("r"), &space.coll, 1, LLS_STAGE_MERGE};
    lls_kv_item item = {B("session:1"), B("{}"), {3, 1, 2, 0}};
    lls_kv_stage *stage = NULL;
    LLS_AUTO(lls_buf) got = {0};
    lls_kv_meta meta;
    lls_error err = {0};

    (void)state;
    assert_ok(lls_stage_open(backend->kv, &spec, &stage, &err), err);
    assert_ok(lls_stage_add(stage, space.coll, &item, 1, &err), err);
    assert_ok(lls_stage_prepare(stage, &err), err);
    assert_ok(lls_stage_publish(stage, &err), err);
    lls_stage_close(stage);
    assert_ok(lls_kv_get(backend->kv, space, item.key, &got, &meta, &err), err);
    assert_int_equal(meta.version, 3);
}

/* ---- vectors */

enum { VECTORS = 30, DIM = 8 };

/* Vector `i` of a tenant: its own is nearest to it. */
static lls_vec_item vector_item(const char *id, int i, float vector[DIM])
{
    for (int d = 0; d < DIM; d++)
        vector[d] = (float)((i * 7 + d * d * 3) % 31) + (float)(i == d);
    vector[0] = (float)i * 100;
    return (lls_vec_item){.id = lls_bytes_of(lls_str_of(id)),
                          .space = {LLS_STR("m"), DIM, LLS_VEC_L2, false},
                          .vector = vector,
                          .text = lls_str_of(id)};
}

/* Put, patch, search, match and remove as a tenant of one's own. */
static lls_err live_by_vectors(client *c)
{
    lls_kv_space coll = {lls_str_of(c->tenant), LLS_STR("episodic_memory")};
    lls_vec *vec = c->backend->vec;
    float vector[DIM];
    char id[32];

    for (int i = 0; i < VECTORS; i++) {
        LLS_AUTO(lls_vec_hits) near = {0};
        LLS_AUTO(lls_vec_hits) words = {0};
        (void)snprintf(id, sizeof(id), "%s-%d", c->tenant, i);
        lls_vec_item item = vector_item(id, i, vector);
        LLS_TRY(lls_vec_put(vec, coll, &item, &c->err));
        const lls_vec_write patch = {
            LLS_VEC_PATCH, {.id = item.id, .metadata = LLS_STR("{\"a\":1}"), .meta.version = 1}};
        LLS_TRY(lls_vec_apply(vec, coll, &patch, 1, &c->err));
        const lls_vec_query query = {.model = LLS_STR("m"), .vector = vector, .dim = DIM, .k = 99};
        LLS_TRY(lls_vec_search(vec, coll, &query, &near, &c->err));
        if (near.count != (size_t)i + 1 || !lls_bytes_eq(near.hits[0].item.id, item.id))
            return lls_fail(&c->err, LLS_E_MISMATCH, "%zu are near", near.count);
        const lls_vec_words asked = {.words = item.text, .k = 99};
        LLS_TRY(lls_vec_match(vec, coll, &asked, &words, &c->err));
        if (words.count != (size_t)i + 1) // all have the word of the tenant's name
            return lls_fail(&c->err, LLS_E_MISMATCH, "%zu match", words.count);
    }
    LLS_TRY(lls_vec_tend(vec, coll, &c->err));
    return lls_kv_clear(vec->records, coll, &c->err);
}

static void *live_by_vectors_in_thread(void *user)
{
    return live_by_vectors(user) == LLS_OK ? NULL : user;
}

static void vectors_stay_apart_when_sessions_are_shared(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(pooled, "pool_size", "12");
    pthread_t threads[THREADS / 2];
    client clients[THREADS / 2] = {0};

    (void)state;
    for (size_t i = 0; i < LLS_COUNT(clients); i++) {
        clients[i].backend = backend;
        (void)snprintf(clients[i].tenant, sizeof(clients[i].tenant), "tenant-%zu", i);
        assert_int_equal(pthread_create(&threads[i], NULL, live_by_vectors_in_thread, &clients[i]),
                         0);
    }
    for (size_t i = 0; i < LLS_COUNT(clients); i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        if (failed)
            fail_msg("%s: %s", clients[i].tenant, clients[i].err.msg);
    }
}

static void vectors_are_published_through_it(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(pooled, NULL, NULL);
    lls_kv_space coll = {LLS_STR("t"), LLS_STR("episodic_memory")};
    lls_stage_spec spec = {coll.tenant, LLS_STR("v"), &coll.coll, 1, LLS_STAGE_MERGE};
    lls_kv_stage *stage = NULL;
    LLS_AUTO(lls_vec_hits) hits = {0};
    lls_error err = {0};
    float vector[DIM];
    char id[16];

    (void)state;
    assert_ok(lls_stage_open(backend->vec->records, &spec, &stage, &err), err);
    for (int i = 0; i < VECTORS; i++) {
        LLS_AUTO(lls_buf) value = {0};
        (void)snprintf(id, sizeof(id), "%03d", i);
        lls_vec_item item = vector_item(id, i, vector);
        item.scope = LLS_STR("global");
        item.metadata = LLS_STR("{}");
        lls_vec_record_encode(&item, &value);
        const lls_kv_item staged = {item.id, lls_buf_view(&value), {3, 1, 2, 0}};
        assert_ok(lls_stage_add(stage, coll.coll, &staged, 1, &err), err);
    }
    assert_ok(lls_stage_prepare(stage, &err), err);
    assert_ok(lls_stage_publish(stage, &err), err);
    lls_stage_close(stage);
    const lls_vec_query query = {.model = LLS_STR("m"), .vector = vector, .dim = DIM, .k = 99};
    assert_ok(lls_vec_search(backend->vec, coll, &query, &hits, &err), err);
    assert_int_equal(hits.count, VECTORS);
    assert_bytes(hits.hits[0].item.id, "029");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tenants_stay_apart_when_sessions_are_shared),
        cmocka_unit_test(unnamed_statements_from_the_start_work_too),
        cmocka_unit_test(a_stage_is_published_through_it),
        cmocka_unit_test(vectors_stay_apart_when_sessions_are_shared),
        cmocka_unit_test(vectors_are_published_through_it),
        cmocka_unit_test(nothing_is_left_in_a_session),
    };

    fixture_need_server();
    if (system("command -v pgbouncer >/dev/null") != 0)
        return 77;
    return cmocka_run_group_tests_name("postgres behind PgBouncer", tests, start, stop);
}
