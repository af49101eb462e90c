/**
 * disk_test.c - every change of the store's files made to fail in turn, every allocation too: what
 * was there is there afterwards, the error says what it was about, and the next write works.
 *
 * The calls below stand before the C library's. Those on files of the store are counted, and one of
 * them fails, or all from there on; all others go to the kernel as they are. Normally each fails in
 * one way, by turns; in every way if LLS_TORTURE_ROUNDS is set.
 */
#include "base/alloc.h"
#include "testing/hnsw_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { SKIP = 77, BEFORE = 60, AFTER = 12 };

typedef enum fault_kind {
    FAULT_EIO,
    FAULT_FULL,  /* ENOSPC */
    FAULT_SHORT, /* a write that writes half, and then fails */
    FAULT_LATE,  /* a rename or a sync that was done, and says otherwise */
    FAULT_KINDS,
} fault_kind;

/* What is to fail. There is one thread that writes. */
static struct {
    const char *folder; /* NULL: nothing */
    fault_kind kind;
    bool for_ever; /* everything from there on */
    long at;       /* the number of the change that fails */
    long changes;  /* so far */
} fault;

static bool strikes(const char *path)
{
    if (!fault.folder || strncmp(path, fault.folder, strlen(fault.folder)) != 0 ||
        strstr(path, "/.lock"))
        return false;
    long n = fault.changes++;
    return n == fault.at || (fault.for_ever && n > fault.at);
}

static bool strikes_fd(int fd)
{
    char link[40];
    char path[512];

    if (!fault.folder)
        return false;
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    if (n <= 0)
        return false;
    path[n] = '\0';
    return strikes(path);
}

static int refuse(void)
{
    errno = fault.kind == FAULT_FULL ? ENOSPC : EIO;
    return -1;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    if (!strikes_fd(fd))
        return syscall(SYS_write, fd, bytes, len);
    if (fault.kind == FAULT_SHORT && len > 1)
        (void)!syscall(SYS_write, fd, bytes, len / 2);
    return refuse();
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    if (!strikes_fd(fd))
        return syscall(SYS_pwrite64, fd, bytes, len, at);
    if (fault.kind == FAULT_SHORT && len > 1)
        (void)!syscall(SYS_pwrite64, fd, bytes, len / 2, at);
    return refuse();
}

/* The call, done or not, and what it gives. */
#define STRUCK(strike, call)                                                                       \
    do {                                                                                           \
        if (!(strike))                                                                             \
            return (int)(call);                                                                    \
        if (fault.kind == FAULT_LATE)                                                              \
            (void)!(call);                                                                         \
        return refuse();                                                                           \
    } while (0)

int fsync(int fd)
{
    STRUCK(strikes_fd(fd), syscall(SYS_fsync, fd));
}

int fdatasync(int fd)
{
    STRUCK(strikes_fd(fd), syscall(SYS_fdatasync, fd));
}

int ftruncate(int fd, off_t len)
{
    STRUCK(strikes_fd(fd), syscall(SYS_ftruncate, fd, len));
}

int rename(const char *from, const char *to)
{
    STRUCK(strikes(to), syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int mkdir(const char *path, mode_t mode)
{
    STRUCK(strikes(path), syscall(SYS_mkdirat, AT_FDCWD, path, mode));
}

static void arm(const char *folder, fault_kind kind, bool for_ever, long at)
{
    fault.kind = kind;
    fault.for_ever = for_ever;
    fault.at = at;
    fault.changes = 0;
    fault.folder = folder;
}

/* Whether it struck. */
static bool disarm(void)
{
    fault.folder = NULL;
    return fault.changes > fault.at;
}

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
    arm(path, kind, for_ever, at);
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

static void each_change_in_turn(const char *path, bool for_ever)
{
    int turns = getenv("LLS_TORTURE_ROUNDS") ? FAULT_KINDS : 1;

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

    assert_int_equal(mkdir(*state, 0700), 0);
    if (mount("none", *state, "tmpfs", 0, "size=256k") != 0) {
        print_message("cannot mount a small disk here: skipped\n");
        skip();
    }
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
    fixture_run("mount -o remount,size=4m %", *state);
    assert_ok(lls_vec_tend(backend->vec, fixture_space, &err), err);
    assert_ok(put(backend, &want, 1, 9999, &err), err);
    expect(backend, &want, "the writer with more room");
    lls_backend_close(backend);
    backend = NULL;
    expect_anew(*state, &want, "the next writer");
}

static int unmount(void **state)
{
    (void)umount2(*state, MNT_DETACH);
    return fixture_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        T(every_change_may_fail_once),
        T(the_disk_may_fail_for_good_at_every_change),
        T(every_allocation_may_fail),
        cmocka_unit_test_setup_teardown(a_folder_that_must_not_be_changed_can_be_read,
                                        fixture_setup, unmount),
        cmocka_unit_test_setup_teardown(a_full_disk_keeps_what_it_has, fixture_setup, unmount),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
