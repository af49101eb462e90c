/**
 * small_disk.h - a disk of a few bytes, for tests of what is told and kept when it is full. It
 * takes the right to mount: without, the test is skipped and says so.
 */
#ifndef LLS_TESTING_SMALL_DISK_H
#define LLS_TESTING_SMALL_DISK_H

#include "base/scope.h"
#include "testing/check.h"

#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

/** Make the folder, and put a disk in its place: "size=256k". */
static inline void small_disk_mount(const char *path, const char *size)
{
    assert_int_equal(mkdir(path, 0700), 0);
    if (mount("none", path, "tmpfs", 0, size) == 0)
        return;
    print_message("cannot mount a small disk here: skipped\n");
    skip();
}

/** Give it another size, with all that is on it. */
static inline void small_disk_resize(const char *path, const char *size)
{
    LLS_AUTO(lls_buf) command = {0};

    lls_buf_printf(&command, "mount -o remount,%s '%s'", size, path);
    assert_int_equal(system(lls_buf_cstr(&command)), 0);
}

/** Take it away; the folder stays. Fine when there is none. */
static inline void small_disk_unmount(const char *path)
{
    (void)umount2(path, MNT_DETACH);
}

#endif
