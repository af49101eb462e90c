#include "backends/hnsw/staged.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/little.h"
#include "base/scope.h"
#include "ports/vec_record.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { FRAME_BYTES = 1 << 20 }; /* from where on a frame is written */

static const hnsw_log_head first_head = {.number = 1, .sequence = 1};

/* ---- walking ---- */

lls_err hnsw_staged_rewind(const char *path, hnsw_staged_walk *walk, lls_error *err)
{
    hnsw_log_head head;

    if (walk->fd < 0)
        walk->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (walk->fd < 0 || lseek(walk->fd, 0, SEEK_SET) != 0)
        return lls_fail_sys(err, errno, "'%s'", path);
    lls_buf_clear(&walk->bytes);
    LLS_TRY(lls_file_take(walk->fd, HNSW_LOG_HEAD, path, &walk->bytes, err));
    lls_err e = hnsw_log_head_decode(lls_buf_view(&walk->bytes), &head, err);
    if (e != LLS_OK)
        return lls_wrap(err, e, "'%s'", path);
    walk->at = HNSW_LOG_HEAD;
    walk->sequence = head.sequence - 1;
    walk->link = head.link;
    walk->changes = (hnsw_change_walk){0};
    return LLS_OK;
}

/* The next frame, whole. */
static lls_err next_frame(hnsw_staged_walk *walk, lls_error *err)
{
    hnsw_frame frame;

    lls_buf_clear(&walk->bytes);
    walk->bytes.max = HNSW_FRAME_MAX;
    LLS_TRY(lls_file_take(walk->fd, HNSW_FRAME_HEAD, "what was staged", &walk->bytes, err));
    if (walk->bytes.len == HNSW_FRAME_HEAD) {
        uint32_t body = lls_little_get_u32(walk->bytes.data);
        if (body > HNSW_FRAME_MAX - HNSW_FRAME_HEAD)
            return lls_fail(err, LLS_E_CORRUPT, "a frame that cannot be");
        LLS_TRY(lls_file_take(walk->fd, body, "what was staged", &walk->bytes, err));
    }
    LLS_TRY(
        hnsw_frame_read(lls_buf_view(&walk->bytes), walk->sequence + 1, walk->link, &frame, err));
    walk->at += frame.all.len;
    walk->sequence = frame.sequence;
    walk->link = frame.link;
    walk->changes = (hnsw_change_walk){frame.body, frame.all.data};
    return LLS_OK;
}

lls_err hnsw_staged_next(hnsw_staged_walk *walk, lls_kv_item *item, lls_error *err)
{
    hnsw_change change;
    lls_err e;

    while ((e = hnsw_change_next(&walk->changes, &change, err)) == LLS_END)
        LLS_TRY(next_frame(walk, err));
    LLS_TRY(e);
    if (change.op != HNSW_OP_PUT)
        return lls_fail(err, LLS_E_CORRUPT, "a change that no stage has");
    *item = change.item;
    return LLS_OK;
}

void hnsw_staged_walk_fini(hnsw_staged_walk *walk)
{
    if (walk->fd >= 0)
        (void)close(walk->fd);
    lls_buf_fini(&walk->bytes);
    *walk = (hnsw_staged_walk){.fd = -1};
}

/* ---- opening ---- */

/* Take over the frames that are whole. */
static lls_err read_frames(hnsw_staged *s, hnsw_staged_walk *walk, lls_error *err)
{
    lls_kv_item item;
    lls_err e;

    LLS_TRY(hnsw_staged_rewind(s->path, walk, err));
    s->at = walk->at;
    s->link = walk->link;
    while ((e = next_frame(walk, err)) == LLS_OK) {
        while ((e = hnsw_staged_next(walk, &item, err)) == LLS_OK) {
            s->count++;
            lls_buf_clear(&s->last);
            lls_buf_add(&s->last, item.key);
            if (walk->changes.rest.len == 0)
                break; // before the next frame
        }
        LLS_TRY(e);
        LLS_TRY(lls_buf_status(&s->last, err));
        s->at = walk->at;
        s->sequence = walk->sequence;
        s->link = walk->link;
    }
    return e == LLS_END || e == LLS_E_CORRUPT ? LLS_OK : e;
}

/* A file with nothing in it. */
static lls_err begin(const char *path, lls_error *err)
{
    uint8_t bytes[HNSW_LOG_HEAD];
    hnsw_log_head head = first_head;

    hnsw_log_head_encode(&head, bytes);
    return lls_file_replace(path, (lls_bytes){bytes, sizeof(bytes)}, 0600, err);
}

