/**
 * bytes.h - the two views (borrowed) and the one buffer (owned) that carry all data.
 *
 * A view never owns and is passed by value. It lives no longer than what it was taken from; each
 * function that hands one out says how long that is. A buffer owns, and is passed by pointer.
 */
#ifndef LLMSPELL_BYTES_H
#define LLMSPELL_BYTES_H

#include <llmspell/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

LLS_BEGIN_DECLS

/** Any bytes: keys, values, vectors. `data` may be NULL when `len` is 0. */
typedef struct lls_bytes {
    const uint8_t *data;
    size_t len;
} lls_bytes;

/** UTF-8 text, not NUL-terminated. `data` may be NULL when `len` is 0. */
typedef struct lls_str {
    const char *data;
    size_t len;
} lls_str;

#define LLS_STR_INIT(literal)                                                                      \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
#define LLS_STR(literal) ((lls_str)LLS_STR_INIT(literal)) /* not for static initializers */
#define LLS_FMT "%.*s"
#define LLS_ARG(s) (int)(s).len, (const char *)(s).data

static inline lls_bytes lls_bytes_of(lls_str s)
{
    lls_bytes view = {(const uint8_t *)s.data, s.len};

    return view;
}

/** The view of a NUL-terminated string, without its NUL; NULL gives the empty view. */
static inline lls_str lls_str_of(const char *s)
{
    lls_str view = {s, s ? strlen(s) : 0};

    return view;
}

static inline bool lls_bytes_eq(lls_bytes a, lls_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool lls_str_eq(lls_str a, lls_str b)
{
    return lls_bytes_eq(lls_bytes_of(a), lls_bytes_of(b));
}

static inline bool lls_bytes_has_prefix(lls_bytes bytes, lls_bytes prefix)
{
    return bytes.len >= prefix.len &&
           (prefix.len == 0 || memcmp(bytes.data, prefix.data, prefix.len) == 0);
}

/** Order by unsigned bytes, a prefix before what it begins. The order of every scan. */
static inline int lls_bytes_cmp(lls_bytes a, lls_bytes b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.data, b.data, n) : 0;

    return c ? c : (a.len > b.len) - (a.len < b.len);
}

/**
 * A growing buffer with a ceiling. Appending is unchecked: the first failure sticks, later
 * appends do nothing, and `lls_buf_status` is asked once, before the contents are used.
 */
typedef struct lls_buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t max; /**< Largest `len`, in bytes; 0 means LLS_BUF_MAX. */
    lls_err status;
} lls_buf;

#define LLS_BUF_MAX ((size_t)80 << 20) /* 80 MiB: a record of the largest value, and its frame */

LLS_API void lls_buf_add(lls_buf *buf, lls_bytes bytes);
LLS_API void lls_buf_add_str(lls_buf *buf, lls_str text);
LLS_API void lls_buf_add_text(lls_buf *buf,
                              const char *text); /**< NUL-terminated; NUL not added. */
LLS_API void lls_buf_printf(lls_buf *buf, const char *fmt, ...) LLS_PRINTF(2, 3);
LLS_API void lls_buf_reserve(lls_buf *buf, size_t more); /**< Room for `more` further bytes. */
LLS_API void lls_buf_clear(lls_buf *buf); /**< Empty it, keep the memory, forget a failure. */
LLS_API void lls_buf_fini(lls_buf *buf);  /**< Free the memory. A zeroed buffer is fine. */
LLS_API lls_err lls_buf_status(const lls_buf *buf, lls_error *err) LLS_CHECKED;

/** The contents as a NUL-terminated string; the NUL is not counted. "" when that cannot be had. */
LLS_API const char *lls_buf_cstr(lls_buf *buf);

/** What the buffer holds now. Valid until the next call that takes the buffer. */
static inline lls_bytes lls_buf_view(const lls_buf *buf)
{
    lls_bytes view = {buf->data, buf->len};

    return view;
}

/** The same, as text. */
static inline lls_str lls_buf_str(const lls_buf *buf)
{
    lls_str view = {(const char *)buf->data, buf->len};

    return view;
}

LLS_END_DECLS

#endif
