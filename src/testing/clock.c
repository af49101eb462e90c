#include "testing/clock.h"

static int64_t now(void *user)
{
    const lls_test_clock *clock = user;

    return clock->now_usec;
}

void lls_test_clock_init(lls_test_clock *clock)
{
    *clock = (lls_test_clock){
        .base = {.now_usec = now, .user = clock},
        .now_usec = INT64_C(1736937000000000),
    };
}
