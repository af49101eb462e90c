#include "backends/hnsw/mapping.h"

#include "base/file.h"
#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

lls_err hnsw_map(const char *path, hnsw_map_mode mode, const uint8_t **bytes, size_t *length,
                 lls_error *err)
{
    LLS_AUTO(lls_fd) fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return errno == ENOENT ? lls_fail(err, LLS_E_NOTFOUND, "'%s' is missing", path)
                               : lls_fail_sys(err, errno, "'%s'", path);
    if (fstat(fd, &st) != 0)
        return lls_fail_sys(err, errno, "'%s'", path);
    if (st.st_size <= 0)
        return lls_fail(err, LLS_E_CORRUPT, "'%s' is empty", path);
    int protection = mode == HNSW_MAP_OWN ? PROT_READ | PROT_WRITE : PROT_READ;
    int flags = mode == HNSW_MAP_OWN ? MAP_PRIVATE | MAP_NORESERVE : MAP_SHARED;
    void *at = mmap(NULL, (size_t)st.st_size, protection, flags, fd, 0);
    if (at == MAP_FAILED)
        return lls_fail_sys(err, errno, "map '%s'", path);
    *bytes = at;
    *length = (size_t)st.st_size;
    return LLS_OK;
}

void hnsw_unmap(const uint8_t *bytes, size_t length)
{
    if (bytes)
        (void)munmap((void *)(uintptr_t)bytes, length);
}
