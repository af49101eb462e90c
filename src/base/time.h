/**
 * time.h - moments as microseconds since 1970-01-01 UTC, their RFC 3339 text, and the clock.
 */
#ifndef LLS_BASE_TIME_H
#define LLS_BASE_TIME_H

#include <llmspell/bytes.h>

/** Where the time comes from; a test supplies its own. */
typedef struct lls_clock {
    int64_t (*now_usec)(void *user);
    void *user;
} lls_clock;

/* The moments that every backend can hold: the years 0001 to 9999. */
#define LLS_TIME_MIN_USEC INT64_C(-62135596800000000)
#define LLS_TIME_MAX_USEC INT64_C(253402300799999999)

static inline bool lls_time_is_good(int64_t usec)
{
    return usec >= LLS_TIME_MIN_USEC && usec <= LLS_TIME_MAX_USEC;
}

/** Ask `clock`, or the system's real-time clock when it is NULL. */
int64_t lls_clock_now(const lls_clock *clock);

/** Microseconds on a clock that never goes back: for durations only. */
int64_t lls_monotonic_usec(void);

/** Longest text that lls_time_format writes, NUL included. */
enum { LLS_TIME_TEXT = 32 };

/** Write "2025-01-15T10:30:00.123456Z" (the fraction only when there is one). */
void lls_time_format(int64_t usec, char out[LLS_TIME_TEXT]);

/** Read RFC 3339 with any offset and 0 to 9 digits of fraction. Errors: LLS_E_PARSE. */
lls_err lls_time_parse(lls_str text, int64_t *usec, lls_error *err) LLS_CHECKED;

#endif
