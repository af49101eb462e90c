/*
 * What a TOML text must not have before toml++ sees it: keys and values nested so deep that a
 * parser which recurses runs out of stack; and what TOML forbids anyway, but some versions of
 * toml++ stumble over: control characters, and characters outside ASCII in bare keys.
 */
#include "base/scope.h"
#include "store/toml.h"

enum {
    PARTS_MAX = 32, /* of one dotted key */
    OPEN_MAX = 16,  /* arrays and inline tables inside one another */
};

typedef struct scanner {
    lls_str text;
    size_t at;
    size_t line;
    size_t line_start;
    size_t dots; /* since the last character that ends a key */
    size_t open; /* brackets and braces */
} scanner;

static bool looking_at(const scanner *s, const char *text)
{
    lls_str rest = {s->text.data + s->at, s->text.len - s->at};

    return lls_bytes_has_prefix(lls_bytes_of(rest), lls_bytes_of(lls_str_of(text)));
}

static void step(scanner *s)
{
    if (s->text.data[s->at++] == '\n') {
        s->line++;
        s->line_start = s->at;
    }
}

/* Behind the string that begins here. One that has no end goes to the end of its line or text. */
static void skip_string(scanner *s)
{
    char quote = s->text.data[s->at];
    const char *triple = quote == '"' ? "\"\"\"" : "'''";
    bool many_lines = looking_at(s, triple);

    s->at += many_lines ? 3 : 1;
    while (s->at < s->text.len) {
        char c = s->text.data[s->at];
        if (c == '\n' && !many_lines)
            return;
        if (many_lines ? looking_at(s, triple) : c == quote)
            break;
        if (c == '\\' && quote == '"' && s->at + 1 < s->text.len && s->text.data[s->at + 1] != '\n')
            step(s);
        step(s);
    }
    s->at = s->at < s->text.len ? s->at + (many_lines ? 3 : 1) : s->at;
    for (int i = 0; many_lines && i < 2 && s->at < s->text.len && s->text.data[s->at] == quote; i++)
        s->at++; // two quotes before the closing three belong to the text
}

static void skip_comment(scanner *s)
{
    while (s->at < s->text.len && s->text.data[s->at] != '\n')
        s->at++;
}

/* Characters, not bytes. */
static size_t column_of(const scanner *s)
{
    size_t column = 1;

    for (size_t i = s->line_start; i < s->at; i++)
        column += (s->text.data[i] & 0xc0) != 0x80;
    return column;
}

static lls_err too_deep(const scanner *s, const char *what, int limit, lls_error *err)
{
    return lls_fail(err, LLS_E_PARSE, "%zu:%zu: %s than %d", s->line, column_of(s), what, limit);
}

/* Count the character that stands here, outside of strings and comments. */
static lls_err count(scanner *s, lls_error *err)
{
    char c = s->text.data[s->at];

    if ((unsigned char)c >= 0x80)
        return lls_fail(err, LLS_E_PARSE,
                        "%zu:%zu: a character outside ASCII may stand in quotes only", s->line,
                        column_of(s));
    if (c == '.') {
        if (++s->dots >= PARTS_MAX)
            return too_deep(s, "a key of more parts", PARTS_MAX, err);
        return LLS_OK;
    }
    if (memchr("\n=,[]{}", c, 7))
        s->dots = 0;
    if (c == '[' || c == '{') {
        if (++s->open > OPEN_MAX)
            return too_deep(s, "arrays and tables nest deeper", OPEN_MAX, err);
    } else if ((c == ']' || c == '}') && s->open > 0) {
        s->open--;
    }
    return LLS_OK;
}

static lls_err check_controls(lls_str text, lls_error *err)
{
    scanner s = {.text = text, .line = 1};

    for (; s.at < text.len; step(&s)) {
        unsigned char c = (unsigned char)text.data[s.at];
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
            return lls_fail(err, LLS_E_PARSE, "%zu:%zu: a control character (0x%02x)", s.line,
                            column_of(&s), c);
    }
    return LLS_OK;
}

lls_err lls_toml_check(lls_str text, lls_error *err)
{
    scanner s = {.text = text, .line = 1};

    if (text.len == 0)
        return LLS_OK;
    LLS_TRY(check_controls(text, err));

    if (looking_at(&s, "\xef\xbb\xbf")) // a byte order mark is no character of the text
        s.at = s.line_start = 3;
    while (s.at < text.len) {
        char c = text.data[s.at];
        if (c == '"' || c == '\'') {
            skip_string(&s);
        } else if (c == '#') {
            skip_comment(&s);
        } else {
            LLS_TRY(count(&s, err));
            step(&s);
        }
    }
    return LLS_OK;
}
