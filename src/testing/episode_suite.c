/* What episodic memory promises, on every backend of the vector port. */
#include "base/scope.h"
#include "ports/vec_record.h"
#include "testing/component_suite.h"

#include <llmspell/episodic_memory.h>

#include <math.h>
#include <stdio.h>

enum { DIM = 8 };

static const int64_t second = 1000000;
static const int64_t noon_usec = INT64_C(1735732800000000); // 2025-01-01, 12:00

static void episode_hits_auto(lls_episode_hits *hits)
{
    lls_episode_hits_fini(hits);
}
typedef lls_episode_hits episode_hits;

static lls_store *store_of(void **state)
{
    return ((lls_component_fixture *)*state)->store;
}

/* A unit vector `degrees` from the first axis, in the plane of the first two. */
static void turn(double degrees, float out[DIM])
{
    memset(out, 0, DIM * sizeof(*out));
    out[0] = (float)cos(degrees * 3.14159265358979 / 180);
    out[1] = (float)sin(degrees * 3.14159265358979 / 180);
}

static lls_episode episode(const char *id, const char *session, const char *content,
                           const float *vector, int64_t at)
{
    return (lls_episode){
        .id = lls_str_of(id),
        .session_id = lls_str_of(session),
        .role = LLS_STR("user"),
        .content = lls_str_of(content),
        .embedding = {.values = vector, .dimension = vector ? DIM : 0},
        .happened_usec = at,
    };
}

static void add(lls_store *store, const lls_episode *e)
{
    lls_error err = {0};

    assert_ok(lls_episode_add(store, e, 1, NULL, &err), err);
}

/* The ids of what was found, with a blank behind each. */
static void assert_ids(const lls_episode_hits *hits, const char *want)
{
    LLS_AUTO(lls_buf) ids = {0};

    for (size_t i = 0; i < hits->count; i++)
        lls_buf_printf(&ids, LLS_FMT " ", LLS_ARG(hits->hits[i].episode.id));
    assert_string_equal(lls_buf_cstr(&ids), want);
}

static void assert_search(lls_store *store, lls_episode_query query, const char *want)
{
    LLS_AUTO(episode_hits) hits = {0};
    lls_error err = {0};

    query.abi = LLS_ABI;
    assert_ok(lls_episode_search(store, &query, &hits, &err), err);
    assert_ids(&hits, want);
}

static void assert_list(lls_store *store, lls_episode_page page, const char *want)
{
    LLS_AUTO(episode_hits) hits = {0};
    lls_error err = {0};

    page.abi = LLS_ABI;
    assert_ok(lls_episode_list(store, &page, &hits, &err), err);
    assert_ids(&hits, want);
}

void episode_comes_back_as_it_was_added(void **state)
{
    lls_store *store = store_of(state);
    LLS_AUTO(episode_hits) hits = {0};
    float vector[DIM];
    lls_error err = {0};

    turn(30, vector);
    lls_episode e = episode("e/1", "s", "Grüße, \"world\"\n", vector, noon_usec + 1);
    e.metadata = LLS_STR("{ \"b\":1, \"a\":[1.0] }");
    e.processed = true;
    e.embedding.model = LLS_STR("tiny");
    e.embedding.normalised = true;
    e.expires_usec = noon_usec + 3600 * second;
    add(store, &e);

    assert_ok(lls_episode_get(store, e.id, LLS_EPISODE_ALL, &hits, &err), err);
    assert_int_equal(hits.count, 1);
    const lls_episode *got = &hits.hits[0].episode;
    assert_true(lls_str_eq(got->id, e.id) && lls_str_eq(got->session_id, e.session_id));
    assert_true(lls_str_eq(got->role, e.role) && lls_str_eq(got->content, e.content));
    assert_true(lls_str_eq(got->metadata, e.metadata));
    assert_true(lls_str_eq(got->embedding.model, e.embedding.model));
    assert_true(got->embedding.normalised && got->embedding.metric == LLS_VEC_COSINE);
    assert_int_equal(got->embedding.dimension, DIM);
    assert_memory_equal(got->embedding.values, vector, sizeof(vector));
    assert_true(got->processed && got->version == 1);
    assert_true(got->happened_usec == e.happened_usec && got->expires_usec == e.expires_usec);
    assert_true(got->stored_usec == ((lls_component_fixture *)*state)->now_usec);
}

