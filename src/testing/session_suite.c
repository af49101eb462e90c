#include "testing/component_suite.h"

#include "base/scope.h"

#include <llmspell/session.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static lls_store *store_of(void **state)
{
    const lls_component_fixture *fixture = *state;

    return fixture->store;
}

static lls_err save(lls_store *store, const char *id, const char *json, uint64_t version,
                    int64_t expires_usec, lls_error *err)
{
    lls_session session = {
        .session_id = lls_str_of(id),
        .json = lls_str_of(json),
        .version = version,
        .expires_usec = expires_usec,
    };
    lls_err e = lls_session_save(store, &session, err);

    assert_int_equal(session.version, e == LLS_OK ? version + 1 : version);
    return e;
}

static lls_err load(lls_store *store, const char *id, lls_session *out, lls_error *err)
{
    return lls_session_load(store, lls_str_of(id), out, err);
}

static void assert_gone(lls_store *store, const char *id)
{
    lls_session session = {0};
    lls_error err = {0};

    assert_code(load(store, id, &session, &err), LLS_E_NOTFOUND, err);
}

void session_loads_as_it_was_saved(void **state)
{
    static const char json[] = "{ \"status\":\"active\", \"messages\":[\"Grüß Gott 👋\"] }";
    lls_component_fixture *fixture = *state;
    lls_session session = {0};
    lls_error err = {0};
    int64_t end = fixture->now_usec + 1000;

    assert_ok(save(fixture->store, "s", json, 0, end, &err), err);
    assert_ok(load(fixture->store, "s", &session, &err), err);
    assert_bytes(lls_bytes_of(session.session_id), "s");
    assert_true(lls_str_eq(session.json, lls_str_of(json)));
    assert_int_equal(session.status, LLS_SESSION_ACTIVE);
    assert_int_equal(session.version, 1);
    assert_int_equal(session.created_usec, fixture->now_usec);
    assert_int_equal(session.saved_usec, fixture->now_usec);
    assert_int_equal(session.expires_usec, end);
    lls_session_fini(&session);
    assert_null(session.memory.data);

    // Its end is the one of the last save.
    assert_ok(save(fixture->store, "s", json, 1, 0, &err), err);
    assert_ok(load(fixture->store, "s", &session, &err), err);
    assert_int_equal(session.expires_usec, 0);
    lls_session_fini(&session);
}

static void assert_list(lls_store *store, const lls_session_filter *filter, const char *want)
{
    LLS_AUTO(lls_buf) got = {0};
    lls_session_list *list = NULL;
    lls_session session = {0};
    lls_error err = {0};
    lls_err e = LLS_OK;

    assert_ok(lls_session_list_open(store, filter, &list, &err), err);
    while ((e = lls_session_list_next(list, &session, &err)) == LLS_OK)
        lls_buf_printf(&got, "%s" LLS_FMT, got.len ? " " : "", LLS_ARG(session.session_id));
    assert_code(e, LLS_END, err);
    lls_session_list_close(list);
    assert_string_equal(lls_buf_cstr(&got), want);
}

