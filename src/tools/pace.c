#include "tools/pace.h"

#include "base/time.h"

enum { STEP = 10000, LOOK = 64, WAIT_USEC = 200000 };

bool lls_pace_due(lls_pace *pace, uint64_t done)
{
    bool many = done - pace->told >= STEP;

    // Reading the clock for each record would cost more than some records do.
    if (!many && pace->due_usec && done - pace->looked < LOOK)
        return false;
    pace->looked = done;

    int64_t now = lls_monotonic_usec();
    if (pace->due_usec == 0)
        pace->due_usec = now + WAIT_USEC;
    if (!many && now < pace->due_usec)
        return false;
    pace->told = done;
    pace->due_usec = now + WAIT_USEC;
    return true;
}
