/** disk.c - which file systems an LMDB environment may stand on. */
#include "backends/lmdb/env.h"

#include "base/scope.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static const struct {
    uint32_t magic; /* statfs(2), f_type */
    bool network;   /* byte-range locks or shared maps are not the same for all who see the file */
    const char *name;
} types[] = {
    {0xef53, false, "ext4"},        {0x58465342, false, "xfs"},   {0x9123683e, false, "btrfs"},
    {0x01021994, false, "tmpfs"},   {0x2fc12fc1, false, "zfs"},   {0xf2f52010, false, "f2fs"},
    {0x794c7630, false, "overlay"}, {0x6969, true, "nfs"},        {0xff534d42, true, "cifs"},
    {0xfe534d42, true, "smb2"},     {0x517b, true, "smb"},        {0x01021997, true, "9p"},
    {0x65735546, true, "fuse"},     {0x5346414f, true, "afs"},    {0x73757245, true, "coda"},
    {0x00c36400, true, "ceph"},     {0x0bd00bd0, true, "lustre"}, {0x786f4256, true, "vboxsf"},
    {0x01161970, true, "gfs2"},     {0x7461636f, true, "ocfs2"},
};

lls_err lmdb_disk_check(const char *path, bool allow_network, lls_error *err)
{
    struct statfs fs;

    if (statfs(path, &fs) != 0)
        return lls_fail_sys(err, errno, "'%s'", path);
    for (size_t i = 0; i < LLS_COUNT(types) && !allow_network; i++)
        if (types[i].magic == (uint32_t)fs.f_type && types[i].network)
            return lls_fail(err, LLS_E_UNSUPPORTED,
                            "'%s' is on a file system of type %s, where locks and memory maps are "
                            "not reliable (allow_network_fs = true if one machine alone uses it)",
                            path, types[i].name);
    return LLS_OK;
}

void lmdb_disk_type(const char *path, char out[20])
{
    struct statfs fs = {0};

    (void)statfs(path, &fs);
    (void)snprintf(out, 20, "0x%x", (unsigned)fs.f_type);
    for (size_t i = 0; i < LLS_COUNT(types); i++)
        if (types[i].magic == (uint32_t)fs.f_type)
            (void)snprintf(out, 20, "%s", types[i].name);
}

/* Write a page behind the end, where nothing is. */
static int try_to_grow(int fd, size_t page_size)
{
    static const uint8_t zeros[4096];
    struct stat data;

    if (fstat(fd, &data) != 0)
        return errno;
    size_t len = page_size < sizeof(zeros) ? page_size : sizeof(zeros);
    ssize_t n = pwrite(fd, zeros, len, data.st_size);
    if (n < 0)
        return errno;
    return (size_t)n < len ? ENOSPC : EIO;
}

int lmdb_disk_error(lmdb_env *env)
{
    MDB_txn *txn;
    int fd = -1;

    // the write lock keeps everybody else from writing there meanwhile
    int rc = mdb_env_get_fd(env->raw, &fd);
    if (rc != 0 || mdb_txn_begin(env->raw, NULL, 0, &txn) != 0)
        return EIO;
    rc = try_to_grow(fd, env->page_size);
    mdb_txn_abort(txn);
    return rc;
}
