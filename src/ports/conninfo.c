/**
 * conninfo.c - connection strings as they may be shown. What looks like a password vanishes; a
 * string that cannot be understood vanishes rather than being shown in part.
 */
#include "ports/option.h"

#include <strings.h>

static const char hidden[] = "***";

static bool is_uri(lls_str s)
{
    static const lls_str schemes[] = {LLS_STR_INIT("postgresql://"), LLS_STR_INIT("postgres://")};

    return lls_bytes_has_prefix(lls_bytes_of(s), lls_bytes_of(schemes[0])) ||
           lls_bytes_has_prefix(lls_bytes_of(s), lls_bytes_of(schemes[1]));
}

/* "password", "sslpassword", "passphrase": in any case of letters, percent signs too. */
static bool is_secret_name(lls_str name)
{
    if (memchr(name.data, '%', name.len))
        return true; // an encoded name may be anything
    for (size_t i = 0; i + 4 <= name.len; i++)
        if (strncasecmp(name.data + i, "pass", 4) == 0 &&
            !(name.len - i == 8 && strncasecmp(name.data + i, "passfile", 8) == 0))
            return true;
    return false;
}

static lls_str cut(lls_str s, size_t from, size_t to)
{
    return (lls_str){s.data + from, to - from};
}

static size_t find(lls_str s, size_t from, char c)
{
    const char *at = from < s.len ? memchr(s.data + from, c, s.len - from) : NULL;

    return at ? (size_t)(at - s.data) : s.len;
}

/* The query of a URI: name=value pairs between ampersands. */
static bool show_query(lls_str s, size_t at, lls_buf *out)
{
    bool secret = false;

    while (at < s.len) {
        size_t end = find(s, at, '&');
        size_t equals = find(s, at, '=');
        size_t name_end = equals < end ? equals : end;
        lls_buf_add_str(out, cut(s, at, name_end));
        if (equals < end) {
            bool hide = is_secret_name(cut(s, at, name_end)) && equals + 1 < end;
            secret = secret || hide;
            lls_buf_add_text(out, "=");
            if (hide)
                lls_buf_add_text(out, hidden);
            else
                lls_buf_add_str(out, cut(s, equals + 1, end));
        }
        if (end < s.len)
            lls_buf_add_text(out, "&");
        at = end + 1;
    }
    return secret;
}

static bool show_uri(lls_str s, lls_buf *out)
{
    size_t begin = find(s, 0, '/') + 2;
    size_t query = find(s, begin, '?');
    size_t at_sign = s.len;
    bool secret = false;

    // The last '@' before the query: a password that was not percent-encoded may hold others.
    for (size_t i = begin; i < query; i++)
        if (s.data[i] == '@')
            at_sign = i;
    lls_buf_add_str(out, cut(s, 0, begin));
    if (at_sign < query) {
        size_t colon = find(s, begin, ':');
        size_t user_end = colon < at_sign ? colon : at_sign;
        lls_buf_add_str(out, cut(s, begin, user_end));
        secret = user_end + 1 < at_sign;
        if (secret)
            lls_buf_printf(out, ":%s", hidden);
        begin = at_sign;
    }
    lls_buf_add_str(out, cut(s, begin, query));
    if (query < s.len) {
        lls_buf_add_text(out, "?");
        secret = show_query(s, query + 1, out) || secret;
    }
    return secret;
}

/* Behind a value that begins at `at`: quoted with backslashes inside, or up to white space. */
static size_t pair_end(lls_str s, size_t at)
{
    bool quoted = at < s.len && s.data[at] == '\'';

    for (at += quoted; at < s.len; at++) {
        char c = s.data[at];
        if (c == '\\')
            at++;
        else if (quoted ? c == '\'' : c == ' ' || c == '\t' || c == '\n' || c == '\r')
            return at + quoted;
    }
    return s.len;
}

/* name = value pairs; white space may stand around the equals sign. */
static bool show_pairs(lls_str s, lls_buf *out)
{
    bool secret = false;

    for (size_t at = 0; at < s.len;) {
        size_t equals = find(s, at, '=');
        size_t value = equals < s.len ? equals + 1 : s.len;
        while (value < s.len && s.data[value] == ' ')
            value++;
        size_t end = pair_end(s, value);
        lls_buf_add_str(out, cut(s, at, value));
        bool hide = is_secret_name(cut(s, at, equals)) && value < end;
        secret = secret || hide;
        if (hide)
            lls_buf_add_text(out, hidden);
        else
            lls_buf_add_str(out, cut(s, value, end));
        at = end;
    }
    return secret;
}

static bool show(lls_str s, lls_buf *out)
{
    return is_uri(s) ? show_uri(s, out) : show_pairs(s, out);
}

bool lls_conninfo_has_password(lls_str conninfo)
{
    lls_buf ignored = {0};
    bool secret = show(conninfo, &ignored);

    lls_buf_fini(&ignored);
    return secret;
}

void lls_option_show(const lls_option *option, lls_str value, lls_buf *out)
{
    if (option->type == LLS_OPT_CONNINFO)
        (void)show(value, out);
    else
        lls_buf_add_str(out, value);
}
