#include "backends/sled/snapshot.h"

#include "backends/sled/unzstd.h"
#include "backends/sled/wire.h"
#include "base/scope.h"

#include <errno.h>
#include <libdeflate.h>
#include <stdio.h>
#include <unistd.h>

enum {
    TAIL = 12,      /* bytes behind the body: its length and its checksum */
    STATE_MIN = 10, /* bytes of a page's state */
    TRIES = 64,     /* unfinished snapshots that are passed over */
};

#define SNAPSHOT_MAX ((size_t)4 << 30) /* bytes of a body: some 300 million pages */

/* ---- which file ---- */

typedef struct search {
    const sled_folder *folder;
    const char *below; /* "": any */
    char name[SLED_SNAPSHOT_NAME];
} search;

static lls_err look_at_name(void *user, const char *name, lls_error *err)
{
    search *s = user;

    if (strncmp(name, "snap.", 5) != 0)
        return LLS_OK;
    if (strlen(name) >= sizeof(s->name))
        return sled_damage(s->folder, name, 0, err, "the name is too long for a snapshot");
    if ((s->below[0] == '\0' || strcmp(name, s->below) < 0) && strcmp(name, s->name) > 0)
        (void)snprintf(s->name, sizeof(s->name), "%s", name);
    return LLS_OK;
}

/* Make `name` the greatest name of a snapshot below it, of all for ""; "" when there is none. */
static lls_err next_name(const sled_folder *folder, char name[SLED_SNAPSHOT_NAME], lls_error *err)
{
    search s = {.folder = folder, .below = name};

    LLS_TRY(sled_folder_list(folder, look_at_name, &s, err));
    memcpy(name, s.name, sizeof(s.name));
    return LLS_OK;
}

static bool is_unfinished(const char *name)
{
    static const char end[] = ".generating";
    size_t len = strlen(name);

    return len >= sizeof(end) && strcmp(name + len - (sizeof(end) - 1), end) == 0;
}

/* ---- what is in it ---- */

typedef struct reading {
    const sled_folder *folder;
    const char *name;
    uint64_t segment_bytes;
    int64_t lsn; /* of the snapshot */
    sled_wire wire;
    const uint8_t *start;
    sled_pages *pages;
} reading;

static lls_err damaged(const reading *r, lls_error *err, const char *what, uint64_t page)
{
    return sled_damage(r->folder, r->name, (uint64_t)(r->wire.at - r->start), err, "page %llu: %s",
                       (unsigned long long)page, what);
}

static sled_kind kind_of(uint64_t page, bool base, bool blob)
{
    if (!base)
        return blob ? SLED_LINK_BLOB : SLED_LINK;
    if (page == 0)
        return blob ? SLED_META_BLOB : SLED_META;
    if (page == 1)
        return blob ? SLED_CORRUPTED : SLED_COUNTER;
    return blob ? SLED_NODE_BLOB : SLED_NODE;
}

/* A pointer to a message, or to a blob. */
static lls_err take_pointer(reading *r, uint64_t page, bool base, sled_part *out, lls_error *err)
{
    *out = (sled_part){.lsn = sled_wire_i64(&r->wire)};
    uint8_t kind = sled_wire_u8(&r->wire);
    uint64_t offset = sled_wire_varint(&r->wire);
    int64_t blob = kind == 1 ? sled_wire_i64(&r->wire) : 0;

    if (r->wire.bad || kind > 1 || blob < 0)
        return damaged(r, err, "a malformed pointer", page);
    if (out->lsn < 0 || out->lsn >= r->lsn)
        return damaged(r, err, "a message that is newer than the snapshot", page);
    if (kind == 0 && offset % r->segment_bytes != (uint64_t)out->lsn % r->segment_bytes)
        return damaged(r, err, "a message in an impossible place", page);
    out->kind = kind_of(page, base, kind == 1) & 0xF;
    out->where = kind == 1 ? (uint64_t)blob : offset;
    return out->kind == SLED_CORRUPTED ? damaged(r, err, "a counter in a blob", page) : LLS_OK;
}

static lls_err keep(const reading *r, lls_err e, uint64_t page, lls_error *err)
{
    if (e == LLS_E_NOMEM)
        return lls_fail(err, e, "out of memory for the page table of '%s'", r->folder->path);
    return e == LLS_OK ? e : damaged(r, err, "more pages than the log can have", page);
}

static lls_err take_page(reading *r, uint64_t page, lls_error *err)
{
    uint8_t parts = sled_wire_u8(&r->wire);
    sled_part part;

    if (parts == 0) {
        LLS_TRY(take_pointer(r, page, true, &part, err));
        return keep(r, sled_pages_release(r->pages, page), page, err);
    }
    int64_t before = -1;
    for (uint64_t i = 0; i < parts; i++) {
        LLS_TRY(take_pointer(r, page, i == 0, &part, err));
        uint64_t len = sled_wire_varint(&r->wire);
        if (r->wire.bad)
            return damaged(r, err, "the file ends early", page);
        if (part.lsn <= before)
            return damaged(r, err, "messages out of order", page);
        before = part.lsn;
        part.len = len <= r->segment_bytes ? len & 0xFFFFFFF : 0; // a hint
        LLS_TRY(keep(r,
                     i == 0 ? sled_pages_replace(r->pages, page, &part)
                            : sled_pages_link(r->pages, page, &part),
                     page, err));
    }
    return LLS_OK;
}

