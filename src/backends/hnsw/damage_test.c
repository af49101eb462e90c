/**
 * damage_test.c - each file of a store cut off at every byte, and a bit turned in every byte: what
 * is read is what was acknowledged up to there, or an error that names the file. Never anything
 * else. Normally some bytes are taken, others each time; all of them if LLS_TORTURE_ROUNDS is set.
 */
#include "testing/hnsw_fixture.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>

enum { RECORDS = 45, FRAMES = 9, WRITES_IN_FRAME = 2, SAMPLES = 130 };

/* What a store with so many frames in its last log answers, and where they end. */
typedef struct history {
    lls_buf answers[FRAMES + 1];
    uint64_t ends[FRAMES + 1];
} history;

static char log_path[128];

/* ---- what a store answers ---- */

static void add_items(const lls_vec_hits *hits, lls_buf *out)
{
    for (size_t i = 0; i < hits->count; i++) {
        const lls_vec_item *item = &hits->hits[i].item;
        lls_buf_printf(out, LLS_FMT " " LLS_FMT " " LLS_FMT " %llu %g", (int)item->id.len,
                       (const char *)item->id.data, LLS_ARG(item->text), LLS_ARG(item->metadata),
                       (unsigned long long)item->meta.version, (double)hits->hits[i].distance);
        for (unsigned at = 0; item->vector && at < item->space.dim; at++)
            lls_buf_printf(out, " %a", (double)item->vector[at]);
        lls_buf_printf(out, "\n");
    }
}

static lls_err search(lls_backend *backend, lls_kv_space coll, const char *model, lls_buf *out,
                      lls_error *err)
{
    LLS_AUTO(lls_vec_hits) hits = {0};
    float vector[HNSW_FIXTURE_DIM] = {0.5F, 0.1F, 0.9F};
    lls_vec_query query = {
        .model = lls_str_of(model), .vector = vector, .dim = HNSW_FIXTURE_DIM, .k = 7};

    LLS_TRY(lls_vec_search(backend->vec, coll, &query, &hits, err));
    add_items(&hits, out);
    return LLS_OK;
}

static lls_err ask_coll(lls_backend *backend, lls_kv_space coll, lls_buf *out, lls_error *err)
{
    lls_vec_list list = {.limit = 1000, .fields = LLS_VEC_WHOLE};
    LLS_AUTO(lls_vec_hits) all = {0};

    LLS_TRY(search(backend, coll, "model", out, err));
    LLS_TRY(search(backend, coll, "other", out, err));
    LLS_TRY(lls_vec_list_page(backend->vec, coll, &list, &all, err));
    add_items(&all, out);
    return LLS_OK;
}

static lls_err ask(lls_backend *backend, lls_buf *out, lls_error *err)
{
    // searches first, and they read no vectors back: damage must not be found by luck
    LLS_TRY(ask_coll(backend, fixture_space, out, err));
    LLS_TRY(ask_coll(backend, fixture_others, out, err));
    return lls_buf_status(out, err);
}

static lls_err ask_anew(const char *path, lls_access access, lls_buf *out, lls_error *err)
{
    LLS_AUTO(lls_backend_ref) backend = NULL;

    lls_buf_clear(out);
    LLS_TRY(fixture_try(path, access, &backend, err));
    return ask(backend, out, err);
}

/* ---- making one ---- */

static void apply(lls_backend *backend, lls_kv_space coll, lls_vec_write *writes, size_t count)
{
    lls_error err = {0};

    assert_ok(lls_vec_apply(backend->vec, coll, writes, count, &err), err);
}

/* Frame `n` of the last log: puts, a removal, a patch, a collection of its own, all removed. */
static void write_frame(lls_backend *backend, unsigned n)
{
    fixture_record a;
    fixture_record b;
    lls_vec_write writes[WRITES_IN_FRAME] = {
        {.item = *fixture_make(n * 3 + (n % 3 != 0), n + 10, &a)},
        {.item = *fixture_make(RECORDS + n, n + 10, &b)}};
    lls_error err = {0};

    if (n % 4 == 1)
        writes[0].verb = LLS_VEC_DELETE;
    if (n % 4 == 2)
        writes[0].verb = LLS_VEC_PATCH;
    if (n == 7)
        assert_ok(lls_kv_clear(backend->vec->records, fixture_others, &err), err);
    else
        apply(backend, n % 3 ? fixture_space : fixture_others, writes, WRITES_IN_FRAME);
}

