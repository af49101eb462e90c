/* Vectors through files, and between stores. */
#include <llmspell/transfer.h>

#include "base/file.h"
#include "base/scope.h"
#include "testing/component_suite.h"
#include "testing/transfer.h"

#include <llmspell/episodic_memory.h>

#include <stdio.h>
#include <unistd.h>

#define EPISODES LLS_STR("episodic_memory")

static const lls_transfer_options full = {.abi = LLS_ABI, .full = true};

static int open_store(void **state)
{
    static const char *const flags[] = {"storage.backend=memory"};

    return lls_component_open(flags, LLS_COUNT(flags), state);
}

static lls_store *store_of(void **state)
{
    return ((const lls_component_fixture *)*state)->store;
}

static void add_some(lls_store *store)
{
    lls_error err = {0};

    for (int i = 0; i < 50; i++) {
        char id[16];
        char content[32];
        float vector[5];
        (void)snprintf(id, sizeof(id), "e%02d", i);
        (void)snprintf(content, sizeof(content), "content \"%d\"\n", i);
        for (int k = 0; k < 5; k++)
            vector[k] = (float)(i * 7 + k * 13 + 1) / 3.0F;
        lls_episode e = {.id = lls_str_of(id),
                         .session_id = LLS_STR("s"),
                         .role = LLS_STR("user"),
                         .content = lls_str_of(content),
                         .embedding = {.values = vector, .dimension = i % 10 ? 5 : 0},
                         .metadata = i % 2 ? LLS_STR("{\n}") : LLS_STR("{\"n\": 1.0}"),
                         .happened_usec = 1000 + i,
                         .expires_usec = i == 3 ? INT64_C(4102444800000000) : 0};
        assert_ok(lls_episode_add(store, &e, 1, NULL, &err), err);
    }
}

static void export_all(lls_store *store, lls_buf *out)
{
    lls_error err = {0};
    int fd = lls_temporary_file();

    assert_ok(lls_export(store, EPISODES, fd, &full, NULL, &err), err);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_ok(lls_file_take(fd, 1 << 20, "the export", out, &err), err);
    (void)close(fd);
}

static void episodes_come_out_as_they_went_in(void **state)
{
    lls_store *store = store_of(state);
    LLS_AUTO(lls_buf) before = {0};
    uint64_t records = 0;
    lls_error err = {0};

    add_some(store);
    export_all(store, &before);
    assert_ok(lls_episode_delete_session(store, LLS_STR("s"), &records, &err), err);
    assert_int_equal(records, 50);
    assert_ok(lls_import_text(store, EPISODES, lls_buf_view(&before), NULL, &records, &err), err);
    assert_int_equal(records, 50);
    lls_assert_export(store, EPISODES, &full, lls_buf_view(&before));
}

static void vectors_go_through_an_fbin_file(void **state)
{
    lls_store *store = store_of(state);
    lls_transfer_options fbin = {.abi = LLS_ABI,
                                 .format = LLS_FILE_FBIN,
                                 .id_prefix = LLS_STR("row"),
                                 .metric = LLS_VEC_COSINE};
    int fd = lls_temporary_file();
    uint64_t rows = 0;
    lls_error err = {0};
    lls_episode_hits hits;

    add_some(store);
    assert_ok(lls_export(store, EPISODES, fd, &fbin, &rows, &err), err);
    assert_int_equal(rows, 45);
    assert_int_equal(lseek(fd, 0, SEEK_END), 8 + 45 * 5 * 4);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_ok(lls_import(store, EPISODES, fd, &fbin, &rows, &err), err);
    assert_int_equal(rows, 45);
    assert_ok(lls_episode_get(store, LLS_STR("row0"), LLS_EPISODE_EMBEDDING, &hits, &err), err);
    assert_true(hits.hits[0].episode.embedding.values[0] == 8.0F / 3.0F); // of e01
    lls_episode_hits_fini(&hits);

    // One row less than the head announces, and one byte more.
    assert_int_equal(ftruncate(fd, 8 + 44 * 5 * 4), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_code(lls_import(store, EPISODES, fd, &fbin, &rows, &err), LLS_E_PARSE, err);
    assert_non_null(strstr(err.msg, "row 44"));
    assert_int_equal(ftruncate(fd, 8 + 45 * 5 * 4 + 1), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    err = (lls_error){0};
    assert_true(lls_import(store, EPISODES, fd, &fbin, &rows, &err) != LLS_OK);
    (void)close(fd);
}

static void what_has_no_vectors_has_no_fbin(void **state)
{
    lls_transfer_options fbin = {.abi = LLS_ABI, .format = LLS_FILE_FBIN};
    lls_store *store = store_of(state);
    uint64_t rows = 0;
    lls_error err = {0};
    int ends[2];

    assert_code(lls_import(store, LLS_STR("sessions"), 0, &fbin, &rows, &err), LLS_E_UNSUPPORTED,
                err);
    assert_int_equal(pipe(ends), 0);
    assert_code(lls_export(store, EPISODES, ends[1], &fbin, &rows, &err), LLS_E_UNSUPPORTED, err);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(episodes_come_out_as_they_went_in, lls_episodes_empty),
        cmocka_unit_test_setup(vectors_go_through_an_fbin_file, lls_episodes_empty),
        cmocka_unit_test_setup(what_has_no_vectors_has_no_fbin, lls_episodes_empty),
    };
    return cmocka_run_group_tests(tests, open_store, lls_component_close);
}