void session_id_need_not_be_a_uuid(void **state)
{
    static const char *const ids[] = {"018c2b64-7f1e-7c3a-9b51-0d6a52c0f101", "user-123-20250115",
                                      "x:y", "mobile/9d1c", "ü"};
    lls_store *store = store_of(state);
    lls_error err = {0};

    for (size_t i = 0; i < LLS_COUNT(ids); i++) {
        lls_session session = {0};
        assert_ok(save(store, ids[i], "{}", 0, 0, &err), err);
        assert_ok(load(store, ids[i], &session, &err), err);
        assert_true(lls_str_eq(session.session_id, lls_str_of(ids[i])));
        lls_session_fini(&session);
    }
    assert_list(store, NULL,
                "018c2b64-7f1e-7c3a-9b51-0d6a52c0f101 mobile/9d1c user-123-20250115 x:y ü");
    assert_code(save(store, "", "{}", 0, 0, &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "the session id is empty");
}

void session_status_may_stand_in_its_metadata(void **state)
{
    static const struct {
        const char *json;
        lls_session_status status;
    } cases[] = {
        {"{\"status\":\"Active\"}", LLS_SESSION_ACTIVE},
        {"{\"metadata\":{\"status\":\"Suspended\"}}", LLS_SESSION_SUSPENDED},
        {"{\"metadata\":{\"status\":\"failed\"},\"status\":\"completed\"}", LLS_SESSION_COMPLETED},
        {"{\"metadata\":{\"status\":\"archived\"},\"status\":\"odd\"}", LLS_SESSION_ARCHIVED},
        {"{\"metadata\":[\"status\",\"failed\"]}", LLS_SESSION_ANY},
        {"{\"metadata\":{\"x\":{\"status\":\"failed\"}}}", LLS_SESSION_ANY},
        {"{\"metadata\":null}", LLS_SESSION_ANY},
    };
    lls_store *store = store_of(state);
    lls_error err = {0};

    for (size_t i = 0; i < LLS_COUNT(cases); i++) {
        lls_session session = {0};
        assert_ok(save(store, "s", cases[i].json, i, 0, &err), err);
        assert_ok(load(store, "s", &session, &err), err);
        assert_int_equal(session.status, cases[i].status);
        lls_session_fini(&session);
    }
    assert_string_equal(lls_session_status_text(LLS_SESSION_ARCHIVED), "archived");
    assert_null(lls_session_status_text(LLS_SESSION_ANY));
}

void sessions_are_listed_by_status_and_page(void **state)
{
    lls_store *store = store_of(state);
    lls_session_filter filter = {.status = LLS_SESSION_ACTIVE, .limit = 2};
    lls_error err = {0};

    assert_ok(save(store, "a1", "{\"status\":\"active\"}", 0, 0, &err), err);
    assert_ok(save(store, "a2", "{\"metadata\":{\"status\":\"Active\"}}", 0, 0, &err), err);
    assert_ok(save(store, "a3", "{\"status\":\"failed\"}", 0, 0, &err), err);
    assert_ok(save(store, "b1", "{\"status\":\"active\"}", 0, 0, &err), err);
    assert_ok(save(store, "a_1", "{\"status\":\"active\"}", 0, 0, &err), err);
    assert_list(store, &filter, "a1 a2");
    filter.after_id = LLS_STR("a2");
    assert_list(store, &filter, "a_1 b1");
    filter.id_prefix = LLS_STR("a_");
    assert_list(store, &filter, "a_1");
    filter = (lls_session_filter){.id_prefix = LLS_STR("a")};
    assert_list(store, &filter, "a1 a2 a3 a_1");
}

void session_that_expired_is_not_there(void **state)
{
    lls_component_fixture *fixture = *state;
    lls_store *store = fixture->store;
    lls_session session = {0};
    lls_error err = {0};
    int64_t end = fixture->now_usec + 1000;

    assert_ok(save(store, "short", "{}", 0, end, &err), err);
    assert_ok(save(store, "long", "{}", 0, 0, &err), err);
    fixture->now_usec = end - 1;
    assert_ok(load(store, "short", &session, &err), err);
    lls_session_fini(&session);
    assert_list(store, NULL, "long short");

    fixture->now_usec = end; // from this moment on
    assert_gone(store, "short");
    assert_list(store, NULL, "long");
    assert_code(save(store, "short", "{}", 1, 0, &err), LLS_E_CONFLICT, err);
    assert_code(lls_session_touch(store, LLS_STR("short"), 0, &err), LLS_E_NOTFOUND, err);
    assert_code(lls_session_delete(store, LLS_STR("short"), &err), LLS_E_NOTFOUND, err);
}

void session_that_expired_may_be_begun_again(void **state)
{
    lls_component_fixture *fixture = *state;
    lls_session session = {0};
    lls_error err = {0};

    assert_ok(save(fixture->store, "s", "{\"n\":1}", 0, fixture->now_usec + 10, &err), err);
    fixture->now_usec += 10;
    assert_ok(save(fixture->store, "s", "{\"n\":2}", 0, 0, &err), err);
    assert_ok(load(fixture->store, "s", &session, &err), err);
    assert_bytes(lls_bytes_of(session.json), "{\"n\":2}");
    assert_int_equal(session.version, 1);
    assert_int_equal(session.created_usec, fixture->now_usec);
    lls_session_fini(&session);
}

void session_touch_moves_its_end_only(void **state)
{
    lls_component_fixture *fixture = *state;
    lls_session session = {0};
    lls_error err = {0};
    int64_t end = fixture->now_usec + 1000;

    assert_ok(save(fixture->store, "s", " {\"a\" : 1}", 0, end, &err), err);
    assert_ok(lls_session_touch(fixture->store, LLS_STR("s"), end + 1000, &err), err);
    fixture->now_usec = end;
    assert_ok(load(fixture->store, "s", &session, &err), err);
    assert_bytes(lls_bytes_of(session.json), " {\"a\" : 1}");
    assert_int_equal(session.expires_usec, end + 1000);
    assert_int_equal(session.created_usec, end - 1000);
    assert_int_equal(session.version, 2);
    lls_session_fini(&session);

    // A moment that has passed ends it now.
    assert_ok(lls_session_touch(fixture->store, LLS_STR("s"), end, &err), err);
    assert_gone(fixture->store, "s");
    assert_code(lls_session_touch(fixture->store, LLS_STR("other"), 0, &err), LLS_E_NOTFOUND, err);
}

void session_sweep_removes_what_expired(void **state)
{
    lls_component_fixture *fixture = *state;
    lls_error err = {0};
    uint64_t removed = 99;

    // What earlier tests let expire is swept first.
    assert_ok(lls_session_sweep(fixture->store, NULL, &err), err);
    for (int i = 0; i < 10; i++) {
        char id[8];
        (void)snprintf(id, sizeof(id), "s%d", i);
        int64_t end = i % 2 ? fixture->now_usec + 100 + i : 0;
        assert_ok(save(fixture->store, id, "{}", 0, end, &err), err);
    }
    assert_ok(lls_session_sweep(fixture->store, &removed, &err), err);
    assert_int_equal(removed, 0);
    fixture->now_usec += 105;
    assert_ok(lls_session_sweep(fixture->store, &removed, &err), err);
    assert_int_equal(removed, 3);
    assert_ok(lls_session_sweep(fixture->store, &removed, &err), err);
    assert_int_equal(removed, 0);
    assert_list(fixture->store, NULL, "s0 s2 s4 s6 s7 s8 s9");

    // What was swept is gone, not hidden: an earlier time does not bring it back.
    fixture->now_usec -= 105;
    assert_list(fixture->store, NULL, "s0 s2 s4 s6 s7 s8 s9");
}

enum { ROUNDS = 50 };

static void *touch(void *user)
{
    lls_store *store = user;

    for (int i = 0; i < ROUNDS; i++)
        if (lls_session_touch(store, LLS_STR("s"), INT64_C(4102444800000000), NULL) != LLS_OK)
            return store;
    return NULL;
}

static void *count_up(void *user)
{
    lls_store *store = user;
    lls_err e = LLS_OK;

    for (int i = 0; i < ROUNDS && e == LLS_OK; i++) {
        do {
            lls_session session = {0};
            char json[48];
            e = load(store, "s", &session, NULL);
            if (e != LLS_OK)
                break;
            unsigned long n = strtoul(session.json.data + sizeof("{\"n\":") - 1, NULL, 10);
            (void)snprintf(json, sizeof(json), "{\"n\":%lu}", n + 1);
            session.json = lls_str_of(json);
            e = lls_session_save(store, &session, NULL);
            lls_session_fini(&session);
        } while (e == LLS_E_CONFLICT);
    }
    return e == LLS_OK ? NULL : store;
}

void sessions_touched_and_saved_by_two_threads_lose_nothing(void **state)
{
    lls_store *store = store_of(state);
    lls_session session = {0};
    lls_error err = {0};
    pthread_t thread;
    void *failed = NULL;

    assert_ok(save(store, "s", "{\"n\":0}", 0, 0, &err), err);
    assert_int_equal(pthread_create(&thread, NULL, touch, store), 0);
    assert_null(count_up(store));
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
    assert_ok(load(store, "s", &session, &err), err);
    assert_bytes(lls_bytes_of(session.json), "{\"n\":50}");
    assert_int_equal(session.version, 1 + 2 * ROUNDS);
    assert_int_equal(session.expires_usec, INT64_C(4102444800000000));
    lls_session_fini(&session);
}