void episodes_without_an_id_are_given_one(void **state)
{
    lls_store *store = store_of(state);
    LLS_AUTO(episode_hits) hits = {0};
    char ids[2][LLS_EPISODE_ID_TEXT];
    lls_episode two[] = {episode("", "s", "a", NULL, 0), episode("named", "s", "b", NULL, 0)};
    lls_error err = {0};

    assert_code(lls_episode_add(store, two, 2, NULL, &err), LLS_E_INVALID, err);
    assert_ok(lls_episode_add(store, two, 2, ids, &err), err);
    assert_int_equal(strlen(ids[0]), LLS_EPISODE_ID_TEXT - 1);
    assert_string_equal(ids[1], "");
    assert_ok(lls_episode_get(store, lls_str_of(ids[0]), LLS_EPISODE_CONTENT, &hits, &err), err);
    assert_bytes(lls_bytes_of(hits.hits[0].episode.content), "a");
    assert_true(hits.hits[0].episode.happened_usec == hits.hits[0].episode.stored_usec);
}

void episodes_are_added_all_or_none(void **state)
{
    lls_store *store = store_of(state);
    float vector[DIM] = {NAN};
    lls_episode two[] = {episode("a", "s", "a", NULL, 0), episode("b", "s", "b", vector, 0)};
    lls_error err = {0};
    uint64_t count = 9;

    assert_code(lls_episode_add(store, two, 2, NULL, &err), LLS_E_INVALID, err);
    assert_non_null(strstr(err.msg, "'b'"));
    lls_episode_filter all = {0};
    assert_ok(lls_episode_count(store, &all, &count, &err), err);
    assert_int_equal(count, 0);
}

/* Three sessions, told in no order. */
static void tell(lls_store *store)
{
    static const struct {
        const char *id, *session, *content;
        double degrees;
        int minute;
    } turns[] = {
        {"a2", "a", "the cat sat on the mat", 20, 2},
        {"b1", "b", "dogs chase the cat", 40, 3},
        {"a1", "a", "good morning", 0, 1},
        {"c1", "c", "a storm, a storm at sea", 90, 4},
        {"a3", "a", "the storm is over", 60, 5},
        {"b2", "b", "nothing of note", 120, 6},
    };

    for (size_t i = 0; i < LLS_COUNT(turns); i++) {
        float vector[DIM];
        turn(turns[i].degrees, vector);
        lls_episode e = episode(turns[i].id, turns[i].session, turns[i].content, vector,
                                noon_usec + turns[i].minute * 60 * second);
        add(store, &e);
    }
}

void session_history_is_in_the_order_of_time(void **state)
{
    lls_store *store = store_of(state);

    tell(store);
    lls_episode_page page = {.filter = {.session_id = LLS_STR("a")}};
    assert_list(store, page, "a1 a2 a3 ");
    page.newest_first = true;
    page.limit = 2;
    assert_list(store, page, "a3 a2 ");
    page.after_id = LLS_STR("a2");
    page.after_happened_usec = noon_usec + 2 * 60 * second;
    assert_list(store, page, "a1 ");
    page = (lls_episode_page){.filter = {.session_id = LLS_STR("nobody's")}};
    assert_list(store, page, "");
}

void episodes_are_found_by_meaning(void **state)
{
    lls_store *store = store_of(state);
    LLS_AUTO(episode_hits) hits = {0};
    float vector[DIM];
    lls_error err = {0};

    tell(store);
    turn(25, vector);
    lls_episode_query query = {
        .abi = LLS_ABI, .embedding = {.values = vector, .dimension = DIM}, .limit = 3};
    assert_search(store, query, "a2 b1 a1 ");
    query.has_within = true;
    query.within = 0.01F;
    assert_search(store, query, "a2 ");
    query.has_within = false;
    query.parts = LLS_EPISODE_CONTENT;
    assert_ok(lls_episode_search(store, &query, &hits, &err), err);
    assert_bytes(lls_bytes_of(hits.hits[0].episode.content), "the cat sat on the mat");
    assert_true(fabs((double)hits.hits[0].distance - (1 - cos(5 * 3.14159265358979 / 180))) < 1e-4);
    assert_true(hits.hits[0].score > hits.hits[1].score);
    query.embedding.model = LLS_STR("another");
    assert_search(store, query, "");
}