static lls_err read_file(hnsw_staged *s, lls_error *err)
{
    hnsw_staged_walk walk = {.fd = -1};

    lls_err e = read_frames(s, &walk, err);
    hnsw_staged_walk_fini(&walk);
    return e;
}

static lls_err open_file(hnsw_staged *s, lls_error *err)
{
    if (!lls_file_exists(s->path))
        LLS_TRY(begin(s->path, err));
    lls_err e = read_file(s, err);
    if (e == LLS_E_CORRUPT) { // not even a head: there is nothing to go on from
        LLS_TRY(begin(s->path, err));
        e = read_file(s, err);
    }
    LLS_TRY(e);
    s->fd = open(s->path, O_WRONLY | O_CLOEXEC);
    if (s->fd < 0 || ftruncate(s->fd, (off_t)s->at) != 0)
        return lls_fail_sys(err, errno, "'%s'", s->path);
    return LLS_OK;
}

lls_err hnsw_staged_open(const char *path, hnsw_staged *out, lls_error *err)
{
    hnsw_staged s = {.fd = -1, .path = lls_alloc(strlen(path) + 1)};

    if (!s.path)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    s.path = strcpy(s.path, path);
    lls_err e = open_file(&s, err);
    if (e == LLS_OK)
        *out = s;
    else
        hnsw_staged_fini(&s);
    return e;
}

void hnsw_staged_fini(hnsw_staged *s)
{
    if (s->path && s->fd >= 0)
        (void)close(s->fd);
    lls_free(s->path);
    lls_buf_fini(&s->frame);
    lls_buf_fini(&s->last);
    *s = (hnsw_staged){.fd = -1};
}

/* ---- adding ---- */

/* What fails stays to be written again, at the same place. */
static lls_err write_frame(hnsw_staged *s, lls_error *err)
{
    if (s->frame.len <= HNSW_FRAME_HEAD)
        return LLS_OK;
    uint32_t link = hnsw_frame_end(&s->frame, s->sequence + 1, s->link);
    LLS_TRY(lls_buf_status(&s->frame, err));
    if (lseek(s->fd, (off_t)s->at, SEEK_SET) < 0)
        return lls_fail_sys(err, errno, "write '%s'", s->path);
    LLS_TRY(lls_file_write(s->fd, lls_buf_view(&s->frame), s->path, err));
    s->at += s->frame.len;
    s->sequence++;
    s->link = link;
    lls_buf_clear(&s->frame);
    return LLS_OK;
}

/* A value that is not canonical is refused as what it is here: an argument. */
static lls_err check_item(const hnsw_staged *s, const lls_kv_item *item, lls_error *err)
{
    LLS_AUTO(lls_buf) floats = {0};
    lls_vec_item unused;
    lls_error why = {0};

    if (s->count && lls_bytes_cmp(lls_buf_view(&s->last), item->key) >= 0)
        return lls_fail(err, LLS_E_INTERNAL, "keys for the stage do not rise");
    lls_err e = lls_vec_record_decode(item, &floats, &unused, &why);
    return e == LLS_OK ? LLS_OK
                       : lls_fail(err, e == LLS_E_CORRUPT ? LLS_E_INVALID : e, "%s", why.msg);
}

lls_err hnsw_staged_add(hnsw_staged *s, lls_str coll, const lls_kv_item *item, lls_error *err)
{
    hnsw_change change = {.op = HNSW_OP_PUT, .coll = coll, .item = *item};

    LLS_TRY(check_item(s, item, err));
    if (s->frame.len >= FRAME_BYTES)
        LLS_TRY(write_frame(s, err));
    lls_buf_reserve(&s->last, item->key.len);
    LLS_TRY(lls_buf_status(&s->last, err));
    size_t before = s->frame.len;
    if (before == 0)
        hnsw_frame_begin(&s->frame);
    hnsw_frame_add(&s->frame, &change);
    if (s->frame.status != LLS_OK) { // take half a change back
        lls_err e = lls_buf_status(&s->frame, err);
        s->frame.status = LLS_OK;
        s->frame.len = before;
        return e;
    }
    lls_buf_clear(&s->last);
    lls_buf_add(&s->last, item->key);
    s->count++;
    return LLS_OK;
}

lls_err hnsw_staged_flush(hnsw_staged *s, lls_error *err)
{
    LLS_TRY(write_frame(s, err));
    if (fdatasync(s->fd) != 0)
        return lls_fail_sys(err, errno, "sync '%s'", s->path);
    return LLS_OK;
}
