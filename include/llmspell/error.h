/**
 * error.h - how every fallible call in this library reports failure.
 *
 * A fallible function returns `lls_err` and takes a `lls_error *` last. The code says what the
 * caller can do about it; the message says what happened, for a person. The caller owns the
 * `lls_error`, usually on its stack, and may pass NULL where the code alone will do.
 */
#ifndef LLMSPELL_ERROR_H
#define LLMSPELL_ERROR_H

#ifdef __cplusplus
#define LLS_BEGIN_DECLS extern "C" {
#define LLS_END_DECLS }
#else
#define LLS_BEGIN_DECLS
#define LLS_END_DECLS
#endif

#define LLS_API __attribute__((visibility("default")))
#define LLS_CHECKED __attribute__((warn_unused_result))
#define LLS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* A code earns its place when some caller branches on it. */
#define LLS_ERR_MAP(X)                                                                             \
    X(NOTFOUND, -1, "not found")                                                                   \
    X(EXISTS, -2, "already exists")                                                                \
    X(INVALID, -3, "invalid argument")                                                             \
    X(PARSE, -4, "malformed input")                                                                \
    X(CONFLICT, -5, "changed by another writer")                                                   \
    X(UNAVAILABLE, -6, "backend not reachable")                                                    \
    X(DENIED, -7, "permission denied")                                                             \
    X(FULL, -8, "limit reached")                                                                   \
    X(CORRUPT, -9, "stored data is corrupt")                                                       \
    X(MISMATCH, -10, "source and target differ")                                                   \
    X(UNSUPPORTED, -11, "not supported by this backend")                                           \
    X(CANCELLED, -12, "cancelled")                                                                 \
    X(IO, -13, "input/output error")                                                               \
    X(NOMEM, -14, "out of memory")                                                                 \
    X(INTERNAL, -15, "internal error")                                                             \
    X(BUSY, -16, "in use by somebody else")                                                        \
    X(NEWER, -17, "written by a newer version")

typedef enum lls_err {
    LLS_OK = 0,
    LLS_END = 1, /**< An iterator has nothing more to give. Not a failure. */
#define LLS_ERR_ENUM(name, value, text) LLS_E_##name = (value),
    LLS_ERR_MAP(LLS_ERR_ENUM)
#undef LLS_ERR_ENUM
} lls_err;

#define LLS_ERROR_MSG_MAX 512

typedef struct lls_error {
    lls_err code;
    int sys;                     /**< errno at the point of failure, or 0. */
    char sqlstate[6];            /**< What an SQL server said, e.g. "28P01"; "" otherwise. */
    char msg[LLS_ERROR_MSG_MAX]; /**< One line, no final stop; "" when nothing failed. */
} lls_error;

LLS_BEGIN_DECLS

/** The fixed text for `code`, e.g. "not found". Never NULL. */
LLS_API const char *lls_err_text(lls_err code);

/** Record a failure and return `code`, so that `return lls_fail(err, ...)` is one statement. */
LLS_API lls_err lls_fail(lls_error *err, lls_err code, const char *fmt, ...) LLS_PRINTF(3, 4);

/** The same for a failed system call: keep `sys`, an errno, and end the message with its text. */
LLS_API lls_err lls_fail_sys(lls_error *err, int sys, const char *fmt, ...) LLS_PRINTF(3, 4);

/** Put "context: " before the recorded message and return `code` unchanged. */
LLS_API lls_err lls_wrap(lls_error *err, lls_err code, const char *fmt, ...) LLS_PRINTF(3, 4);

LLS_END_DECLS

#endif
