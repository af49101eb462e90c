/** units.h - times, durations, sizes and counts, as people write and read them. */
#ifndef CLI_UNITS_H
#define CLI_UNITS_H

#include <llmspell/bytes.h>

#define CLI_SECOND_USEC INT64_C(1000000)

int64_t cli_now_usec(void);       /**< Microseconds since 1970-01-01 UTC. */
int64_t cli_monotonic_usec(void); /**< Microseconds since some moment; never goes back. */

/** "30d", "12h", "15m", "90s", "2w". False when it is not one, or not greater than 0. */
bool cli_parse_duration(const char *text, int64_t *usec);

/** "2025-01-15", "2025-01-15T10:30:00Z" (UTC), or a duration: so long ago. */
bool cli_parse_moment(const char *text, int64_t *usec);

/** A whole number of decimal digits. */
bool cli_parse_number(const char *text, uint64_t *number);

/** The ending of a noun behind a number: "1 record", "2 records". */
const char *cli_plural(uint64_t count);

/* All of these append. */
void cli_add_time(lls_buf *out, int64_t usec);     /**< RFC 3339, UTC, with microseconds. */
void cli_add_duration(lls_buf *out, int64_t usec); /**< "350 ms", "4.2 s", "3 min 20 s". */
void cli_add_bytes(lls_buf *out, uint64_t bytes);  /**< "17 B", "4.0 KiB". */

#endif
