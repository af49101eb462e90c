#include "tools/msgpack_file.h"

#include "base/file.h"
#include "base/packed.h"
#include "base/scope.h"

#include <inttypes.h>
#include <unistd.h>

enum { STEP = 256 << 10, VALUE_MAX = 64 << 20, LIST_HEAD_MAX = 5 };

static const char name[] = "the vectors";

lls_err lls_msgpack_file_seek(lls_msgpack_file *file, uint64_t offset, lls_error *err)
{
    if (lseek(file->fd, (off_t)offset, SEEK_SET) < 0)
        return lls_fail(err, LLS_E_INVALID, "it is read twice: give a file, not a pipe");
    lls_buf_clear(&file->window);
    file->at = 0;
    file->offset = offset;
    file->ended = false;
    return LLS_OK;
}

static lls_bytes rest_of(const lls_msgpack_file *file)
{
    if (file->window.len == 0)
        return (lls_bytes){0};
    return (lls_bytes){file->window.data + file->at, file->window.len - file->at};
}

/* Read as much again as is there, so that a long value is looked at only a few times. */
static lls_err read_on(lls_msgpack_file *file, lls_error *err)
{
    lls_bytes rest = rest_of(file);
    size_t more = rest.len > STEP ? rest.len : STEP;

    if (rest.len && file->at)
        memmove(file->window.data, rest.data, rest.len);
    file->window.len = rest.len;
    file->offset += file->at;
    file->at = 0;
    file->window.max = (size_t)2 * VALUE_MAX + STEP;
    LLS_TRY(lls_file_take(file->fd, more, name, &file->window, err));
    file->ended = file->window.len < rest.len + more;
    return LLS_OK;
}

static lls_err cut_off(const lls_msgpack_file *file, lls_error *err)
{
    return lls_fail(err, LLS_E_PARSE, "the file ends within the value at byte %" PRIu64,
                    lls_msgpack_file_place(file));
}

static lls_err none(const lls_msgpack_file *file, const char *what, lls_error *err)
{
    return lls_fail(err, LLS_E_PARSE, "at byte %" PRIu64 ": %s", lls_msgpack_file_place(file),
                    what);
}

lls_err lls_msgpack_file_value(lls_msgpack_file *file, lls_bytes *out, lls_error *err)
{
    for (;;) {
        lls_bytes rest = rest_of(file);
        bool malformed = false;
        size_t len = rest.len ? lls_packed_length(rest, &malformed) : 0;

        if (len > 0) {
            *out = (lls_bytes){rest.data, len};
            file->at += len;
            return LLS_OK;
        }
        if (malformed)
            return none(file, "values are nested too deeply", err);
        if (rest.len >= VALUE_MAX)
            return none(file, "a value of more than 64 MiB", err);
        if (file->ended)
            return cut_off(file, err);
        LLS_TRY(read_on(file, err));
    }
}

lls_err lls_msgpack_file_list(lls_msgpack_file *file, uint64_t *count, lls_error *err)
{
    size_t head;

    while (rest_of(file).len < LIST_HEAD_MAX && !file->ended)
        LLS_TRY(read_on(file, err));
    if (rest_of(file).len == 0)
        return cut_off(file, err);
    if (!lls_packed_list(rest_of(file), &head, count))
        return none(file, "not the list that stands there in a vectors.msgpack", err);
    file->at += head;
    return LLS_OK;
}

lls_err lls_msgpack_file_is_done(lls_msgpack_file *file, bool *done, lls_error *err)
{
    if (rest_of(file).len == 0 && !file->ended)
        LLS_TRY(read_on(file, err));
    *done = rest_of(file).len == 0;
    return LLS_OK;
}
