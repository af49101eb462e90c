/**
 * conninfo.c - connection strings as they may be shown. Values of what looks like a password
 * vanish. A string that libpq could not read vanishes as a whole: who forgets a quote or a percent
 * sign has a password in it that ends somewhere else than it seems to.
 */
#include "base/scope.h"
#include "ports/option.h"

#include <strings.h>

static const char hidden[] = "***";

/* What was found in a string. */
typedef struct finding {
    bool secret;  /* a password */
    bool unknown; /* a name that libpq does not have: perhaps the rest of a password */
    bool broken;  /* libpq would refuse the string */
} finding;

static lls_str cut(lls_str s, size_t from, size_t to)
{
    return (lls_str){s.data + from, to - from};
}

static size_t find(lls_str s, size_t from, char c)
{
    const char *at = from < s.len ? memchr(s.data + from, c, s.len - from) : NULL;

    return at ? (size_t)(at - s.data) : s.len;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r'); // isspace() in the C locale, as libpq has it
}

static bool contains(lls_str s, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= s.len; i++)
        if (strncasecmp(s.data + i, word, len) == 0)
            return true;
    return false;
}

static bool is_name(lls_str s, const char *name)
{
    return s.len == strlen(name) && strncasecmp(s.data, name, s.len) == 0;
}

/* "password", "sslpassword", "passphrase", in any case of letters; an encoded name may be any. */
static bool is_secret_name(lls_str name)
{
    return contains(name, "%") || (contains(name, "pass") && !is_name(name, "passfile"));
}

/* The parameters of libpq, version 15, and those that later versions added. */
static bool is_known_name(lls_str name)
{
    static const char *const names[] = {
        "application_name",
        "channel_binding",
        "client_encoding",
        "connect_timeout",
        "dbname",
        "fallback_application_name",
        "gssdelegation",
        "gssencmode",
        "gsslib",
        "host",
        "hostaddr",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "krbsrvname",
        "load_balance_hosts",
        "options",
        "passfile",
        "port",
        "replication",
        "require_auth",
        "requirepeer",
        "requiressl",
        "service",
        "servicefile",
        "ssl",
        "ssl_max_protocol_version",
        "ssl_min_protocol_version",
        "sslcert",
        "sslcertmode",
        "sslcompression",
        "sslcrl",
        "sslcrldir",
        "sslkey",
        "sslmode",
        "sslnegotiation",
        "sslrootcert",
        "sslsni",
        "target_session_attrs",
        "tcp_user_timeout",
        "user",
    };

    for (size_t i = 0; i < LLS_COUNT(names); i++)
        if (is_name(name, names[i]))
            return true;
    return false;
}

/* Append `value` or, when `name` says that it is secret, the stars. */
static void show_value(lls_str name, lls_str value, finding *found, lls_buf *out)
{
    bool secret = is_secret_name(name);

    found->unknown = found->unknown || (!secret && !is_known_name(name));
    // A URI as the value of dbname has a password of its own.
    bool hide = (secret && value.len > 0) || contains(value, "://");
    found->secret = found->secret || hide;
    if (hide)
        lls_buf_add_text(out, hidden);
    else
        lls_buf_add_str(out, value);
}

static bool is_uri(lls_str s)
{
    static const lls_str schemes[] = {LLS_STR_INIT("postgresql://"), LLS_STR_INIT("postgres://")};

    return lls_bytes_has_prefix(lls_bytes_of(s), lls_bytes_of(schemes[0])) ||
           lls_bytes_has_prefix(lls_bytes_of(s), lls_bytes_of(schemes[1]));
}

/* The query of a URI: name=value pairs between ampersands. */
static void show_query(lls_str s, size_t at, finding *found, lls_buf *out)
{
    while (at < s.len) {
        size_t end = find(s, at, '&');
        size_t equals = find(s, at, '=');
        if (equals >= end) {
            found->broken = true;
            return;
        }
        lls_buf_add_str(out, cut(s, at, equals + 1));
        show_value(cut(s, at, equals), cut(s, equals + 1, end), found, out);
        if (end < s.len)
            lls_buf_add_text(out, "&");
        at = end + 1;
    }
}

/* Where the user and the password of a URI end: at the '@', or at `begin` when there is none. A
 * password with an '@', '/' or '?' that was not encoded reaches to the last '@' that fits. */
