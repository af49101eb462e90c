/**
 * disk_test.c - every change of the store's files made to fail in turn, every allocation too: what
 * was there is there afterwards, the error says what it was about, and the next write works.
 * A stage is whole or not there at all, and goes on from where it was.
 *
 * Normally each change fails in one way, by turns; in every way if LLS_TORTURE_ROUNDS is set.
 */
#include "base/alloc.h"
#include "ports/stage.h"
#include "ports/vec_record.h"
#include "testing/failing_disk.h"
#include "testing/hnsw_fixture.h"
#include "testing/small_disk.h"

enum { SKIP = 77, BEFORE = 60, AFTER = 12 };

/* ---- the work that is disturbed ---- */

/* What the store must hold: for each record a salt, or 0 for no record. */
typedef struct contents {
    unsigned salts[BEFORE + AFTER];
} contents;

/* Write `salt` in place of `i`; what failed leaves what was there. */
static lls_err put(lls_backend *backend, contents *want, unsigned i, unsigned salt, lls_error *err)
{
    LLS_TRY(fixture_put(backend, i, salt, err));
    want->salts[i] = salt;
    return LLS_OK;
}

static lls_err drop(lls_backend *backend, contents *want, unsigned i, lls_error *err)
{
    fixture_record record;
    lls_vec_write gone = {.verb = LLS_VEC_DELETE};

    gone.item.id = fixture_make(i, 0, &record)->id;
    LLS_TRY(lls_vec_apply(backend->vec, fixture_space, &gone, 1, err));
    want->salts[i] = 0;
    return LLS_OK;
}

/* Go on after a failure, as a program would: the first error is what it gives. */
static lls_err work(lls_backend *backend, contents *want, lls_error *first)
{
    lls_err e = LLS_OK;
    lls_error err = {0};

#define STEP(call)                                                                                 \
    do {                                                                                           \
        lls_err got_ = (call);                                                                     \
        if (got_ != LLS_OK && e == LLS_OK) {                                                       \
            e = got_;                                                                              \
            *first = err;                                                                          \
        }                                                                                          \
    } while (0)
    for (unsigned i = 0; i < AFTER / 2; i++)
        STEP(put(backend, want, BEFORE + i, 2, &err));
    STEP(drop(backend, want, 3, &err));
    STEP(put(backend, want, 4, 3, &err));
    STEP(lls_vec_tend(backend->vec, fixture_space, &err));
    for (unsigned i = AFTER / 2; i < AFTER; i++)
        STEP(put(backend, want, BEFORE + i, 2, &err));
#undef STEP
    return e;
}

static void expect(lls_backend *backend, const contents *want, const char *who)
{
    LLS_AUTO(lls_vec_hits) hits = {0};
    lls_vec_list list = {.limit = 1000, .fields = LLS_VEC_WHOLE};
    fixture_record record;
    lls_error err = {0};
    size_t count = 0;

    if (lls_vec_list_page(backend->vec, fixture_space, &list, &hits, &err) != LLS_OK)
        fail_msg("%s: %s; change %ld, kind %d", who, err.msg, fault.at, fault.kind);
    for (unsigned i = 0; i < LLS_COUNT(want->salts); i++) {
        LLS_AUTO(lls_vec_hits) one = {0};
        lls_bytes id = fixture_make(i, 0, &record)->id;
        lls_err e = lls_vec_get(backend->vec, fixture_space, id, LLS_VEC_WHOLE, &one, &err);
        count += want->salts[i] != 0;
        if (want->salts[i] == 0)
            assert_code(e, LLS_E_NOTFOUND, err);
        else if (e != LLS_OK || !fixture_is(&one.hits[0].item, i, want->salts[i]))
            fail_msg("%s: record %u is not what %u made it: %s; change %ld, kind %d", who, i,
                     want->salts[i], e == LLS_OK ? one.hits[0].item.metadata.data : err.msg,
                     fault.at, fault.kind);
    }
    assert_int_equal(hits.count, count);
}