void episodes_are_found_by_words(void **state)
{
    lls_store *store = store_of(state);

    tell(store);
    assert_search(store, (lls_episode_query){.words = LLS_STR("STORM")}, "c1 a3 ");
    assert_search(store, (lls_episode_query){.words = LLS_STR("cat dogs")}, "b1 a2 ");
    assert_search(store, (lls_episode_query){.words = LLS_STR("unheard of words")}, "b2 ");
    assert_search(store, (lls_episode_query){.words = LLS_STR("!?")}, "");
}

void episodes_are_found_by_both(void **state)
{
    lls_store *store = store_of(state);
    float vector[DIM];

    tell(store);
    turn(50, vector);
    lls_episode_query query = {
        .embedding = {.values = vector, .dimension = DIM}, .words = LLS_STR("storm"), .limit = 2};
    assert_search(store, query, "a3 c1 ");
}

void episode_filters_hold_together(void **state)
{
    lls_store *store = store_of(state);
    float vector[DIM];
    lls_str values[] = {LLS_STR("\"red\""), LLS_STR("\"blue\"")};
    lls_filter_term term = {
        .op = LLS_FILTER_IN, .path = LLS_STR("colour"), .values = values, .value_count = 2};

    tell(store);
    turn(10, vector);
    lls_episode e = episode("x1", "x", "red", vector, noon_usec);
    e.metadata = LLS_STR("{\"colour\":\"red\",\"deep\":{\"n\":3}}");
    add(store, &e);
    e = episode("x2", "x", "green", vector, noon_usec + second);
    e.metadata = LLS_STR("{\"colour\":\"green\",\"deep\":{\"n\":4}}");
    e.role = LLS_STR("assistant");
    add(store, &e);

    lls_episode_query query = {.embedding = {.values = vector, .dimension = DIM},
                               .filter = {.terms = &term, .term_count = 1}};
    assert_search(store, query, "x1 ");
    term = (lls_filter_term){
        .op = LLS_FILTER_RANGE, .path = LLS_STR("/deep/n"), .low = LLS_STR("3"), .low_open = true};
    assert_search(store, query, "x2 ");
    query.filter = (lls_episode_filter){.role = LLS_STR("assistant")};
    assert_search(store, query, "x2 ");
    query.filter =
        (lls_episode_filter){.happened = {noon_usec + 60 * second, noon_usec + 3 * 60 * second}};
    assert_search(store, query, "a1 a2 b1 ");
    query.filter.session_id = LLS_STR("b");
    assert_search(store, query, "b1 ");
}

void episodes_are_marked_all_or_none(void **state)
{
    lls_store *store = store_of(state);
    const lls_str some[] = {LLS_STR("a1"), LLS_STR("b1")};
    const lls_str one_missing[] = {LLS_STR("a2"), LLS_STR("gone")};
    LLS_AUTO(episode_hits) hits = {0};
    lls_episode_page pending = {.filter = {.state = LLS_EPISODE_UNPROCESSED}};
    lls_error err = {0};

    tell(store);
    assert_ok(lls_episode_mark(store, some, 2, true, &err), err);
    assert_list(store, pending, "a2 c1 a3 b2 ");
    assert_code(lls_episode_mark(store, one_missing, 2, true, &err), LLS_E_NOTFOUND, err);
    assert_list(store, pending, "a2 c1 a3 b2 ");
    pending.filter.state = LLS_EPISODE_PROCESSED;
    assert_list(store, pending, "a1 b1 ");
    assert_ok(lls_episode_mark(store, some, 1, false, &err), err);
    assert_list(store, pending, "b1 ");
    assert_ok(lls_episode_get(store, some[0], LLS_EPISODE_ALL, &hits, &err), err);
    assert_int_equal(hits.hits[0].episode.version, 3);
    assert_bytes(lls_bytes_of(hits.hits[0].episode.content), "good morning");
}

static void note_session(void *user, lls_str session_id, int64_t last_happened_usec)
{
    lls_buf_printf(user, LLS_FMT "@%d ", LLS_ARG(session_id),
                   (int)((last_happened_usec - noon_usec) / (60 * second)));
}

void pending_sessions_come_by_their_latest_activity(void **state)
{
    lls_store *store = store_of(state);
    LLS_AUTO(lls_buf) sessions = {0};
    const lls_str done[] = {LLS_STR("c1"), LLS_STR("a3")};
    lls_error err = {0};

    tell(store);
    assert_ok(lls_episode_mark(store, done, 2, true, &err), err);
    assert_ok(lls_episode_pending(store, note_session, &sessions, &err), err);
    assert_string_equal(lls_buf_cstr(&sessions), "b@6 a@5 ");
}