/* The tip when the snapshot was made: 0 is none, so that others are stored one higher. */
static int64_t take_lsn(sled_wire *wire)
{
    int64_t stored = sled_wire_i64(wire);

    return stored > 0 ? stored - 1 : stored;
}

static lls_err take_body(const sled_folder *folder, const sled_conf *conf, lls_bytes body,
                         sled_snapshot *out, sled_pages **pages, lls_error *err)
{
    reading r = {.folder = folder,
                 .name = out->name,
                 .segment_bytes = conf->segment_bytes,
                 .wire = sled_wire_of(body),
                 .start = body.data};

    r.lsn = take_lsn(&r.wire);
    (void)sled_wire_varint(&r.wire); // the slot that the engine would go on in
    if (r.wire.bad || r.lsn < 0)
        return damaged(&r, err, "a malformed beginning", 0);
    LLS_TRY(sled_pages_new(folder->db_bytes / SLED_MESSAGE_HEADER_MIN + body.len / STATE_MIN + 1,
                           &r.pages, err));
    lls_err e = LLS_OK;
    for (uint64_t page = 0; sled_wire_left(&r.wire) > 0 && e == LLS_OK; page++)
        e = take_page(&r, page, err);
    if (e != LLS_OK) {
        sled_pages_free(r.pages);
        return e;
    }
    out->lsn = r.lsn;
    *pages = r.pages;
    return LLS_OK;
}

static lls_err unpack(const sled_folder *folder, const char *name, lls_bytes body, lls_buf *out,
                      lls_error *err)
{
    LLS_AUTO(sled_unzstd) unzstd = {0};
    lls_err e = sled_unzstd_frame(&unzstd, body, out);

    if (e == LLS_E_NOMEM)
        return lls_fail(err, e, "out of memory for '%s/%s'", folder->path, name);
    return e == LLS_OK ? e : sled_damage(folder, name, 0, err, "the zstd frame is damaged");
}

static lls_err read_file(const sled_folder *folder, const sled_conf *conf, sled_snapshot *out,
                         sled_pages **pages, lls_error *err)
{
    LLS_AUTO(sled_file) file = {0};
    LLS_AUTO(lls_buf) plain = {.max = SNAPSHOT_MAX};

    lls_err e = sled_folder_load(folder, out->name, &file, err);
    if (e == LLS_E_NOTFOUND)
        return lls_fail(err, LLS_E_BUSY, "'%s/%s' vanished while it was looked for", folder->path,
                        out->name);
    LLS_TRY(e);
    if (file.bytes.len < TAIL)
        return sled_damage(folder, out->name, 0, err, "%zu bytes are no snapshot", file.bytes.len);
    lls_bytes body = {file.bytes.data, file.bytes.len - TAIL};
    const uint8_t *tail = body.data + body.len;
    if (libdeflate_crc32(0, body.data, body.len) != lls_little_get(tail + 8, 4))
        return sled_damage(folder, out->name, 0, err, "the checksum is wrong");
    if (conf->compressed) {
        LLS_TRY(unpack(folder, out->name, body, &plain, err));
        body = lls_buf_view(&plain);
    }
    if (body.len != lls_little_get(tail, 8))
        return sled_damage(folder, out->name, file.bytes.len - TAIL, err, "the length is wrong");
    return take_body(folder, conf, body, out, pages, err);
}

lls_err sled_snapshot_read(const sled_folder *folder, const sled_conf *conf, sled_snapshot *out,
                           sled_pages **pages, lls_error *err)
{
    sled_snapshot found = {0};

    for (int i = 0; i < TRIES; i++) {
        LLS_TRY(next_name(folder, found.name, err));
        lls_err e = found.name[0] ? read_file(folder, conf, &found, pages, err)
                                  : sled_pages_new(folder->db_bytes / SLED_MESSAGE_HEADER_MIN + 1,
                                                   pages, err);
        if (e == LLS_OK)
            *out = found;
        if (e != LLS_E_CORRUPT || !is_unfinished(found.name))
            return e;
    }
    return sled_damage(folder, found.name, 0, err, "more than %d unfinished snapshots", TRIES);
}

static lls_err sweep(const sled_folder *folder, const sled_conf *conf, lls_error *err)
{
    sled_snapshot found = {0};

    for (;;) {
        sled_pages *pages = NULL;
        lls_error why = {0};
        LLS_TRY(next_name(folder, found.name, err));
        if (found.name[0] == '\0')
            return LLS_OK;
        if (!is_unfinished(found.name))
            continue;
        lls_err e = read_file(folder, conf, &found, &pages, &why);
        sled_pages_free(pages);
        if (e == LLS_E_CORRUPT && unlinkat(folder->fd, found.name, 0) != 0)
            return lls_fail_sys(err, errno, "remove '%s/%s', which is unfinished", folder->path,
                                found.name);
    }
}

lls_err sled_snapshot_sweep(const char *path, lls_error *err)
{
    sled_folder folder;
    sled_conf conf;

    lls_err e = sled_folder_open(path, &folder, err);
    if (e == LLS_OK)
        e = sled_conf_read(&folder, &conf, err);
    if (e == LLS_OK)
        e = sweep(&folder, &conf, err);
    sled_folder_close(&folder);
    return e;
}