static void fill(lls_backend *backend, contents *want)
{
    fixture_record records[BEFORE];
    lls_vec_write writes[BEFORE];
    lls_error err = {0};

    *want = (contents){{0}};
    for (unsigned i = 0; i < BEFORE; i++) {
        writes[i] = (lls_vec_write){.item = *fixture_make(i, 1, &records[i])};
        want->salts[i] = 1;
    }
    assert_ok(lls_vec_apply(backend->vec, fixture_space, writes, BEFORE, &err), err);
}

static void expect_anew(const char *path, const contents *want, const char *who)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(path);
    lls_error err = {0};

    expect(backend, want, who);
    assert_ok(fixture_put(backend, 2, want->salts[2], &err), err);
    expect(backend, want, who);
}

/* Do the work with change `at` failing. False: there are no more. */
static bool strike(const char *path, fault_kind kind, bool for_ever, long at)
{
    contents want;
    lls_error err = {0};

    fixture_run("rm -rf %", path);
    lls_backend *backend = fixture_open(path);
    fill(backend, &want);
    LLS_AUTO(lls_backend_ref) reader = fixture_read(path);
    expect(reader, &want, "the reader before");
    arm(path, "/.lock", kind, for_ever, at);
    lls_err e = work(backend, &want, &err);
    bool struck = disarm();
    if (e != LLS_OK) {
        assert_true(struck);
        assert_true(e == LLS_E_IO || e == LLS_E_FULL);
        assert_non_null(strstr(err.msg, path));
    }
    expect(backend, &want, "the writer");
    expect(reader, &want, "the reader");
    assert_ok(put(backend, &want, 1, 9, &err), err); // the disk is in order again
    assert_ok(lls_vec_tend(backend->vec, fixture_space, &err), err);
    assert_ok(put(backend, &want, 2, 9, &err), err);
    expect(reader, &want, "the reader afterwards");
    lls_backend_close(backend);
    expect_anew(path, &want, "the next writer");
    return struck;
}

static bool is_torture(void)
{
    return getenv("LLS_TORTURE_ROUNDS") != NULL;
}

static void each_change_in_turn(const char *path, bool for_ever)
{
    int turns = is_torture() ? FAULT_KINDS : 1;

    for (int turn = 0; turn < turns; turn++) {
        long at = 0;
        while (strike(path, (fault_kind)((at + turn) % FAULT_KINDS), for_ever, at))
            at++;
        assert_true(at >= 100); // it struck what it was meant for
    }
}

static void every_change_may_fail_once(void **state)
{
    each_change_in_turn(*state, false);
}

static void the_disk_may_fail_for_good_at_every_change(void **state)
{
    each_change_in_turn(*state, true);
}

/* ---- a stage ---- */

/* What is staged: some of it is new, some takes the place of what was there. */
enum { STAGED_FROM = BEFORE / 2, STAGED_SALT = 5 };

static lls_err fill_stage(lls_kv_stage *stage, lls_error *err)
{
    LLS_AUTO(lls_buf) last = {0};
    fixture_record record;
    uint64_t count = 0;

    LLS_TRY(lls_stage_last(stage, fixture_space.coll, &last, &count, err));
    for (unsigned i = STAGED_FROM + (unsigned)count; i < BEFORE + AFTER; i++) {
        LLS_AUTO(lls_buf) value = {0};
        lls_vec_item item = *fixture_make(i, STAGED_SALT, &record);
        item.scope = LLS_STR("global"); // the canonical value has every field
        lls_vec_record_encode(&item, &value);
        LLS_TRY(lls_buf_status(&value, err));
        const lls_kv_item staged = {item.id, lls_buf_view(&value), {1, 1, 1, 0}};
        LLS_TRY(lls_stage_add(stage, fixture_space.coll, &staged, 1, err));
        if (i % 20 == 0)
            LLS_TRY(lls_stage_flush(stage, err));
    }
    return lls_stage_flush(stage, err);
}