void old_episodes_and_sessions_are_removed(void **state)
{
    lls_store *store = store_of(state);
    uint64_t removed = 0;
    lls_error err = {0};

    tell(store);
    assert_ok(
        lls_episode_delete_before(store, LLS_STR("a"), noon_usec + 2 * 60 * second, &removed, &err),
        err);
    assert_int_equal(removed, 1);
    assert_ok(
        lls_episode_delete_before(store, (lls_str){0}, noon_usec + 4 * 60 * second, &removed, &err),
        err);
    assert_int_equal(removed, 2);
    assert_list(store, (lls_episode_page){0}, "c1 a3 b2 ");
    assert_ok(lls_episode_delete_session(store, LLS_STR("b"), &removed, &err), err);
    assert_int_equal(removed, 1);
    assert_ok(lls_episode_delete(store, LLS_STR("c1"), &err), err);
    assert_code(lls_episode_delete(store, LLS_STR("c1"), &err), LLS_E_NOTFOUND, err);
    assert_list(store, (lls_episode_page){0}, "a3 ");
}

void episode_that_expired_is_not_there(void **state)
{
    lls_component_fixture *fixture = *state;
    LLS_AUTO(episode_hits) hits = {0};
    float vector[DIM];
    uint64_t removed = 0;
    lls_error err = {0};

    tell(fixture->store);
    turn(0, vector);
    lls_episode e = episode("short", "a", "cat", vector, noon_usec);
    e.expires_usec = fixture->now_usec + 10 * second;
    add(fixture->store, &e);
    lls_episode_query near = {.embedding = {.values = vector, .dimension = DIM}, .limit = 1};
    assert_search(fixture->store, near, "a1 ");
    near.limit = 2;
    assert_search(fixture->store, near, "a1 short ");
    fixture->now_usec += 10 * second;
    assert_search(fixture->store, near, "a1 a2 ");
    assert_search(fixture->store, (lls_episode_query){.words = LLS_STR("cat")}, "b1 a2 ");
    assert_code(lls_episode_get(fixture->store, e.id, 0, &hits, &err), LLS_E_NOTFOUND, err);
    assert_ok(lls_episode_sweep(fixture->store, &removed, &err), err);
    assert_int_equal(removed, 1);
}

void bad_episodes_are_refused(void **state)
{
    lls_store *store = store_of(state);
    float vector[DIM];
    lls_error err = {0};
    lls_episode bad[5];

    turn(0, vector);
    for (size_t i = 0; i < LLS_COUNT(bad); i++)
        bad[i] = episode("bad", "s", "x", vector, 0);
    bad[0].session_id = LLS_STR("");
    bad[1].role = LLS_STR("");
    bad[2].role = LLS_STR("a\"b");
    bad[3].metadata = LLS_STR("[1]");
    bad[4].content = LLS_STR("\xff");
    for (size_t i = 0; i < LLS_COUNT(bad); i++)
        assert_code(lls_episode_add(store, &bad[i], 1, NULL, &err), LLS_E_INVALID, err);

    lls_episode good = episode("good", "s", "x", vector, 0);
    add(store, &good);
    good.id = LLS_STR("disagrees");
    good.embedding.metric = LLS_VEC_L2;
    assert_code(lls_episode_add(store, &good, 1, NULL, &err), LLS_E_MISMATCH, err);
    lls_episode_query nothing = {.abi = LLS_ABI};
    lls_episode_hits hits;
    assert_code(lls_episode_search(store, &nothing, &hits, &err), LLS_E_INVALID, err);
}

void records_of_other_programs_are_read(void **state)
{
    lls_store *store = store_of(state);
    LLS_AUTO(lls_buf) value = {0};
    LLS_AUTO(episode_hits) hits = {0};
    lls_error err = {0};

    lls_vec_record_encode(&(lls_vec_item){.text = LLS_STR("bare"), .event_usec = 5}, &value);
    lls_record record = {
        .component = LLS_STR("episodic_memory"), .key = B("bare"), .value = lls_buf_view(&value)};
    assert_ok(lls_store_put(store, &record, LLS_PUT_ANY, &err), err);
    assert_ok(lls_episode_get(store, LLS_STR("bare"), LLS_EPISODE_ALL, &hits, &err), err);
    assert_int_equal(hits.hits[0].episode.role.len, 0);
    assert_int_equal(hits.hits[0].episode.session_id.len, 0);
    assert_bytes(lls_bytes_of(hits.hits[0].episode.content), "bare");
}
