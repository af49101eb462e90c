/**
 * progress.h - how far something has come, on stderr: on a terminal one line that redraws itself,
 * elsewhere a plain line now and then.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/command.h"

/** Zero it but for the first two; nothing has to be freed. */
typedef struct cli_progress {
    const cli_output *out;
    int64_t begun_usec; /**< By cli_monotonic_usec: when the first label began; 0: at its call. */
    char label[64];     /**< "copy agent_state"; a new one begins a new line. */
    int64_t started_usec;
    int64_t shown_usec;
    unsigned shown_percent;
    uint64_t shown_done;
    bool drawn; /**< A line is on the terminal that is not complete. */
} cli_progress;

/** `done` of `total` things; 0 for `total`: not known. Cheap enough for every batch. */
void cli_progress_update(cli_progress *progress, const char *what, const char *component,
                         uint64_t done, uint64_t total);

/** Take the line away, before something else is written to the terminal, and at the end. */
void cli_progress_clear(cli_progress *progress);

#endif