/* The stage of one run, from its opening, or from where it was left, to the end. */
static lls_err migrate(lls_backend *backend, lls_error *err)
{
    const lls_stage_spec spec = {fixture_space.tenant, LLS_STR("run"), &fixture_space.coll, 1,
                                 LLS_STAGE_MERGE};
    LLS_AUTO(lls_kv_stage_ref) stage = NULL;

    LLS_TRY(lls_stage_open(backend->vec->records, &spec, &stage, err));
    LLS_TRY(fill_stage(stage, err));
    LLS_TRY(lls_stage_prepare(stage, err));
    return lls_stage_publish(stage, err);
}

/* What the store must hold: all of what was staged, or nothing of it. */
static void expect_whole(lls_backend *backend, contents *want, const char *who)
{
    LLS_AUTO(lls_vec_hits) first = {0};
    fixture_record record;
    lls_error err = {0};
    lls_bytes id = fixture_make(STAGED_FROM, 0, &record)->id;

    assert_ok(lls_vec_get(backend->vec, fixture_space, id, LLS_VEC_WHOLE, &first, &err), err);
    if (fixture_salt(&first.hits[0].item) == STAGED_SALT)
        for (unsigned i = STAGED_FROM; i < BEFORE + AFTER; i++)
            want->salts[i] = STAGED_SALT;
    expect(backend, want, who);
}

/* A store with records. */
static lls_backend *begin_target(const char *path, contents *want)
{
    fixture_run("rm -rf %", path);
    lls_backend *backend = fixture_open(path);
    fill(backend, want);
    return backend;
}

/* With everything in order again, the run goes on from where it was, in this process or the next.
 */
static void finish_target(const char *path, lls_backend *backend, bool anew, contents *want)
{
    lls_error err = {0};

    if (anew) {
        lls_backend_close(backend);
        backend = fixture_open(path);
        expect_whole(backend, want, "the next owner");
    }
    assert_ok(migrate(backend, &err), err);
    want->salts[STAGED_FROM] = 0; // it is all there now
    expect_whole(backend, want, "the target");
    assert_int_equal(want->salts[STAGED_FROM], STAGED_SALT);
    assert_ok(lls_stage_discard(backend->vec->records, fixture_space.tenant, LLS_STR("run"), &err),
              err);
    assert_ok(put(backend, want, 1, 9, &err), err);
    lls_backend_close(backend);
    expect_anew(path, want, "the next writer");
}

static bool strike_stage(const char *path, fault_kind kind, bool for_ever, long at)
{
    contents want;
    lls_error err = {0};
    lls_backend *backend = begin_target(path, &want);

    arm(path, "/.lock", kind, for_ever, at);
    lls_err e = migrate(backend, &err);
    bool struck = disarm();
    if (e != LLS_OK) {
        assert_true(struck);
        assert_true(e == LLS_E_IO || e == LLS_E_FULL);
        assert_non_null(strstr(err.msg, path));
    }
    expect_whole(backend, &want, "the writer");
    finish_target(path, backend, at / 2 % 2, &want);
    return struck;
}

/* By turns it recovers, and never does. */
static void every_change_of_a_stage_may_fail(void **state)
{
    int turns = is_torture() ? FAULT_KINDS * 2 : 1;

    for (int turn = 0; turn < turns; turn++) {
        long at = 0;
        while (strike_stage(*state, (fault_kind)((at / 2 + turn / 2) % FAULT_KINDS),
                            (at + turn) % 2, at))
            at++;
        assert_true(at >= 30);
    }
}

static void every_allocation_of_a_stage_may_fail(void **state)
{
    contents want;
    lls_error err = {0};
    lls_err e = LLS_E_NOMEM;
    long n = 0;

    for (; e != LLS_OK && n < 20000; n += n < 100 ? 1 : 17) {
        lls_backend *backend = begin_target(*state, &want);
        lls_alloc_fail_after(n);
        e = migrate(backend, &err);
        lls_alloc_fail_after(-1);
        if (e != LLS_OK)
            assert_code(e, LLS_E_NOMEM, err);
        expect_whole(backend, &want, "the writer");
        finish_target(*state, backend, n % 2, &want);
    }
    assert_ok(e, err);
    assert_true(n > 200);
}

