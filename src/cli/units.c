#define _GNU_SOURCE // strptime, timegm
#include "cli/units.h"

#include <inttypes.h>
#include <time.h>

static int64_t clock_usec(clockid_t clock)
{
    struct timespec now = {0};

    (void)clock_gettime(clock, &now); // both clocks exist on every system that we run on
    return (int64_t)now.tv_sec * CLI_SECOND_USEC + now.tv_nsec / 1000;
}

int64_t cli_now_usec(void)
{
    return clock_usec(CLOCK_REALTIME);
}

int64_t cli_monotonic_usec(void)
{
    return clock_usec(CLOCK_MONOTONIC);
}

static bool parse_digits(const char **text, uint64_t *number)
{
    const char *at = *text;
    uint64_t sum = 0;

    if (*at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        if (sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *text = at;
    *number = sum;
    return true;
}

bool cli_parse_number(const char *text, uint64_t *number)
{
    uint64_t parsed;

    if (!parse_digits(&text, &parsed) || *text != '\0')
        return false;
    *number = parsed;
    return true;
}

bool cli_parse_duration(const char *text, int64_t *usec)
{
    static const char units[] = "smhdw";
    static const int64_t seconds[] = {1, 60, 3600, 86400, 604800};
    const int64_t century = INT64_C(3155760000); // longer is a typing mistake, and would overflow
    uint64_t number;
    const char *unit;

    if (!parse_digits(&text, &number) || text[0] == '\0' || text[1] != '\0')
        return false;
    unit = strchr(units, text[0]);
    if (!unit || number == 0 || number > (uint64_t)(century / seconds[unit - units]))
        return false;
    *usec = (int64_t)number * seconds[unit - units] * CLI_SECOND_USEC;
    return true;
}

bool cli_parse_moment(const char *text, int64_t *usec)
{
    struct tm utc = {0};
    int64_t ago;

    if (cli_parse_duration(text, &ago)) {
        *usec = cli_now_usec() - ago;
        return true;
    }
    const char *end = strptime(text, "%Y-%m-%d", &utc);
    if (end && *end == 'T')
        end = strptime(end, "T%H:%M:%SZ", &utc);
    if (!end || *end != '\0')
        return false;
    *usec = (int64_t)timegm(&utc) * CLI_SECOND_USEC;
    return true;
}

const char *cli_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

void cli_add_time(lls_buf *out, int64_t usec)
{
    time_t seconds = (time_t)(usec / CLI_SECOND_USEC);
    struct tm utc;
    char text[40];

    if (usec < 0 || !gmtime_r(&seconds, &utc) ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc) == 0)
        lls_buf_printf(out, "%" PRId64, usec);
    else
        lls_buf_printf(out, "%s.%06" PRId64 "Z", text, usec % CLI_SECOND_USEC);
}

void cli_add_duration(lls_buf *out, int64_t usec)
{
    int64_t seconds = usec / CLI_SECOND_USEC;

    if (seconds < 1)
        lls_buf_printf(out, "%" PRId64 " ms", usec / 1000);
    else if (seconds < 60)
        lls_buf_printf(out, "%.1f s", (double)usec / 1e6);
    else if (seconds < 3600)
        lls_buf_printf(out, "%" PRId64 " min %" PRId64 " s", seconds / 60, seconds % 60);
    else
        lls_buf_printf(out, "%" PRId64 " h %" PRId64 " min", seconds / 3600, seconds / 60 % 60);
}

void cli_add_bytes(lls_buf *out, uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double scaled = (double)bytes / 1024;
    size_t unit = 0;

    if (bytes < 1024) {
        lls_buf_printf(out, "%" PRIu64 " B", bytes);
        return;
    }
    for (; scaled >= 1024 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        scaled /= 1024;
    lls_buf_printf(out, "%.1f %s", scaled, units[unit]);
}