static size_t authority_sign(lls_str s, size_t begin)
{
    size_t slash = find(s, begin, '/');
    size_t sign = find(s, begin, '@');
    size_t query = find(s, sign < slash ? sign : begin, '?');
    size_t last = begin;

    for (size_t i = begin; i < query; i++)
        if (s.data[i] == '@')
            last = i;
    return last;
}

/* "host:5432,[::1]:5433": a port that is no number is the first part of a password. */
static bool ports_are_numbers(lls_str hosts)
{
    bool port = false;
    bool bracket = false;

    for (size_t i = 0; i < hosts.len; i++) {
        char c = hosts.data[i];
        if (port && c != ',' && (c < '0' || c > '9'))
            return false;
        bracket = c == '[' || (bracket && c != ']');
        port = (c == ':' && !bracket) || (port && c != ',');
    }
    return true;
}

static void show_uri(lls_str s, finding *found, lls_buf *out)
{
    size_t begin = find(s, 0, '/') + 2;
    size_t sign = authority_sign(s, begin);

    lls_buf_add_str(out, cut(s, 0, begin));
    if (sign > begin) {
        size_t colon = find(s, begin, ':');
        size_t user_end = colon < sign ? colon : sign;
        lls_buf_add_str(out, cut(s, begin, user_end));
        if (user_end < sign)
            lls_buf_add_text(out, ":");
        if (user_end + 1 < sign) {
            found->secret = true;
            lls_buf_add_text(out, hidden);
        }
    }
    size_t query = find(s, sign, '?');
    size_t slash = find(s, sign, '/');
    size_t hosts = sign < s.len && s.data[sign] == '@' ? sign + 1 : sign;
    if (!ports_are_numbers(cut(s, hosts, slash < query ? slash : query)))
        found->broken = true;
    lls_buf_add_str(out, cut(s, sign, query));
    if (query < s.len) {
        lls_buf_add_text(out, "?");
        show_query(s, query + 1, found, out);
    }
}

static size_t skip_spaces(lls_str s, size_t at)
{
    while (at < s.len && is_space(s.data[at]))
        at++;
    return at;
}

/* Behind a value that begins at `at`: quoted with backslashes inside, or up to white space. */
static size_t value_end(lls_str s, size_t at, finding *found)
{
    bool quoted = at < s.len && s.data[at] == '\'';

    for (at += quoted; at < s.len; at++) {
        char c = s.data[at];
        if (c == '\\')
            at++;
        else if (quoted ? c == '\'' : is_space(c))
            return at + quoted;
    }
    found->broken = found->broken || quoted; // the quote never ends
    return s.len;
}

/* name = value pairs; white space may stand around the equals sign. */
static void show_pairs(lls_str s, finding *found, lls_buf *out)
{
    size_t at = 0;

    while (!found->broken) {
        size_t name = skip_spaces(s, at);
        lls_buf_add_str(out, cut(s, at, name));
        if (name == s.len)
            return;
        size_t name_end = name;
        while (name_end < s.len && s.data[name_end] != '=' && !is_space(s.data[name_end]))
            name_end++;
        size_t equals = skip_spaces(s, name_end);
        if (equals == s.len || s.data[equals] != '=') {
            found->broken = true;
            return;
        }
        size_t value = skip_spaces(s, equals + 1);
        at = value_end(s, value, found);
        lls_buf_add_str(out, cut(s, name, value));
        show_value(cut(s, name, name_end), cut(s, value, at), found, out);
    }
}

static bool show(lls_str s, lls_buf *out)
{
    finding found = {.secret = false};
    size_t before = out->len;

    if (s.len == 0)
        return false;
    if (is_uri(s))
        show_uri(s, &found, out);
    else
        show_pairs(s, &found, out);
    if (!found.broken && !(found.secret && found.unknown))
        return found.secret;
    out->len = before;
    lls_buf_add_text(out, hidden);
    return found.secret || is_uri(s) || contains(s, "pass") || contains(s, "@") || contains(s, "%");
}

bool lls_conninfo_has_password(lls_str conninfo)
{
    LLS_AUTO(lls_buf) ignored = {0};

    return show(conninfo, &ignored);
}

void lls_option_show(const lls_option *option, lls_str value, lls_buf *out)
{
    if (option->type == LLS_OPT_CONNINFO)
        (void)show(value, out);
    else
        lls_buf_add_str(out, value);
}
