#include "tools/lines.h"

#include "base/scope.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

enum { BLOCK = 256 << 10 };

// Read one more block behind what is there.
static lls_err fill(lls_lines *lines, lls_error *err)
{
    if (lines->begin) {
        memmove(lines->buf.data, lines->buf.data + lines->begin, lines->buf.len - lines->begin);
        lines->buf.len -= lines->begin;
        lines->scanned -= lines->begin;
        lines->begin = 0;
    }
    lls_buf_reserve(&lines->buf, BLOCK);
    LLS_TRY(lls_buf_status(&lines->buf, err));

    ssize_t n = read(lines->fd, lines->buf.data + lines->buf.len, BLOCK);
    while (n < 0 && errno == EINTR) {
        if (lines->cancel && *lines->cancel)
            return lls_fail(err, LLS_E_CANCELLED, "cancelled behind line %" PRIu64, lines->number);
        n = read(lines->fd, lines->buf.data + lines->buf.len, BLOCK);
    }
    if (n < 0)
        return lls_fail_sys(err, errno, "line %" PRIu64 ": read", lines->number + 1);
    lines->ended = n == 0;
    lines->buf.len += (size_t)n;
    lines->bytes += (uint64_t)n;
    return LLS_OK;
}

// Where the line that begins at `begin` ends: at its line break, or where the file does.
static lls_err find_end(lls_lines *lines, size_t *end, lls_error *err)
{
    for (;;) {
        const uint8_t *data = lines->buf.data;
        size_t unseen = lines->buf.len - lines->scanned;
        const uint8_t *lf = unseen ? memchr(data + lines->scanned, '\n', unseen) : NULL;

        *end = lf ? (size_t)(lf - data) : lines->buf.len;
        if (*end - lines->begin > lines->max)
            return lls_fail(err, LLS_E_PARSE, "line %" PRIu64 ": longer than %zu bytes",
                            lines->number + 1, lines->max);
        if (lf || lines->ended)
            return LLS_OK;
        lines->scanned = lines->buf.len;
        LLS_TRY(fill(lines, err));
    }
}

lls_err lls_lines_next(lls_lines *lines, lls_str *line, lls_error *err)
{
    size_t end = 0;

    if (lines->max == 0)
        lines->max = LLS_LINE_MAX;
    lines->buf.max = lines->max + 2 * BLOCK;
    LLS_TRY(find_end(lines, &end, err));
    if (lines->begin == lines->buf.len)
        return LLS_END;

    lls_str found = {(const char *)lines->buf.data + lines->begin, end - lines->begin};
    if (lines->number == 0 && found.len >= 3 && memcmp(found.data, "\xEF\xBB\xBF", 3) == 0)
        return lls_fail(
            err, LLS_E_PARSE,
            "line 1: begins with a byte order mark: write the file as UTF-8 without it");
    if (found.len && found.data[found.len - 1] == '\r')
        found.len--;
    lines->begin = end < lines->buf.len ? end + 1 : end;
    lines->scanned = lines->begin;
    lines->number++;
    *line = found;
    return LLS_OK;
}

void lls_lines_fini(lls_lines *lines)
{
    lls_buf_fini(&lines->buf);
    *lines = (lls_lines){.fd = -1};
}
