#include "base/alloc.h"
#include "base/scope.h"
#include "migrate/backup.h"
#include "migrate/backup_file.h"
#include "ports/record.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024 };

typedef struct backup_iter {
    lls_kv_iter base;
    lls_fd fd;
    lls_buf path;
    lls_buf text;    /* what was read and not yet handed out, behind `from` */
    size_t from;     /* where the next line begins */
    lls_buf scratch; /* of the record handed out last */
    uint64_t line;   /* its number, from 1 */
    lls_err status;  /* what ended the scan; it repeats */
} backup_iter;

static const lls_kv_iter_ops iter_ops;

static backup_iter *downcast(lls_kv_iter *it)
{
    assert(it->ops == &iter_ops); // the ops pointer is the type tag
    return LLS_OUTER(it, backup_iter, base);
}

/* Read on. LLS_END: the file has ended. */
static lls_err read_more(backup_iter *it, lls_error *err)
{
    if (it->from > 0) {
        it->text.len -= it->from;
        memmove(it->text.data, it->text.data + it->from, it->text.len);
        it->from = 0;
    }
    lls_buf_reserve(&it->text, CHUNK);
    LLS_TRY(lls_buf_status(&it->text, err));
    for (;;) {
        ssize_t n = read(it->fd, it->text.data + it->text.len, CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lls_fail_sys(err, errno, "read '%s'", lls_buf_cstr(&it->path));
        it->text.len += (size_t)n;
        return n > 0 ? LLS_OK : LLS_END;
    }
}

/* The next line without its end. LLS_END: there is none. */
static lls_err next_line(backup_iter *it, lls_str *line, lls_error *err)
{
    size_t seen = it->from;

    for (;;) {
        size_t more = it->text.len - seen;
        const uint8_t *end = more ? memchr(it->text.data + seen, '\n', more) : NULL;
        if (end) {
            const uint8_t *begin = it->text.data + it->from;
            *line = (lls_str){(const char *)begin, (size_t)(end - begin)};
            it->from += line->len + 1;
            it->line++;
            return LLS_OK;
        }
        seen = it->text.len - it->from; // read_more moves what is left to the front
        lls_err e = read_more(it, err);
        if (e == LLS_END && it->text.len > it->from)
            return lls_fail(err, LLS_E_CORRUPT, "'%s' ends inside a line", lls_buf_cstr(&it->path));
        if (e != LLS_OK)
            return e;
    }
}

static lls_err backup_next(lls_kv_iter *base, lls_kv_item *item, lls_error *err)
{
    backup_iter *it = downcast(base);
    lls_str line;

    if (it->status == LLS_OK)
        it->status = next_line(it, &line, err);
    if (it->status != LLS_OK)
        return it->status;
    lls_err e = lls_record_from_line(line, &it->scratch, item, err);
    if (e == LLS_OK)
        return e;
    it->status = e == LLS_E_NOMEM ? e : LLS_E_CORRUPT;
    return lls_wrap(err, it->status, "'%s' line %llu", lls_buf_cstr(&it->path),
                    (unsigned long long)it->line);
}

static void backup_close(lls_kv_iter *base)
{
    backup_iter *it = downcast(base);

    lls_fd_auto(&it->fd);
    lls_buf_fini(&it->path);
    lls_buf_fini(&it->text);
    lls_buf_fini(&it->scratch);
    lls_free(it);
}

static const lls_kv_iter_ops iter_ops = {.next = backup_next, .close = backup_close};

lls_err lls_backup_scan(const lls_run *run, size_t part, lls_kv_iter **out, lls_error *err)
{
    backup_iter *it = lls_alloc(sizeof(*it));
    if (!it)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    LLS_AUTO(lls_kv_iter_ref) owned = &it->base;

    it->base.ops = &iter_ops;
    it->fd = -1;
    it->text.max = LLS_BACKUP_LINE_MAX + CHUNK;
    it->scratch.max = LLS_BACKUP_LINE_MAX;
    lls_buf_printf(&it->path, "%s/source/%s.jsonl", run->folder, run->parts[part].want->name);
    LLS_TRY(lls_buf_status(&it->path, err));
    it->fd = open(lls_buf_cstr(&it->path), O_RDONLY | O_CLOEXEC);
    if (it->fd < 0)
        return lls_fail_sys(err, errno, "read '%s'", lls_buf_cstr(&it->path));
    *out = owned;
    owned = NULL;
    return LLS_OK;
}