static void find_last(const char *path, const char *pattern, char out[128])
{
    char form[128];
    glob_t found;

    (void)snprintf(form, sizeof(form), "%s/tenant/%s", path, pattern);
    assert_int_equal(glob(form, 0, NULL, &found), 0);
    (void)snprintf(out, 128, "%s", found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
}

static uint64_t size_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return (uint64_t)st.st_size;
}

static void make_store(const char *path, history *h)
{
    lls_backend *backend = fixture_open(path);
    lls_error err = {0};

    for (unsigned i = 0; i < RECORDS; i++) {
        fixture_record record;
        lls_vec_write write = {.item = *fixture_make(i, 1, &record)};
        apply(backend, i % 3 ? fixture_space : fixture_others, &write, 1);
    }
    assert_ok(lls_vec_tend(backend->vec, fixture_space, &err), err);
    find_last(path, "log-*", log_path);
    for (unsigned n = 0; n <= FRAMES; n++) {
        if (n > 0)
            write_frame(backend, n);
        assert_ok(ask(backend, &h->answers[n], &err), err);
        h->ends[n] = size_of(log_path);
    }
    lls_backend_close(backend);
}

/* ---- damaging it ---- */

typedef struct file {
    char path[128];
    uint8_t *bytes;
    size_t len;
} file;

static void put_back(const file *f, size_t len)
{
    int fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, f->bytes, len), len);
    (void)close(fd);
}

static void take_file(const char *path, const char *pattern, file *out)
{
    find_last(path, pattern, out->path);
    out->len = size_of(out->path);
    out->bytes = malloc(out->len);
    int fd = open(out->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, out->bytes, out->len), out->len);
    (void)close(fd);
}

/* Judge what is read of the store with byte `at` of `f` turned, or with `f` cut off there. */
typedef void (*judge_fn)(const history *h, const file *f, size_t at, bool cut, lls_err e,
                         const lls_buf *answer, const lls_error *err);

static void damage(const char *path, const history *h, const char *pattern, judge_fn judge)
{
    LLS_AUTO(lls_buf) answer = {0};
    lls_error err = {0};
    file f;

    take_file(path, pattern, &f);
    size_t step = getenv("LLS_TORTURE_ROUNDS") ? 1 : f.len < 3 * SAMPLES ? 3 : f.len / SAMPLES;
    for (size_t at = (size_t)getpid() % step; at < f.len; at += step) {
        put_back(&f, at);
        lls_err e = ask_anew(path, LLS_READ_ONLY, &answer, &err);
        judge(h, &f, at, true, e, &answer, &err);
        f.bytes[at] ^= (uint8_t)(1 << at % 8);
        put_back(&f, f.len);
        e = ask_anew(path, LLS_READ_ONLY, &answer, &err);
        f.bytes[at] ^= (uint8_t)(1 << at % 8);
        judge(h, &f, at, false, e, &answer, &err);
    }
    put_back(&f, f.len);
    free(f.bytes);
}

static void expect_error(const file *f, size_t at, lls_err e, const lls_error *err)
{
    if (e != LLS_E_CORRUPT && e != LLS_E_NEWER)
        fail_msg("byte %zu of '%s': %s", at, f->path, lls_err_text(e));
    if (!strstr(err->msg, f->path))
        fail_msg("byte %zu of '%s': '%s' does not name it", at, f->path, err->msg);
}

static void expect_answer(const lls_buf *want, const file *f, size_t at, lls_err e,
                          const lls_buf *answer, const lls_error *err)
{
    if (e != LLS_OK)
        fail_msg("byte %zu of '%s': %s", at, f->path, err->msg);
    if (!lls_bytes_eq(lls_buf_view(want), lls_buf_view(answer)))
        fail_msg("byte %zu of '%s': another answer", at, f->path);
}

/* A log gives the frames before the damage, if none is behind it. */
static void judge_log(const history *h, const file *f, size_t at, bool cut, lls_err e,
                      const lls_buf *answer, const lls_error *err)
{
    unsigned whole = 0;
    char place[40];

    if (at < h->ends[0]) {
        expect_error(f, at, e, err);
        return;
    }
    while (whole < FRAMES && h->ends[whole + 1] <= at)
        whole++;
    if (cut || whole == FRAMES - 1) {
        expect_answer(&h->answers[whole], f, at, e, answer, err);
        return;
    }
    expect_error(f, at, e, err);
    (void)snprintf(place, sizeof(place), "at byte %llu", (unsigned long long)h->ends[whole]);
    if (!strstr(err->msg, place))
        fail_msg("byte %zu: '%s' does not say '%s'", at, err->msg, place);
}

