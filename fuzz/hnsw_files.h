/** hnsw_files.h - a folder for the files of a store, and a file with sections whose checksums fit.
 */
#ifndef LLS_FUZZ_HNSW_FILES_H
#define LLS_FUZZ_HNSW_FILES_H

#include "base/hash.h"
#include "base/little.h"
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_PATH = 64, FILES_HEAD = 64, FILES_ENTRY = 32 };

/* Make a folder with `tenant` in it. */
static inline void files_folder(char folder[FILES_PATH])
{
    char tenant[FILES_PATH + 8];

    (void)snprintf(folder, FILES_PATH, "%s/lls-fuzz-hnsw-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    must(mkdtemp(folder) != NULL);
    (void)snprintf(tenant, sizeof(tenant), "%s/tenant", folder);
    must(mkdir(tenant, 0700) == 0);
}

static inline void files_write(const char *folder, const char *name, lls_bytes bytes)
{
    char path[FILES_PATH + 40];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0 && write(fd, bytes.data, bytes.len) == (ssize_t)bytes.len);
    (void)close(fd);
}

/* Where section `i` of a file lies, cut to what there is. */
static inline lls_bytes files_part(lls_bytes file, size_t i)
{
    const uint8_t *entry = file.data + FILES_HEAD + i * FILES_ENTRY;
    uint64_t at = lls_little_get_u64(entry + 8);
    uint64_t len = lls_little_get_u64(entry + 16);

    if (at > file.len || len > file.len - at)
        return (lls_bytes){0};
    return (lls_bytes){file.data + at, (size_t)len};
}

static inline size_t files_parts(lls_bytes file)
{
    size_t room = file.len < FILES_HEAD ? 0 : (file.len - FILES_HEAD) / FILES_ENTRY;
    size_t said = file.len < FILES_HEAD ? 0 : lls_little_get_u32(file.data + 44);

    return said < room ? said : room;
}

/* Put head and table right, so that the sections are looked at. */
static inline void files_seal(uint8_t *bytes, size_t len, const char magic[8])
{
    lls_bytes file = {bytes, len};
    size_t count = files_parts(file);

    if (len < FILES_HEAD)
        return;
    memcpy(bytes, magic, 8);
    lls_little_set(bytes + 8, 1, 4);
    lls_little_set(bytes + 32, len, 8);
    lls_little_set(bytes + 44, count, 4);
    for (size_t i = 0; i < count; i++) {
        lls_bytes part = files_part(file, i);
        lls_little_set(bytes + FILES_HEAD + i * FILES_ENTRY + 24, lls_checksum(&part, 1), 4);
    }
    lls_bytes head[] = {{bytes, 12}, {bytes + 16, FILES_HEAD - 16 + count * FILES_ENTRY}};
    lls_little_set(bytes + 12, lls_checksum(head, LLS_COUNT(head)), 4);
}

#endif
