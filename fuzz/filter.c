/* A filter is refused with a message or answers; and its operations agree with one another. The
 * input: a path, a value and another one, each up to a line break, then the metadata. */
#include "ports/filter.h"

#include "base/json.h"
#include "base/scope.h"
#include "fuzz.h"

static lls_str take_line(lls_str *rest)
{
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    lls_str line = {rest->data, end ? (size_t)(end - rest->data) : rest->len};
    size_t taken = end ? line.len + 1 : line.len;

    if (taken) {
        rest->data += taken;
        rest->len -= taken;
    }
    return line;
}

/* 1: lets it through; 0: does not; -1: the filter was refused. */
static int ask(const lls_filter_term *terms, size_t count, lls_str metadata)
{
    const lls_filter filter = {.terms = terms, .term_count = count};
    const lls_filter_subject subject = {.scope = LLS_STR("global"), .metadata = metadata};
    lls_json_value object;
    lls_error err = {0};
    bool match = false;

    if (lls_filter_check(&filter, &err) != LLS_OK) {
        must(err.code == LLS_E_INVALID && err.msg[0] != '\0');
        return -1;
    }
    lls_err e = lls_filter_match(&filter, &subject, 1, &match, &err);
    bool is_object = metadata.len == 0 || (lls_json_check(metadata, &object, NULL) == LLS_OK &&
                                           object.type == LLS_JSON_OBJECT);
    must(e == (is_object ? LLS_OK : LLS_E_CORRUPT));
    return e == LLS_OK && match;
}

static lls_filter_term range(lls_str path, lls_str low, lls_str high, bool open)
{
    return (lls_filter_term){.op = LLS_FILTER_RANGE,
                             .path = path,
                             .low = low,
                             .high = high,
                             .low_open = open,
                             .high_open = open};
}

/* Ranges around one value: it is within [v, v], and nothing is within (v, v). */
static void ask_ranges(lls_str path, lls_str value, int equal, lls_str metadata)
{
    const lls_filter_term closed = range(path, value, value, false);
    const lls_filter_term open = range(path, value, value, true);
    const lls_filter_term from = range(path, value, (lls_str){0}, false);
    const lls_filter_term below = range(path, (lls_str){0}, value, true);

    int within = ask(&closed, 1, metadata);
    if (within < 0)
        return; // a value that has no order
    must(within == equal);
    must(ask(&open, 1, metadata) == 0);
    must(ask(&from, 1, metadata) + ask(&below, 1, metadata) <= 1);
    must(!equal || ask(&from, 1, metadata) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lls_str rest = text_of(data, size);
    lls_str path = take_line(&rest);
    lls_str values[2];
    values[0] = take_line(&rest);
    values[1] = take_line(&rest);
    const lls_filter_term terms[] = {
        {.op = LLS_FILTER_EQ, .path = path, .values = &values[0], .value_count = 1},
        {.op = LLS_FILTER_EQ, .path = path, .values = &values[1], .value_count = 1},
        {.op = LLS_FILTER_IN, .path = path, .values = values, .value_count = 2},
        {.op = LLS_FILTER_EXISTS, .path = path},
        {.op = LLS_FILTER_CONTAINS, .path = path, .values = &values[0], .value_count = 1},
    };

    int first = ask(&terms[0], 1, rest);
    int other = ask(&terms[1], 1, rest);
    int either = ask(&terms[2], 1, rest);
    int exists = ask(&terms[3], 1, rest);
    int contains = ask(&terms[4], 1, rest);
    must((either < 0) == (first < 0 || other < 0));
    if (first < 0 || other < 0)
        return 0;
    must(either == (first || other));
    must(exists >= either);
    must(contains >= 0 && exists >= contains && first + contains <= 1);
    must(ask(terms, 2, rest) == (first && other));
    must(ask(&terms[2], 2, rest) == either);
    ask_ranges(path, values[0], first, rest);
    return 0;
}
