#include "backends/sled/page.h"

#include "backends/sled/blob.h"
#include "backends/sled/walk.h"
#include "backends/sled/wire.h"
#include "base/alloc.h"
#include "base/scope.h"

#include <inttypes.h>

enum { FIRST_READ = 512 }; /* bytes, when nobody knows how long the message is */

static lls_err part_damage(const sled_source *source, uint64_t number, const sled_part *part,
                           const char *what, lls_error *err)
{
    char name[SLED_BLOB_NAME];

    if (!sled_kind_is_blob((sled_kind)part->kind))
        return sled_damage(source->folder, "db", part->where, err, "page %" PRIu64 ": %s", number,
                           what);
    sled_blob_name((int64_t)part->where, name);
    return sled_damage(source->folder, name, 0, err, "page %" PRIu64 ": %s", number, what);
}

lls_err sled_page_damage(const sled_page *page, const sled_source *source, size_t index,
                         const char *what, lls_error *err)
{
    return part_damage(source, page->number, page->items[index].part, what, err);
}

static lls_err no_memory(uint64_t number, lls_error *err)
{
    return lls_fail(err, LLS_E_NOMEM, "out of memory for page %" PRIu64, number);
}

/* Room for one more of `size` bytes. */
static bool grow(void **items, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return true;
    size_t more = *cap ? *cap * 2 : 16;
    void *moved = lls_resize(*items, more * size);
    if (!moved)
        return false;
    *items = moved;
    *cap = more;
    return true;
}

static void empty(sled_page *page)
{
    for (size_t i = 0; i < page->file_count; i++)
        sled_file_fini(&page->files[i]);
    page->file_count = 0;
    page->count = 0;
    lls_buf_clear(&page->raw);
    lls_buf_clear(&page->plain);
}

void sled_page_fini(sled_page *page)
{
    empty(page);
    lls_free(page->items);
    lls_free(page->files);
    lls_buf_fini(&page->raw);
    lls_buf_fini(&page->plain);
    sled_unzstd_fini(&page->unzstd);
    *page = (sled_page){0};
}

/* Unpack a payload that is framed as {varint length, zstd frame}. */
static lls_err unpack(sled_page *page, const sled_source *source, lls_bytes framed,
                      sled_payload *payload, lls_error *err)
{
    sled_wire wire = sled_wire_of(framed);
    lls_bytes frame = sled_wire_bytes(&wire);

    page->plain.max = SLED_PAYLOAD_MAX;
    payload->store = SLED_STORE_PLAIN;
    payload->offset = page->plain.len;
    lls_err e = sled_wire_done(&wire) ? sled_unzstd_frame(&page->unzstd, frame, &page->plain)
                                      : LLS_E_CORRUPT;
    payload->len = page->plain.len - payload->offset;
    if (e == LLS_E_NOMEM)
        return no_memory(page->number, err);
    if (e != LLS_OK)
        return part_damage(
            source, page->number, payload->part,
            e == LLS_E_FULL ? "it is over the limit of 1 GiB" : "the zstd frame is damaged", err);
    return LLS_OK;
}

/* Read `len` bytes of the log to the end of `raw`, over what is there from `start` on. */
static lls_err read_raw(sled_page *page, const sled_source *source, const sled_part *part,
                        size_t start, size_t len, lls_error *err)
{
    page->raw.len = start;
    lls_buf_reserve(&page->raw, len);
    if (page->raw.status == LLS_E_FULL)
        return part_damage(source, page->number, part, "it has too many parts", err);
    if (page->raw.status != LLS_OK)
        return no_memory(page->number, err);
    LLS_TRY(sled_folder_read(source->folder, part->where, page->raw.data + start, len, err));
    page->raw.len = start + len;
    return LLS_OK;
}

static bool is_the_part(const sled_page *page, const sled_source *source, const sled_part *part,
                        const sled_message *message, const uint8_t *start)
{
    return message->page == page->number && message->kind == (sled_kind)part->kind &&
           message->segment == (uint64_t)part->lsn / source->conf->segment_bytes &&
           sled_message_verify(start, message);
}

