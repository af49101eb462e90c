/**
 * golden_test.c - a store of format 1, as it was written once, is read for ever; the writer of
 * today writes the same bytes; one of a newer format is refused, and left alone.
 */
#include "base/hash.h"
#include "testing/clock.h"
#include "testing/hnsw_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { RECORDS = 24 };

/* Records, some of them in both collections; folded, but for the last frames. */
static void write_golden(const char *path)
{
    static const char *const options[][2] = {
        {"m", "8"}, {"ef_construction", "32"}, {"flat_max", "8"}};
    lls_setting settings[LLS_COUNT(options) + 1] = {{"path", path, NULL}};
    lls_test_clock clock = {0};
    lls_backend *backend = NULL;
    lls_error err = {0};

    for (size_t i = 0; i < LLS_COUNT(options); i++)
        settings[i + 1] = (lls_setting){options[i][0], options[i][1], NULL};
    lls_test_clock_init(&clock);
    clock.now_usec = 1700000000000000;
    const lls_backend_params params = {.access = LLS_READ_WRITE, .clock = &clock.base};
    assert_ok(
        lls_backend_open(LLS_STR("hnsw"), settings, LLS_COUNT(settings), &params, &backend, &err),
        err);
    for (unsigned i = 0; i < RECORDS; i++) {
        fixture_record record;
        (void)fixture_make(i, 1, &record);
        assert_ok(lls_vec_put(backend->vec, fixture_space, &record.item, &err), err);
        if (i % 6 == 0)
            assert_ok(lls_vec_put(backend->vec, fixture_others, &record.item, &err), err);
    }
    assert_ok(lls_vec_tend(backend->vec, fixture_space, &err), err);
    fixture_record records[3];
    const lls_vec_write writes[] = {
        {.verb = LLS_VEC_PUT, .item = *fixture_make(2, 2, &records[0])},
        {.verb = LLS_VEC_DELETE, .item = *fixture_make(3, 0, &records[1])},
        {.verb = LLS_VEC_PATCH, .item = *fixture_make(5, 3, &records[2])},
    };
    assert_ok(lls_vec_apply(backend->vec, fixture_space, writes, LLS_COUNT(writes), &err), err);
    assert_ok(lls_kv_clear(backend->vec->records, fixture_others, &err), err);
    lls_backend_close(backend);
}

static void copy_golden(const char *path)
{
    LLS_AUTO(lls_buf) command = {0};

    lls_buf_printf(&command,
                   "rm -rf '%s'; cp -r '%s/tests/golden/hnsw-1' '%s' && chmod -R u+w '%s'", path,
                   LLS_SOURCE_DIR, path, path);
    assert_int_equal(system(lls_buf_cstr(&command)), 0);
}

static void expect_golden(lls_backend *backend)
{
    LLS_AUTO(lls_vec_hits) all = {0};
    LLS_AUTO(lls_vec_hits) none = {0};
    LLS_AUTO(lls_vec_hits) near = {0};
    lls_vec_list list = {.limit = 100, .fields = LLS_VEC_WHOLE};
    fixture_record record;
    lls_error err = {0};
    size_t at = 0;

    assert_ok(lls_vec_list_page(backend->vec, fixture_space, &list, &all, &err), err);
    assert_int_equal(all.count, RECORDS - 1);
    for (unsigned i = 0; i < RECORDS; i++) {
        const lls_vec_item *item = &all.hits[at].item;
        if (i == 3)
            continue;
        if (i == 5)
            assert_int_equal(fixture_salt(item), 3);
        else
            assert_true(fixture_is(item, i, i == 2 ? 2 : 1));
        assert_int_equal(item->meta.version, i == 2 || i == 5 ? 2 : 1);
        assert_int_equal(item->meta.created_usec / 1000000, 1700000000);
        assert_int_equal(item->event_usec, 1000 + i);
        at++;
    }
    assert_ok(lls_vec_list_page(backend->vec, fixture_others, &list, &none, &err), err);
    assert_int_equal(none.count, 0);
    (void)fixture_make(7, 1, &record);
    lls_vec_query query = {
        .model = LLS_STR("model"), .vector = record.vector, .dim = HNSW_FIXTURE_DIM, .k = 1};
    assert_ok(lls_vec_search(backend->vec, fixture_space, &query, &near, &err), err);
    assert_int_equal(near.count, 1);
    assert_true(near.hits[0].distance == 0);
    assert_bytes(near.hits[0].item.id, "r00007");
}

