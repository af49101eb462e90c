/*
 * A Sled log of any content: an error, or a database whose every tree can be walked to its end.
 * Checksums are put right first, or nothing behind them would ever be seen.
 */
#include "backends/sled/reader.h"

#include "base/scope.h"
#include "fuzz.h"

#include <fcntl.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEGMENT = 512, HEAD = 20, LOG_MAX = 64 * SEGMENT };

static void put_u32(uint8_t *at, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> (8 * i));
}

/* Behind the number at `at`, or NULL when it does not end before `end`. */
static const uint8_t *behind_number(const uint8_t *at, const uint8_t *end, uint64_t *number)
{
    if (at >= end)
        return NULL;
    size_t more = *at <= 240 ? 0 : *at <= 248 ? 1 : *at == 249 ? 2 : *at - 247U;
    if ((size_t)(end - at) < 1 + more)
        return NULL;
    *number = *at <= 240 ? *at : *at <= 248 ? 240 + 256 * (*at - 241U) + at[1] : 0;
    for (size_t i = 0; *at > 249 && i < more; i++)
        *number |= (uint64_t)at[1 + i] << (8 * i);
    if (*at == 249)
        *number = 2288 + 256 * (uint64_t)at[1] + at[2];
    return at + 1 + more;
}

/* Put the checksums of one segment right, as far as its messages can be followed. */
static void mend(uint8_t *segment, size_t size)
{
    uint8_t *end = segment + size;

    if (size < HEAD)
        return;
    put_u32(segment, ~libdeflate_crc32(0, segment + 4, HEAD - 4));
    for (uint8_t *at = segment + HEAD; end - at > 8;) {
        uint64_t len;
        uint64_t ignored;
        const uint8_t *body = behind_number(at + 5, end, &len);
        body = body ? behind_number(body, end, &ignored) : NULL;
        body = body ? behind_number(body, end, &ignored) : NULL;
        if (!body || len > (uint64_t)(end - body))
            return;
        uint32_t crc = libdeflate_crc32(0, body, (size_t)len);
        put_u32(at, ~libdeflate_crc32(crc, at + 4, (size_t)(body - at) - 4));
        at += (size_t)(body - at) + (size_t)len;
    }
}

static void write_file(const char *folder, const char *name, const void *data, size_t size)
{
    char path[100];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    (void)close(fd);
}

static void walk(const char *folder, sled_tail tail)
{
    LLS_AUTO(sled_db_ref) db = NULL;
    lls_bytes tree;
    lls_error err = {0};

    if (sled_open(folder, tail, &db, &err) != LLS_OK) {
        must(err.msg[0] != '\0');
        return;
    }
    for (size_t i = 0; sled_tree_at(db, i, &tree) == LLS_OK; i++) {
        LLS_AUTO(sled_cursor_ref) cursor = NULL;
        lls_bytes key;
        lls_bytes value;
        if (sled_cursor_open(db, tree, (lls_bytes){0}, &cursor, &err) != LLS_OK)
            continue;
        while (sled_cursor_next(cursor, &key, &value, &err) == LLS_OK)
            must(key.len == 0 || key.data);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char folder[40];
    static const char conf[] = "segment_size: 512\nuse_compression: false\nversion: 0.34\n";
    static uint8_t log[LOG_MAX];

    if (!folder[0]) {
        uint8_t whole[sizeof(conf) + 3];
        (void)snprintf(folder, sizeof(folder), "%s/lls-fuzz-sled-XXXXXX",
                       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        must(mkdtemp(folder) != NULL);
        memcpy(whole, conf, sizeof(conf) - 1);
        put_u32(whole + sizeof(conf) - 1, libdeflate_crc32(0, conf, sizeof(conf) - 1));
        write_file(folder, "conf", whole, sizeof(whole));
    }
    size = size < LOG_MAX ? size : LOG_MAX;
    if (size > 0)
        memcpy(log, data, size);
    for (size_t at = 0; at < size; at += SEGMENT)
        mend(log + at, size - at < SEGMENT ? size - at : SEGMENT);
    write_file(folder, "db", log, size);
    walk(folder, SLED_TAIL_REFUSE);
    walk(folder, SLED_TAIL_ACCEPT);
    return 0;
}
