#include "cli/where.h"

#include "cli/scope.h"

#include <jansson.h>

/* JSON makes a text longer by quotes, and by escapes at most six times. */
enum { GROWTH = 6, QUOTES = 2 };

static bool is_operator(char c)
{
    return c == '=' || c == '<' || c == '>' || c == '~';
}

/* Behind the value that begins at `at`: a quoted one may hold what ends others. */
static const char *value_end(const char *at)
{
    if (*at != '"')
        return at + strcspn(at, ",|");
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at + 1 : at;
}

static bool is_scalar(const char *text, size_t len)
{
    json_t *json = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    bool scalar = json && !json_is_object(json) && !json_is_array(json);

    json_decref(json);
    return scalar;
}

static lls_err add_text_value(const char *text, size_t len, lls_buf *out, lls_error *err)
{
    json_t *json = json_stringn(text, len);
    char *dumped = json ? json_dumps(json, JSON_ENCODE_ANY) : NULL;

    json_decref(json);
    if (!dumped)
        return lls_fail(err, LLS_E_INVALID, "condition with a value that is not UTF-8");
    lls_buf_add_text(out, dumped);
    free(dumped);
    return lls_buf_status(out, err);
}

/* Append a value as JSON; the room was reserved, so views stay good. */
static lls_err add_value(cli_where *w, const char *text, size_t len, lls_str *out, lls_error *err)
{
    size_t begin = w->texts.len;

    if (len > 0 && is_scalar(text, len))
        lls_buf_add(&w->texts, (lls_bytes){(const uint8_t *)text, len});
    else
        LLS_TRY(add_text_value(text, len, &w->texts, err));
    *out = (lls_str){(const char *)w->texts.data + begin, w->texts.len - begin};
    return lls_buf_status(&w->texts, err);
}

static lls_err read_values(cli_where *w, const char **at, lls_filter_term *term, lls_error *err)
{
    term->values = &w->values[w->value_count];
    for (;;) {
        const char *end = value_end(*at);
        if (w->value_count == CLI_WHERE_VALUES)
            return lls_fail(err, LLS_E_INVALID, "more than %d values in conditions",
                            CLI_WHERE_VALUES);
        LLS_TRY(add_value(w, *at, (size_t)(end - *at), &w->values[w->value_count++], err));
        term->value_count++;
        *at = end;
        if (*end != '|')
            return LLS_OK;
        *at = end + 1;
    }
}

static lls_err read_bound(cli_where *w, const char **at, lls_filter_term *term, char side,
                          lls_error *err)
{
    bool closed = **at == '=';
    const char *begin = *at + (closed ? 1 : 0);
    const char *end = value_end(begin);
    lls_str bound;

    LLS_TRY(add_value(w, begin, (size_t)(end - begin), &bound, err));
    if (side == '>') {
        term->low = bound;
        term->low_open = !closed;
    } else {
        term->high = bound;
        term->high_open = !closed;
    }
    *at = end;
    return LLS_OK;
}

static lls_err read_term(cli_where *w, const char **at, lls_error *err)
{
    const char *path = *at;
    const char *end = path;

    while (*end && *end != ',' && !is_operator(*end))
        end++;
    if (end == path)
        return lls_fail(err, LLS_E_INVALID, "condition without a name at '%.40s'", path);
    if (w->term_count == CLI_WHERE_TERMS)
        return lls_fail(err, LLS_E_INVALID, "more than %d conditions", CLI_WHERE_TERMS);
    lls_filter_term *term = &w->terms[w->term_count++];
    *term = (lls_filter_term){.op = LLS_FILTER_EXISTS, .path = {path, (size_t)(end - path)}};
    *at = end;
    if (!is_operator(*end))
        return LLS_OK;
    *at = end + 1;
    if (*end == '<' || *end == '>') {
        term->op = LLS_FILTER_RANGE;
        return read_bound(w, at, term, *end, err);
    }
    LLS_TRY(read_values(w, at, term, err));
    term->op = *end == '~'             ? LLS_FILTER_CONTAINS
               : term->value_count > 1 ? LLS_FILTER_IN
                                       : LLS_FILTER_EQ;
    return LLS_OK;
}

lls_err cli_where_parse(const char *text, cli_where *out, lls_error *err)
{
    *out = (cli_where){0};
    if (!text)
        return LLS_OK;
    lls_buf_reserve(&out->texts, (strlen(text) + 1) * GROWTH + (size_t)QUOTES * CLI_WHERE_VALUES);
    LLS_TRY(lls_buf_status(&out->texts, err));
    for (const char *at = text;;) {
        LLS_TRY(read_term(out, &at, err));
        if (*at == '\0')
            return LLS_OK;
        if (*at != ',')
            return lls_fail(err, LLS_E_INVALID, "condition that goes on behind its value: '%.40s'",
                            at);
        at++;
    }
}

void cli_where_fini(cli_where *where)
{
    lls_buf_fini(&where->texts);
    *where = (cli_where){0};
}
