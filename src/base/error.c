#include <llmspell/error.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *lls_err_text(lls_err code)
{
    switch (code) {
    case LLS_OK:
        return "ok";
    case LLS_END:
        return "end";
#define LLS_ERR_CASE(name, value, text)                                                            \
    case LLS_E_##name:                                                                             \
        return text;
        LLS_ERR_MAP(LLS_ERR_CASE)
#undef LLS_ERR_CASE
    }
    return "unknown error";
}

lls_err lls_fail(lls_error *err, lls_err code, const char *fmt, ...)
{
    if (!err)
        return code;

    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);
    err->code = code;
    err->sys = 0;
    err->sqlstate[0] = '\0';
    return code;
}

/* Append as much of `text` as fits, and return the new length. */
static size_t append(char *msg, size_t len, const char *text)
{
    size_t n = strnlen(text, LLS_ERROR_MSG_MAX - 1 - len);

    memcpy(msg + len, text, n);
    msg[len + n] = '\0';
    return len + n;
}

/* What the caller can do about an errno. */
static lls_err code_of(int sys)
{
    switch (sys) {
    case ENOENT:
        return LLS_E_NOTFOUND;
    case EEXIST:
        return LLS_E_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return LLS_E_DENIED;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return LLS_E_FULL;
    case ENOMEM:
        return LLS_E_NOMEM;
    default:
        return LLS_E_IO;
    }
}

lls_err lls_fail_sys(lls_error *err, int sys, const char *fmt, ...)
{
    lls_err code = code_of(sys);
    if (!err)
        return code;

    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);
    size_t len = append(err->msg, strlen(err->msg), ": ");
    char text[128];
    if (strerror_r(sys, text, sizeof(text)) != 0)
        text[0] = '\0';
    (void)append(err->msg, len, text);
    err->code = code;
    err->sys = sys;
    err->sqlstate[0] = '\0';
    return code;
}

lls_err lls_wrap(lls_error *err, lls_err code, const char *fmt, ...)
{
    if (!err)
        return code;

    char inner[LLS_ERROR_MSG_MAX];
    (void)append(inner, 0, err->msg[0] ? err->msg : lls_err_text(code));

    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);
    size_t len = append(err->msg, strlen(err->msg), ": ");
    (void)append(err->msg, len, inner);
    err->code = code;
    return code;
}
