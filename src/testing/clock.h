/** clock.h - a clock that stands still until a test moves it. */
#ifndef LLS_TESTING_CLOCK_H
#define LLS_TESTING_CLOCK_H

#include "base/time.h"

typedef struct lls_test_clock {
    lls_clock base; /**< Give its address to whoever wants a clock. */
    int64_t now_usec;
} lls_test_clock;

/** Begin at 2025-01-15T10:30:00Z. */
void lls_test_clock_init(lls_test_clock *clock);

#endif
