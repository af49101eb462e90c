#include "base/alloc.h"

#include <llmspell/bytes.h>

#include <stdarg.h>
#include <stdio.h>

enum { BUF_MIN = 64 };

static bool grow(lls_buf *buf, size_t need)
{
    size_t max = buf->max ? buf->max : LLS_BUF_MAX;
    if (need > max) {
        buf->status = LLS_E_FULL;
        return false;
    }

    size_t cap = buf->cap ? buf->cap : max < BUF_MIN ? max : BUF_MIN;
    while (cap < need)
        cap = cap > max / 2 ? max : cap * 2;

    uint8_t *data = lls_resize(buf->data, cap);
    if (!data) {
        buf->status = LLS_E_NOMEM;
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

void lls_buf_add(lls_buf *buf, lls_bytes bytes)
{
    if (buf->status != LLS_OK || bytes.len == 0)
        return;
    if (bytes.len > SIZE_MAX - buf->len) {
        buf->status = LLS_E_FULL;
        return;
    }
    if (buf->len + bytes.len > buf->cap && !grow(buf, buf->len + bytes.len))
        return;
    memcpy(buf->data + buf->len, bytes.data, bytes.len);
    buf->len += bytes.len;
}

void lls_buf_add_str(lls_buf *buf, lls_str text)
{
    lls_buf_add(buf, lls_bytes_of(text));
}

void lls_buf_add_text(lls_buf *buf, const char *text)
{
    lls_buf_add_str(buf, lls_str_of(text));
}

void lls_buf_reserve(lls_buf *buf, size_t more)
{
    if (buf->status != LLS_OK || more <= buf->cap - buf->len)
        return;
    if (more > SIZE_MAX - buf->len)
        buf->status = LLS_E_FULL;
    else
        (void)grow(buf, buf->len + more);
}

void lls_buf_printf(lls_buf *buf, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int need = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (need < 0)
        return;

    lls_buf_reserve(buf, (size_t)need + 1);
    if (buf->status != LLS_OK)
        return;
    va_start(ap, fmt);
    (void)vsnprintf((char *)buf->data + buf->len, (size_t)need + 1, fmt, ap);
    va_end(ap);
    buf->len += (size_t)need;
}

const char *lls_buf_cstr(lls_buf *buf)
{
    lls_buf_reserve(buf, 1);
    if (buf->status != LLS_OK)
        return "";
    buf->data[buf->len] = '\0';
    return (const char *)buf->data;
}

void lls_buf_clear(lls_buf *buf)
{
    buf->len = 0;
    buf->status = LLS_OK;
}

void lls_buf_fini(lls_buf *buf)
{
    lls_free(buf->data);
    *buf = (lls_buf){.max = buf->max};
}

lls_err lls_buf_status(const lls_buf *buf, lls_error *err)
{
    if (buf->status == LLS_OK)
        return LLS_OK;
    return lls_fail(err, buf->status, "buffer of %zu bytes: %s", buf->len,
                    lls_err_text(buf->status));
}
