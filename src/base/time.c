#include "base/time.h"

#include <time.h>

static const int64_t usec_per_sec = 1000000;
static const int64_t sec_per_day = 86400;

static int64_t read_clock(clockid_t id)
{
    struct timespec now;

    if (clock_gettime(id, &now) != 0)
        return 0;
    return (int64_t)now.tv_sec * usec_per_sec + now.tv_nsec / 1000;
}

int64_t lls_clock_now(const lls_clock *clock)
{
    return clock && clock->now_usec ? clock->now_usec(clock->user) : read_clock(CLOCK_REALTIME);
}

int64_t lls_monotonic_usec(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar. Years run from March, so
 * that the leap day is a year's last. */
static int64_t days_of(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static void date_of(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t from_march = (5 * day_of_year + 2) / 153;

    *day = (int)(day_of_year - (153 * from_march + 2) / 5 + 1);
    *month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

/* At least `digits` digits of `n`, after what stands before `at`; returns where they end. Exports
 * write three of these times a record: printf would take most of their time. */
static char *put_number(char *at, int digits, uint64_t n)
{
    char reversed[20];
    int len = 0;

    for (; n > 0 || len < digits; n /= 10)
        reversed[len++] = (char)('0' + n % 10);
    while (len > 0)
        *at++ = reversed[--len];
    return at;
}

static char *put_after(char *at, char mark, int digits, uint64_t n)
{
    *at++ = mark;
    return put_number(at, digits, n);
}

void lls_time_format(int64_t usec, char out[LLS_TIME_TEXT])
{
    int64_t sec = usec / usec_per_sec;
    int64_t fraction = usec % usec_per_sec;
    if (fraction < 0) {
        fraction += usec_per_sec;
        sec--;
    }
    int64_t days = sec / sec_per_day;
    int64_t rest = sec % sec_per_day;
    if (rest < 0) {
        rest += sec_per_day;
        days--;
    }

    int64_t year;
    int month;
    int day;
    date_of(days, &year, &month, &day);
    char *at = out;
    if (year < 0) // outside what is stored, but shown all the same
        *at++ = '-';
    at = put_number(at, 4, (uint64_t)(year < 0 ? -year : year));
    at = put_after(at, '-', 2, (uint64_t)month);
    at = put_after(at, '-', 2, (uint64_t)day);
    at = put_after(at, 'T', 2, (uint64_t)rest / 3600);
    at = put_after(at, ':', 2, (uint64_t)rest / 60 % 60);
    at = put_after(at, ':', 2, (uint64_t)rest % 60);
    if (fraction)
        at = put_after(at, '.', 6, (uint64_t)fraction);
    *at++ = 'Z';
    *at = '\0';
}

typedef struct cursor {
    const char *at;
    const char *end;
    bool ok;
} cursor;

/* Exactly `digits` decimal digits within [min, max]. */
static int number(cursor *c, int digits, int min, int max)
{
    int n = 0;

    for (int i = 0; i < digits; i++, c->at++) {
        if (c->at == c->end || *c->at < '0' || *c->at > '9') {
            c->ok = false;
            return min;
        }
        n = n * 10 + (*c->at - '0');
    }
    if (n < min || n > max)
        c->ok = false;
    return n;
}

static void expect(cursor *c, const char *one_of)
{
    if (c->at == c->end || !strchr(one_of, *c->at) || !*c->at)
        c->ok = false;
    else
        c->at++;
}

/* ".123456789" in microseconds; digits beyond the sixth are cut. */
static int64_t fraction_of(cursor *c)
{
    if (c->at == c->end || *c->at != '.')
        return 0;
    c->at++;

    int64_t usec = 0;
    int digits = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++, digits++)
        if (digits < 6)
            usec = usec * 10 + (*c->at - '0');
    if (digits == 0 || digits > 9)
        c->ok = false;
    for (; digits < 6; digits++)
        usec *= 10;
    return usec;
}

static int64_t offset_sec(cursor *c)
{
    char sign = c->at < c->end ? *c->at : '\0';

    expect(c, "Zz+-");
    if (!c->ok || sign == 'Z' || sign == 'z')
        return 0;
    int hours = number(c, 2, 0, 23);
    expect(c, ":");
    int minutes = number(c, 2, 0, 59);
    int64_t sec = hours * 3600 + minutes * 60;
    return sign == '-' ? -sec : sec;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

lls_err lls_time_parse(lls_str text, int64_t *usec, lls_error *err)
{
    if (text.len == 0) // `data` may be NULL
        return lls_fail(err, LLS_E_PARSE, "'' is not an RFC 3339 time");

    cursor c = {text.data, text.data + text.len, true};
    int year = number(&c, 4, 1, 9999);
    expect(&c, "-");
    int month = number(&c, 2, 1, 12);
    expect(&c, "-");
    int day = number(&c, 2, 1, 31);
    expect(&c, "Tt ");
    int hour = number(&c, 2, 0, 23);
    expect(&c, ":");
    int minute = number(&c, 2, 0, 59);
    expect(&c, ":");
    int second = number(&c, 2, 0, 59);
    int64_t fraction = fraction_of(&c);
    int64_t offset = offset_sec(&c);

    if (!c.ok || c.at != c.end || day > days_in(year, month))
        return lls_fail(err, LLS_E_PARSE, "'" LLS_FMT "' is not an RFC 3339 time", LLS_ARG(text));
    int64_t sec = days_of(year, month, day) * sec_per_day + hour * 3600 + minute * 60 + second;
    int64_t result = (sec - offset) * usec_per_sec + fraction;
    if (result < LLS_TIME_MIN_USEC || result > LLS_TIME_MAX_USEC)
        return lls_fail(err, LLS_E_PARSE, "'" LLS_FMT "' is outside the years 1 to 9999",
                        LLS_ARG(text));
    *usec = result;
    return LLS_OK;
}