/* A message in the log. A snapshot does not always tell its length. */
static lls_err load_message(sled_page *page, const sled_source *source, sled_payload *payload,
                            lls_error *err)
{
    const sled_part *part = payload->part;
    uint64_t size = source->conf->segment_bytes;
    size_t start = page->raw.len;
    sled_message message;

    if (part->where >= source->folder->db_bytes)
        return part_damage(source, page->number, part, "the file ends before it", err);
    uint64_t left = size - part->where % size;
    if (left > source->folder->db_bytes - part->where)
        left = source->folder->db_bytes - part->where;
    size_t wanted = part->len ? part->len : FIRST_READ;
    wanted = wanted < left ? wanted : (size_t)left;
    LLS_TRY(read_raw(page, source, part, start, wanted, err));
    bool whole = sled_message_parse((lls_bytes){page->raw.data + start, wanted}, &message);
    if (!whole && wanted < left) {
        LLS_TRY(read_raw(page, source, part, start, (size_t)left, err));
        whole = sled_message_parse((lls_bytes){page->raw.data + start, (size_t)left}, &message);
    }
    if (!whole || !is_the_part(page, source, part, &message, page->raw.data + start))
        return part_damage(source, page->number, part, "the message is damaged", err);
    page->raw.len = start + sled_message_len(&message);
    payload->store = SLED_STORE_RAW;
    payload->offset = start + message.header_len;
    payload->len = message.body.len;
    return source->conf->compressed ? unpack(page, source, message.body, payload, err) : LLS_OK;
}

static lls_err load_blob(sled_page *page, const sled_source *source, sled_payload *payload,
                         lls_error *err)
{
    const sled_part *part = payload->part;
    sled_blob_state state = SLED_BLOB_ABSENT;
    void *files = page->files;

    if (!grow(&files, page->file_count, &page->file_cap, sizeof(*page->files)))
        return no_memory(page->number, err);
    page->files = files;
    sled_file *file = &page->files[page->file_count];
    LLS_TRY(sled_blob_load(source->folder, (int64_t)part->where, file, &state, err));
    if (state != SLED_BLOB_GOOD)
        return part_damage(source, page->number, part,
                           state == SLED_BLOB_ABSENT ? "the blob is missing"
                                                     : "the blob's checksum is wrong",
                           err);
    payload->file = page->file_count++;
    if (file->bytes.data[4] != part->kind)
        return part_damage(source, page->number, part, "the blob is of another kind", err);
    payload->store = SLED_STORE_FILE;
    payload->offset = SLED_BLOB_HEADER;
    payload->len = file->bytes.len - SLED_BLOB_HEADER;
    lls_bytes framed = {file->bytes.data + payload->offset, payload->len};
    return source->conf->compressed ? unpack(page, source, framed, payload, err) : LLS_OK;
}

lls_err sled_page_load(sled_page *page, const sled_source *source, uint64_t number, lls_error *err)
{
    const sled_part *part = sled_pages_first(source->pages, number);

    empty(page);
    page->number = number;
    if (!part)
        return LLS_E_NOTFOUND;
    for (; part; part = sled_pages_next(source->pages, part)) {
        void *items = page->items;
        if (!grow(&items, page->count, &page->cap, sizeof(*page->items)))
            return no_memory(number, err);
        page->items = items;
        sled_payload payload = {.part = part};
        if (sled_kind_is_blob((sled_kind)part->kind))
            LLS_TRY(load_blob(page, source, &payload, err));
        else
            LLS_TRY(load_message(page, source, &payload, err));
        page->items[page->count++] = payload;
    }
    return LLS_OK;
}

lls_bytes sled_page_payload(const sled_page *page, size_t index)
{
    const sled_payload *payload = &page->items[index];
    const uint8_t *from = payload->store == SLED_STORE_RAW ? page->raw.data
                          : payload->store == SLED_STORE_PLAIN
                              ? page->plain.data
                              : page->files[payload->file].bytes.data;

    return (lls_bytes){from ? from + payload->offset : NULL, payload->len};
}
