/**
 * failing_disk.h - a disk that fails when a test says so. The calls below stand before the C
 * library's in a test that includes this. Those on files below a folder are counted, and one of
 * them fails, or all from there on; all others go to the kernel as they are.
 */
#ifndef LLS_TESTING_FAILING_DISK_H
#define LLS_TESTING_FAILING_DISK_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

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
    const char *spared; /* what is in the paths of files below it that never fail */
    fault_kind kind;
    bool for_ever; /* everything from there on */
    long at;       /* the number of the change that fails */
    long changes;  /* so far */
} fault;

static bool strikes(const char *path)
{
    if (!fault.folder || strncmp(path, fault.folder, strlen(fault.folder)) != 0 ||
        strstr(path, fault.spared))
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

static void arm(const char *folder, const char *spared, fault_kind kind, bool for_ever, long at)
{
    fault.spared = spared;
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

#endif