static void judge_manifest(const history *h, const file *f, size_t at, bool cut, lls_err e,
                           const lls_buf *answer, const lls_error *err)
{
    (void)h;
    (void)cut;
    (void)answer;
    expect_error(f, at, e, err);
}

/* What nothing depends on may be damaged: the zeros between the sections. */
static void judge_base(const history *h, const file *f, size_t at, bool cut, lls_err e,
                       const lls_buf *answer, const lls_error *err)
{
    if (cut || e != LLS_OK)
        expect_error(f, at, e, err);
    else
        expect_answer(&h->answers[FRAMES], f, at, e, answer, err);
}

static void judge_index(const history *h, const file *f, size_t at, bool cut, lls_err e,
                        const lls_buf *answer, const lls_error *err)
{
    (void)cut;
    expect_answer(&h->answers[FRAMES], f, at, e, answer, err);
}

/* ---- tests ---- */

static history made;

static void free_history(void)
{
    for (unsigned i = 0; i <= FRAMES; i++)
        lls_buf_fini(&made.answers[i]);
}

static int open_group(void **state)
{
    (void)fixture_setup(state);
    make_store(*state, &made);
    return 0;
}

static int close_group(void **state)
{
    free_history();
    return fixture_teardown(state);
}

static void a_log_gives_what_is_whole_or_says_where_it_is_not(void **state)
{
    damage(*state, &made, "log-*", judge_log);
}

static void a_damaged_manifest_is_refused(void **state)
{
    damage(*state, &made, "MANIFEST", judge_manifest);
}

static void a_damaged_base_is_refused_where_it_matters(void **state)
{
    damage(*state, &made, "things/base-*", judge_base);
    damage(*state, &made, "others/base-*", judge_base);
}

static void a_damaged_index_costs_no_answer(void **state)
{
    damage(*state, &made, "things/index-*", judge_index);
    damage(*state, &made, "others/index-*", judge_index);
}

static void an_index_that_is_missing_costs_no_answer(void **state)
{
    LLS_AUTO(lls_buf) answer = {0};
    lls_error err = {0};
    file f;

    take_file(*state, "things/index-*", &f);
    assert_int_equal(unlink(f.path), 0);
    expect_answer(&made.answers[FRAMES], &f, 0, ask_anew(*state, LLS_READ_ONLY, &answer, &err),
                  &answer, &err);
    put_back(&f, f.len);
    free(f.bytes);
}

/* A writer cuts off what was torn, and goes on; nothing of it comes back. */
static void a_writer_goes_on_behind_a_torn_frame(void **state)
{
    LLS_AUTO(lls_buf) answer = {0};
    LLS_AUTO(lls_buf) again = {0};
    char *store = *state;
    lls_error err = {0};
    file f;

    take_file(store, "log-*", &f);
    for (size_t at = (size_t)made.ends[FRAMES - 2]; at < f.len; at += 11) {
        put_back(&f, at);
        lls_backend *backend = fixture_open(store);
        assert_ok(fixture_put(backend, 700, 7, &err), err);
        lls_buf_clear(&answer);
        assert_ok(ask(backend, &answer, &err), err);
        lls_backend_close(backend);
        assert_ok(ask_anew(store, LLS_READ_ONLY, &again, &err), err);
        assert_true(lls_bytes_eq(lls_buf_view(&answer), lls_buf_view(&again)));
    }
    put_back(&f, f.len);
    free(f.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_gives_what_is_whole_or_says_where_it_is_not),
        cmocka_unit_test(a_damaged_manifest_is_refused),
        cmocka_unit_test(a_damaged_base_is_refused_where_it_matters),
        cmocka_unit_test(a_damaged_index_costs_no_answer),
        cmocka_unit_test(an_index_that_is_missing_costs_no_answer),
        cmocka_unit_test(a_writer_goes_on_behind_a_torn_frame),
    };

    return cmocka_run_group_tests(tests, open_group, close_group);
}
