#define _GNU_SOURCE // F_OFD_SETLK: a lock of the open file, so that it also keeps threads apart

#include "migrate/journal.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/little.h"
#include "base/scope.h"
#include "migrate/journal_entry.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
    HEADER = 16, /* bytes: magic, version, checksum */
    FRAME = 8,   /* bytes before a payload: length, checksum */
    VERSION = 1,
    PAYLOAD_MAX = 1 << 20,
    FILE_MAX = 64 << 20,
};

static const char magic[8] = {'L', 'L', 'S', 'J', 'R', 'N', 'L', '\n'};

struct lls_journal {
    int fd;
    const char *path;
    off_t end;     /* of the last whole frame */
    lls_buf frame; /* what the next commit writes, its first FRAME bytes still empty */
    char path_memory[];
};

typedef lls_journal *journal_ref;
static void journal_ref_auto(journal_ref *j)
{
    lls_journal_close(*j);
}

void lls_journal_close(lls_journal *journal)
{
    if (!journal)
        return;
    if (journal->fd >= 0)
        (void)close(journal->fd);
    lls_buf_fini(&journal->frame);
    lls_free(journal);
}

static lls_err journal_new(const char *path, int flags, lls_journal **out, lls_error *err)
{
    size_t size = strlen(path) + 1;
    LLS_AUTO(journal_ref) j = lls_alloc(sizeof(*j) + size);
    if (!j)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    memcpy(j->path_memory, path, size);
    j->path = j->path_memory;
    j->fd = open(path, flags | O_CLOEXEC, 0600);
    if (j->fd < 0)
        return lls_fail_sys(err, errno, "open '%s'", path);

    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(j->fd, F_OFD_SETLK, &whole) != 0) {
        if (errno == EAGAIN || errno == EACCES)
            return lls_fail(err, LLS_E_BUSY, "another process is at work on '%s'", path);
        return lls_fail_sys(err, errno, "lock '%s'", path);
    }
    *out = j;
    j = NULL;
    return LLS_OK;
}