static void a_store_of_format_1_is_read_for_ever(void **state)
{
    copy_golden(*state);
    {
        LLS_AUTO(lls_backend_ref) reader = fixture_read(*state);
        expect_golden(reader);
    }
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    lls_error err = {0};
    assert_ok(fixture_put(backend, 900, 1, &err), err);
    fixture_record record;
    lls_vec_write gone = {.verb = LLS_VEC_DELETE, .item = *fixture_make(900, 0, &record)};
    assert_ok(lls_vec_apply(backend->vec, fixture_space, &gone, 1, &err), err);
    expect_golden(backend);
}

/* All that is truth, byte for byte. An index may come out otherwise where floats are added in
 * another order; it is derived, and is not compared. */
static void the_writer_of_today_writes_the_same_bytes(void **state)
{
    LLS_AUTO(lls_buf) command = {0};
    const char *keep = getenv("LLS_GOLDEN_WRITE");

    write_golden(*state);
    if (keep) { // how tests/golden/hnsw-1 was made
        lls_buf_printf(&command, "rm -f '%s/.lock'; cp -r '%s' '%s'", (char *)*state,
                       (char *)*state, keep);
        assert_int_equal(system(lls_buf_cstr(&command)), 0);
        return;
    }
    lls_buf_printf(&command, "diff -r -x .lock -x 'index-*' '%s/tests/golden/hnsw-1' '%s'",
                   LLS_SOURCE_DIR, (char *)*state);
    assert_int_equal(system(lls_buf_cstr(&command)), 0);
}

/* Write a later format into the version of a file, at `at`. */
static void age(const char *path, const char *name, off_t at, const char *text)
{
    LLS_AUTO(lls_buf) file = {0};

    lls_buf_printf(&file, "%s/tenant/%s", path, name);
    int fd = open(lls_buf_cstr(&file), O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, text, strlen(text), at), strlen(text));
    (void)close(fd);
}

static void expect_newer(const char *path, const char *name)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(path);
    lls_error err = {0};

    assert_code(fixture_put(backend, 1, 1, &err), LLS_E_NEWER, err);
    assert_non_null(strstr(err.msg, name));
    assert_non_null(strstr(err.msg, "version"));
}

static void a_store_of_a_newer_format_is_refused(void **state)
{
    static const char manifest[] = "llmspell vectors 2\nlogs 1 2\nwhatever\n";
    LLS_AUTO(lls_buf) text = {0};

    copy_golden(*state);
    age(*state, "log-2", 8, "\2");
    expect_newer(*state, "log-2");
    copy_golden(*state);
    age(*state, "things/base-1", 8, "\2");
    expect_newer(*state, "base-1");
    copy_golden(*state);
    lls_bytes all = {(const uint8_t *)manifest, sizeof(manifest) - 1};
    lls_buf_printf(&text, "%schecksum %08x\n", manifest, lls_checksum(&all, 1));
    fixture_run("rm %/tenant/MANIFEST; touch %/tenant/MANIFEST", *state);
    age(*state, "MANIFEST", 0, lls_buf_cstr(&text));
    expect_newer(*state, "MANIFEST");
}

/* A newer index is as good as none: it is made again, and costs no answer. */
static void an_index_of_a_newer_format_is_left_aside(void **state)
{
    copy_golden(*state);
    age(*state, "things/index-1", 8, "\2");
    LLS_AUTO(lls_backend_ref) reader = fixture_read(*state);
    expect_golden(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        T(a_store_of_format_1_is_read_for_ever),
        T(the_writer_of_today_writes_the_same_bytes),
        T(a_store_of_a_newer_format_is_refused),
        T(an_index_of_a_newer_format_is_left_aside),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
