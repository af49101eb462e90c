/**
 * disk_test.c - every single change of a run folder made to fail in turn: the journal, the backup,
 * the plan, the report. The target is whole or untouched, and a resume ends right.
 *
 * The calls below stand before the C library's. Those on files of the run folder are counted, and
 * one of them fails; all others go to the kernel as they are.
 */
#include "base/file.h"
#include "base/scope.h"
#include "testing/migration_bench.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SKIP = 77 };

typedef enum fault_kind {
    FAULT_EIO,
    FAULT_FULL,  /* ENOSPC */
    FAULT_SHORT, /* a write that writes half, and then fails */
    FAULT_KINDS,
} fault_kind;

/* What is to fail. There is one thread that changes run folders. */
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
        strstr(path, "/store-"))
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

int fsync(int fd)
{
    return strikes_fd(fd) ? refuse() : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return strikes_fd(fd) ? refuse() : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t len)
{
    return strikes_fd(fd) ? refuse() : (int)syscall(SYS_ftruncate, fd, len);
}

int rename(const char *from, const char *to)
{
    return strikes(to) ? refuse() : (int)syscall(SYS_renameat2, -100, from, -100, to, 0);
}

int mkdir(const char *path, mode_t mode)
{
    return strikes(path) ? refuse() : (int)syscall(SYS_mkdirat, -100, path, mode);
}

static void arm(const lls_bench *b, fault_kind kind, bool for_ever, long at)
{
    fault.kind = kind;
    fault.for_ever = for_ever;
    fault.at = at;
    fault.changes = 0;
    fault.folder = b->m.folder;
}

/* Whether it struck. */
static bool disarm(void)
{
    fault.folder = NULL;
    return fault.changes > fault.at;
}

/* With the disk in order again, what is left of the run is finished, or done anew. */
static void finish(lls_bench *b, lls_sum after)
{
    lls_error err = {0};

    if (lls_migration_runs(&b->m) > 0 && b->m.run_folder.len > 0 &&
        lls_file_exists(lls_buf_cstr(&b->m.run_folder)))
        assert_ok(lls_migration_resume(&b->m, &err), err);
    else
        assert_ok(lls_migration_execute(&b->m, &err), err);
    lls_bench_assert(b, after);
    assert_true(lls_migration_is_clean(b->to->kv));
    assert_ok(lls_migration_rollback(&b->m, &err), err);
    lls_bench_assert(b, b->before);
}

/* Fail the `at`th change of an execute. False: there are no more. */
static bool strike_execute(fault_kind kind, bool for_ever, long at, lls_sum after)
{
    lls_bench b;
    lls_error err = {0};

    lls_bench_init(&b);
    arm(&b, kind, for_ever, at);
    lls_err e = lls_migration_execute(&b.m, &err);
    bool struck = disarm();
    if (struck && e == LLS_OK)
        fail_msg("change %ld failed, and the run did not", at);
    if (struck)
        assert_true(e == LLS_E_IO || e == LLS_E_FULL);
    else
        assert_ok(e, err);
    lls_bench_assert_whole(&b, after);
    finish(&b, after);
    lls_bench_fini(&b);
    return struck;
}

static bool strike_rollback(fault_kind kind, bool for_ever, long at, lls_sum after)
{
    lls_bench b;
    lls_error err = {0};

    lls_bench_init(&b);
    assert_ok(lls_migration_execute(&b.m, &err), err);
    arm(&b, kind, for_ever, at);
    lls_err e = lls_migration_rollback(&b.m, &err);
    bool struck = disarm();
    assert_true(struck == (e != LLS_OK));
    lls_bench_assert_whole(&b, after);
    assert_ok(lls_migration_rollback(&b.m, &err), err);
    lls_bench_assert(&b, b.before);
    assert_true(lls_migration_is_clean(b.to->kv));
    lls_bench_fini(&b);
    return struck;
}

typedef bool (*strike_fn)(fault_kind kind, bool for_ever, long at, lls_sum after);

static void each_change_in_turn(strike_fn strike, bool for_ever, long at_least)
{
    lls_sum after = lls_bench_expected();

    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        long at = 0;
        while (strike((fault_kind)kind, for_ever, at, after))
            at++;
        assert_true(at >= at_least); // it struck what it was meant for
    }
}

static void every_change_of_a_run_folder_may_fail_once(void **state)
{
    (void)state;
    each_change_in_turn(strike_execute, false, 30);
}

static void a_disk_may_fail_for_good_at_every_change(void **state)
{
    (void)state;
    each_change_in_turn(strike_execute, true, 30);
}

static void every_change_of_a_rollback_may_fail_once(void **state)
{
    (void)state;
    each_change_in_turn(strike_rollback, false, 8);
}

static void a_disk_may_fail_for_good_during_a_rollback(void **state)
{
    (void)state;
    each_change_in_turn(strike_rollback, true, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_of_a_run_folder_may_fail_once),
        cmocka_unit_test(a_disk_may_fail_for_good_at_every_change),
        cmocka_unit_test(every_change_of_a_rollback_may_fail_once),
        cmocka_unit_test(a_disk_may_fail_for_good_during_a_rollback),
    };

    if (!lls_bench_possible())
        return SKIP;
    return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