bool lls_journal_is_open(const char *path)
{
    LLS_AUTO(lls_fd) fd = open(path, O_RDONLY | O_CLOEXEC);
    struct flock whole = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

    return fd >= 0 && fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

static uint32_t frame_checksum(lls_bytes payload)
{
    uint8_t bytes[4];
    lls_bytes parts[2] = {{bytes, sizeof(bytes)}, payload};

    lls_little_set(bytes, payload.len, sizeof(bytes));
    return lls_checksum(parts, 2);
}

/* The payload of the whole, undamaged frame at `offset`; false: there is none. */
static bool frame_at(lls_bytes file, size_t offset, lls_bytes *payload)
{
    if (file.len - offset < FRAME)
        return false;
    uint32_t len = lls_little_get_u32(file.data + offset);
    if (len == 0 || len > PAYLOAD_MAX || len > file.len - offset - FRAME)
        return false;
    lls_bytes found = {file.data + offset + FRAME, len};
    if (frame_checksum(found) != lls_little_get_u32(file.data + offset + 4))
        return false;
    *payload = found;
    return true;
}

/*
 * What is no frame is a tail that a kill tore, unless whole frames come behind it: each commit was
 * on the disk before the next began, so that a tear is always the last thing in the file.
 */
static bool is_torn_tail(lls_bytes file, size_t offset)
{
    lls_bytes payload;

    for (size_t at = offset + 1; at < file.len; at++) {
        if (frame_at(file, at, &payload))
            return false;
    }
    return true;
}

static lls_err check_header(lls_bytes file, const char *path, lls_error *err)
{
    if (file.len < HEADER)
        return lls_fail(err, LLS_E_CORRUPT, "'%s' is cut off: the run never began", path);
    lls_bytes covered = {file.data, HEADER - 4};
    if (memcmp(file.data, magic, sizeof(magic)) != 0 ||
        lls_checksum(&covered, 1) != lls_little_get_u32(file.data + HEADER - 4))
        return lls_fail(err, LLS_E_CORRUPT, "'%s' is no journal, or is damaged at byte 0", path);
    uint32_t version = lls_little_get_u32(file.data + sizeof(magic));
    if (version > VERSION)
        return lls_fail(err, LLS_E_NEWER, "'%s' has version %u, and this program knows %d", path,
                        version, VERSION);
    return LLS_OK;
}

static lls_err tell_frame(lls_bytes payload, size_t offset, const char *path, lls_entry_fn each,
                          void *user, lls_error *err)
{
    lls_entry entry;

    while (payload.len > 0) {
        if (!lls_entry_decode(&payload, &entry))
            return lls_fail(err, LLS_E_CORRUPT, "'%s' has an entry that is none at byte %zu", path,
                            offset);
        LLS_TRY(each(user, &entry, err));
    }
    return LLS_OK;
}

/* Tell all entries; `end` is where the last whole frame ends. */
static lls_err replay(lls_bytes file, const char *path, lls_entry_fn each, void *user, size_t *end,
                      lls_error *err)
{
    size_t at = HEADER;
    lls_bytes payload;

    LLS_TRY(check_header(file, path, err));
    while (at < file.len && frame_at(file, at, &payload)) {
        LLS_TRY(tell_frame(payload, at, path, each, user, err));
        at += FRAME + payload.len;
    }
    if (at < file.len && !is_torn_tail(file, at))
        return lls_fail(err, LLS_E_CORRUPT, "'%s' is damaged at byte %zu", path, at);
    if (at == HEADER)
        return lls_fail(err, LLS_E_CORRUPT, "'%s' is cut off: the run never began", path);
    *end = at;
    return LLS_OK;
}

static void begin_frame(lls_journal *journal)
{
    lls_buf_clear(&journal->frame);
    lls_little_add(&journal->frame, 0, 4);
    lls_little_add(&journal->frame, 0, 4);
}

static void put_header(lls_buf *out)
{
    lls_buf_add(out, (lls_bytes){(const uint8_t *)magic, sizeof(magic)});
    lls_little_add(out, VERSION, 4);
    lls_bytes covered = lls_buf_view(out);
    lls_little_add(out, covered.len == HEADER - 4 ? lls_checksum(&covered, 1) : 0, 4);
}

lls_err lls_journal_create(const char *path, const lls_entry *first, lls_journal **out,
                           lls_error *err)
{
    LLS_AUTO(journal_ref) j = NULL;
    LLS_AUTO(lls_buf) header = {0};

    LLS_TRY(journal_new(path, O_RDWR | O_CREAT | O_EXCL, &j, err));
    put_header(&header);
    LLS_TRY(lls_buf_status(&header, err));
    LLS_TRY(lls_file_write(j->fd, lls_buf_view(&header), path, err));
    j->end = HEADER;
    begin_frame(j);
    lls_journal_add(j, first);
    LLS_TRY(lls_journal_commit(j, err));
    LLS_TRY(lls_file_sync_parent(path, err));
    *out = j;
    j = NULL;
    return LLS_OK;
}

lls_err lls_journal_open(const char *path, lls_entry_fn each, void *user, lls_journal **out,
                         lls_error *err)
{
    LLS_AUTO(journal_ref) j = NULL;
    LLS_AUTO(lls_buf) file = {0};
    size_t end;

    LLS_TRY(journal_new(path, O_RDWR, &j, err));
    LLS_TRY(lls_file_read(path, FILE_MAX, &file, err));
    LLS_TRY(replay(lls_buf_view(&file), path, each, user, &end, err));
    if (end < file.len && ftruncate(j->fd, (off_t)end) != 0)
        return lls_fail_sys(err, errno, "cut off the torn end of '%s'", path);
    j->end = (off_t)end;
    begin_frame(j);
    *out = j;
    j = NULL;
    return LLS_OK;
}

lls_err lls_journal_read(const char *path, lls_entry_fn each, void *user, lls_error *err)
{
    LLS_AUTO(lls_buf) file = {0};
    size_t end;

    LLS_TRY(lls_file_read(path, FILE_MAX, &file, err));
    return replay(lls_buf_view(&file), path, each, user, &end, err);
}

void lls_journal_add(lls_journal *journal, const lls_entry *entry)
{
    lls_entry_encode(entry, &journal->frame);
}

static void seal_frame(lls_journal *journal)
{
    uint8_t *frame = journal->frame.data;
    lls_bytes payload = {frame + FRAME, journal->frame.len - FRAME};
    uint32_t words[2] = {(uint32_t)payload.len, frame_checksum(payload)};

    for (size_t i = 0; i < FRAME; i++)
        frame[i] = (uint8_t)(words[i / 4] >> (i % 4 * 8));
}

lls_err lls_journal_commit(lls_journal *journal, lls_error *err)
{
    lls_err e = lls_buf_status(&journal->frame, err);

    if (e == LLS_OK && journal->frame.len > FRAME) {
        seal_frame(journal);
        if (lseek(journal->fd, journal->end, SEEK_SET) < 0)
            e = lls_fail_sys(err, errno, "write '%s'", journal->path);
        if (e == LLS_OK)
            e = lls_file_write(journal->fd, lls_buf_view(&journal->frame), journal->path, err);
        if (e == LLS_OK && fdatasync(journal->fd) != 0)
            e = lls_fail_sys(err, errno, "sync '%s'", journal->path);
        if (e == LLS_OK)
            journal->end += (off_t)journal->frame.len;
        else if (ftruncate(journal->fd, journal->end) != 0)
            (void)lls_wrap(err, e, "leave a torn end, which the next open cuts off");
    }
    begin_frame(journal);
    return e;
}
