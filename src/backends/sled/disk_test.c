/**
 * disk_test.c - the engine on a disk that is full, or breaks: a write that does not fit is an error
 * that says so, whatever was acknowledged is still there, and with more room the store goes on.
 *
 * The engine has threads, so it is only ever in a child; this process looks through the reader.
 *
 * The calls below stand before the C library's, which are those that the engine writes its files
 * with. In a child that has said so, one of them fails, and all from there on.
 */
#include "testing/sled_fixture.h"
#include "testing/small_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/syscall.h>

enum { MOST = 4000 };

static _Atomic long writes_left = -1; /* until they fail; negative: they do not */
static int broken_with;               /* the errno of those that fail */

static bool strikes(void)
{
    if (atomic_load(&writes_left) < 0)
        return false;
    if (atomic_load(&writes_left) > 0 && atomic_fetch_sub(&writes_left, 1) > 1)
        return false;
    (void)usleep(5000); // a disk takes its time to fail: others wait for the write by then
    errno = broken_with;
    return true;
}

/* Under these names Rust's library calls them; no header that we ask for declares them. */
ssize_t pwrite64(int fd, const void *bytes, size_t len, int64_t at);
int ftruncate64(int fd, int64_t len);
int sync_file_range(int fd, off_t at, off_t len, unsigned flags);

ssize_t pwrite64(int fd, const void *bytes, size_t len, int64_t at)
{
    return strikes() ? -1 : syscall(SYS_pwrite64, fd, bytes, len, at);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    return strikes() ? -1 : syscall(SYS_write, fd, bytes, len);
}

int ftruncate64(int fd, int64_t len)
{
    return strikes() ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

int fsync(int fd)
{
    return strikes() ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return strikes() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int sync_file_range(int fd, off_t at, off_t len, unsigned flags)
{
    return strikes() ? -1 : (int)syscall(SYS_sync_file_range, fd, at, len, flags);
}

/* What a child says that wrote until it could not. */
typedef struct outcome {
    unsigned written; /* records, from 0 on */
    lls_err error;
    char text[512];
} outcome;

/* Some are files of their own. */
static size_t size_of(unsigned i)
{
    return i % 20 == 19 ? 40000 : 600;
}

static int write_until_full(const char *path, unsigned from, unsigned to, long breaks_at, int tell)
{
    lls_backend *backend = NULL;
    outcome said = {.written = from};
    lls_error err = {0};

    (void)alarm(60); // whatever happens, the test ends
    said.error = fixture_try(path, LLS_READ_WRITE, &backend, &err);
    atomic_store(&writes_left, breaks_at);
    while (said.error == LLS_OK && said.written < to) {
        said.error = fixture_put(backend, said.written, 1, size_of(said.written), &err);
        said.written += said.error == LLS_OK;
    }
    (void)snprintf(said.text, sizeof(said.text), "%s", said.error == LLS_OK ? "" : err.msg);
    lls_backend_close(backend); // while nothing can be written
    atomic_store(&writes_left, -1);
    return write(tell, &said, sizeof(said)) == sizeof(said) ? 0 : 4;
}

/* With `breaks_at` 0 or more the disk breaks at that write, counted from the opening. */
static outcome have_written(const char *path, unsigned from, unsigned to, long breaks_at)
{
    outcome said = {0};
    int pipes[2];

    assert_int_equal(pipe(pipes), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(write_until_full(path, from, to, breaks_at, pipes[1]));
    (void)close(pipes[1]);
    assert_int_equal(read(pipes[0], &said, sizeof(said)), sizeof(said));
    (void)close(pipes[0]);
    assert_int_equal(fixture_wait(pid), 0);
    return said;
}

/* All that were acknowledged are there; the one that was refused may be, whole. */
static void expect(const char *path, unsigned written)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_look(path);

    for (unsigned i = 0; i < written; i++)
        fixture_expect(backend, i, 1, size_of(i));
    assert_in_range(fixture_count(backend), written, written + 1);
}

static void a_full_disk_loses_nothing(void **state)
{
    outcome said;

    small_disk_mount(*state, "size=12m");
    said = have_written(*state, 0, MOST, -1);
    if (said.error != LLS_E_FULL || !strstr(said.text, *state))
        fail_msg("a full disk is told as %d, '%s'", (int)said.error, said.text);
    assert_in_range(said.written, 50, MOST - 1);
    expect(*state, said.written);
    said = have_written(*state, said.written, said.written + 10, -1); // still full
    assert_true(said.error != LLS_OK);
    expect(*state, said.written);
    small_disk_resize(*state, "size=40m");
    said = have_written(*state, said.written, said.written + 200, -1);
    if (said.error != LLS_OK)
        fail_msg("with more room: '%s'", said.text);
    expect(*state, said.written);
}

/* Others fill the disk, or it breaks, in the middle of what the engine does. */
static void a_disk_that_breaks_loses_nothing(void **state)
{
    static const int faults[] = {ENOSPC, EIO};
    unsigned written = 0;

    for (unsigned round = 0; round < 24; round++) {
        broken_with = faults[round % LLS_COUNT(faults)];
        outcome said = have_written(*state, written, written + 500, round * 3);
        if (said.error != LLS_E_IO && said.error != LLS_E_FULL)
            fail_msg("a disk that breaks is told as %d, '%s'", (int)said.error, said.text);
        if (!strstr(said.text, *state))
            fail_msg("which store? '%s'", said.text);
        expect(*state, said.written);
        said = have_written(*state, said.written, said.written + 5, -1);
        if (said.error != LLS_OK)
            fail_msg("after it: '%s'", said.text);
        written = said.written;
        expect(*state, written);
        assert_int_equal(fixture_faults_of(*state), 0); // no torn tail is left
    }
}

static int unmount(void **state)
{
    small_disk_unmount(*state);
    return fixture_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_disk_that_breaks_loses_nothing, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_loses_nothing, fixture_setup, unmount),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
