/** pace.h - when to tell a person how far something is: often enough, and not too often. */
#ifndef LLS_TOOLS_PACE_H
#define LLS_TOOLS_PACE_H

#include <stdbool.h>
#include <stdint.h>

/** Zeroed at the start. */
typedef struct lls_pace {
    uint64_t told;    /**< What `done` was when it was last due. */
    uint64_t looked;  /**< What `done` was when the clock was last read. */
    int64_t due_usec; /**< On the monotonic clock; 0: not started. */
} lls_pace;

/** Whether `done` things are worth a word: 10,000 more than last time, or 200 ms later. */
bool lls_pace_due(lls_pace *pace, uint64_t done);

#endif