/* ---- memory ---- */

static void every_allocation_may_fail(void **state)
{
    contents want;
    lls_error err = {0};
    lls_err e = LLS_E_NOMEM;
    long n = 0;

    for (; e != LLS_OK && n < 20000; n += n < 400 ? 1 : 7) {
        fixture_run("rm -rf %", *state);
        lls_backend *backend = fixture_open(*state);
        fill(backend, &want);
        lls_alloc_fail_after(n);
        e = work(backend, &want, &err);
        lls_alloc_fail_after(-1);
        if (e != LLS_OK)
            assert_code(e, LLS_E_NOMEM, err);
        expect(backend, &want, "the writer");
        assert_ok(put(backend, &want, 1, 9, &err), err);
        lls_backend_close(backend);
        expect_anew(*state, &want, "the next writer");
    }
    assert_ok(e, err);
    assert_true(n > 200);
}

/* ---- a disk that is full, a folder that cannot be written to ---- */

static void a_folder_that_must_not_be_changed_can_be_read(void **state)
{
    contents want;
    lls_error err = {0};

    if (geteuid() == 0 && mkdir(*state, 0700) == 0 && mount("none", *state, "tmpfs", 0, NULL) != 0)
        skip(); // root may write anywhere
    lls_backend *backend = fixture_open(*state);
    fill(backend, &want);
    assert_ok(lls_vec_tend(backend->vec, fixture_space, &err), err);
    assert_ok(put(backend, &want, 1, 2, &err), err);
    lls_backend_close(backend);
    fixture_run(geteuid() == 0 ? "mount -o remount,ro %" : "chmod -R a-w %", *state);
    LLS_AUTO(lls_backend_ref) reader = fixture_open(*state);
    expect(reader, &want, "a reader");
    lls_err e = put(reader, &want, 1, 3, &err);
    assert_true(e == LLS_E_DENIED || e == LLS_E_IO);
    assert_non_null(strstr(err.msg, *state));
    expect(reader, &want, "a reader after he tried to write");
}

static void a_full_disk_keeps_what_it_has(void **state)
{
    contents want;
    lls_error err = {0};
    lls_err e = LLS_OK;

    small_disk_mount(*state, "size=256k");
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    fill(backend, &want);
    unsigned salt = 10;
    for (; salt < 5000 && e == LLS_OK; salt++)
        e = put(backend, &want, salt % BEFORE, salt, &err);
    assert_code(e, LLS_E_FULL, err);
    expect(backend, &want, "the writer");
    {
        LLS_AUTO(lls_backend_ref) reader = fixture_read(*state);
        expect(reader, &want, "a reader");
    }
    (void)!lls_vec_tend(backend->vec, fixture_space, &err); // there may be room for that, or not
    expect(backend, &want, "the writer after folding");
    small_disk_resize(*state, "size=4m");
    assert_ok(lls_vec_tend(backend->vec, fixture_space, &err), err);
    assert_ok(put(backend, &want, 1, 9999, &err), err);
    expect(backend, &want, "the writer with more room");
    lls_backend_close(backend);
    backend = NULL;
    expect_anew(*state, &want, "the next writer");
}

static int unmount(void **state)
{
    small_disk_unmount(*state);
    return fixture_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        T(every_change_may_fail_once),
        T(the_disk_may_fail_for_good_at_every_change),
        T(every_allocation_may_fail),
        T(every_change_of_a_stage_may_fail),
        T(every_allocation_of_a_stage_may_fail),
        cmocka_unit_test_setup_teardown(a_folder_that_must_not_be_changed_can_be_read,
                                        fixture_setup, unmount),
        cmocka_unit_test_setup_teardown(a_full_disk_keeps_what_it_has, fixture_setup, unmount),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
