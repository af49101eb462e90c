#include "base/json.h"

#include "base/utf8.h"

/* The text being checked, and the brackets that are open: one bit each, 1 for an object. */
typedef struct parser {
    const char *begin;
    const char *at;
    const char *end;
    const char *wrong; /* what is wrong, or NULL */
    uint64_t open[LLS_JSON_DEPTH_MAX / 64];
    size_t depth;
} parser;

static bool fail(parser *p, const char *what)
{
    if (!p->wrong)
        p->wrong = what;
    return false;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && is_space(*at))
        at++;
    return at;
}

bool lls_utf8_check(lls_bytes bytes)
{
    if (bytes.len == 0)
        return true; // `data` may be NULL

    const uint8_t *at = bytes.data;
    const uint8_t *end = at + bytes.len;
    while (at < end) {
        size_t n = lls_utf8_length(at, end);
        if (n == 0)
            return false;
        at += n;
    }
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The number in "\uXXXX" at `at`, or -1. */
static int32_t unicode_escape(const char *at, const char *end)
{
    int32_t code = 0;

    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    return code;
}

static bool is_high_surrogate(int32_t code)
{
    return code >= 0xd800 && code <= 0xdbff;
}

static bool is_low_surrogate(int32_t code)
{
    return code >= 0xdc00 && code <= 0xdfff;
}

static bool check_escape(parser *p)
{
    if (p->end - p->at < 2)
        return fail(p, "an escape that is cut off");
    if (p->at[1] != 'u') {
        if (!memchr("\"\\/bfnrt", p->at[1], 8))
            return fail(p, "an unknown escape");
        p->at += 2;
        return true;
    }

    int32_t code = unicode_escape(p->at, p->end);
    if (code < 0)
        return fail(p, "an escape that is not \\u and four hexadecimal digits");
    if (is_low_surrogate(code))
        return fail(p, "half a surrogate pair");
    if (is_high_surrogate(code)) {
        if (!is_low_surrogate(unicode_escape(p->at + 6, p->end)))
            return fail(p, "half a surrogate pair");
        p->at += 6;
    }
    p->at += 6;
    return true;
}

/* How many of the eight bytes come before the first that needs a closer look: a quote, a backslash,
 * one below 0x20 or above 0x7f. A subtraction borrows from the bytes behind a match only, so the
 * first match is exact. */
static size_t plain_bytes(const char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;

    memcpy(&word, at, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    uint64_t quote = word ^ ones * '"';
    uint64_t slash = word ^ ones * '\\';
    uint64_t match = (word | (word - ones * 0x20) | (quote - ones) | (slash - ones)) & ones * 0x80;
    return match ? (size_t)__builtin_ctzll(match) / 8 : 8;
}

static bool check_string(parser *p)
{
    p->at++;
    while (p->at < p->end) {
        while (p->end - p->at >= 8) {
            size_t n = plain_bytes(p->at);
            p->at += n;
            if (n < 8)
                break;
        }
        if (p->at == p->end)
            break;
        unsigned char c = (unsigned char)*p->at;
        if (c == '"') {
            p->at++;
            return true;
        }
        if (c == '\\') {
            if (!check_escape(p))
                return false;
        } else if (c < 0x20) {
            return fail(p, "a control character in a string");
        } else {
            size_t n = lls_utf8_length((const uint8_t *)p->at, (const uint8_t *)p->end);
            if (n == 0)
                return fail(p, "not UTF-8");
            p->at += n;
        }
    }
    return fail(p, "a string without an end");
}

static bool check_digits(parser *p)
{
    const char *from = p->at;

    while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
        p->at++;
    return p->at > from ? true : fail(p, "a digit is missing");
}

static bool check_number(parser *p)
{
    if (*p->at == '-')
        p->at++;
    if (p->at < p->end && *p->at == '0')
        p->at++; // nothing may follow a leading zero: the next token then fails
    else if (!check_digits(p))
        return false;
    if (p->at < p->end && *p->at == '.') {
        p->at++;
        if (!check_digits(p))
            return false;
    }
    if (p->at < p->end && (*p->at == 'e' || *p->at == 'E')) {
        p->at++;
        if (p->at < p->end && (*p->at == '+' || *p->at == '-'))
            p->at++;
        return check_digits(p);
    }
    return true;
}

static bool check_word(parser *p, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(p->end - p->at) < len || memcmp(p->at, word, len) != 0)
        return fail(p, "not a JSON value");
    p->at += len;
    return true;
}

static bool check_scalar(parser *p)
{
    switch (*p->at) {
    case '"':
        return check_string(p);
    case 't':
        return check_word(p, "true");
    case 'f':
        return check_word(p, "false");
    case 'n':
        return check_word(p, "null");
    default:
        if (*p->at == '-' || (*p->at >= '0' && *p->at <= '9'))
            return check_number(p);
        return fail(p, "not a JSON value");
    }
}

static bool in_object(const parser *p)
{
    size_t i = p->depth - 1;

    return (p->open[i / 64] >> (i % 64) & 1) != 0;
}

static bool open_bracket(parser *p)
{
    if (p->depth == LLS_JSON_DEPTH_MAX)
        return fail(p, "nested too deeply");
    uint64_t bit = UINT64_C(1) << (p->depth % 64);
    uint64_t *word = &p->open[p->depth / 64];
    *word = *p->at == '{' ? *word | bit : *word & ~bit;
    p->depth++;
    p->at++;
    return true;
}

/* `"name" :` before a member of an object. */
static bool check_name(parser *p)
{
    if (p->at == p->end || *p->at != '"')
        return fail(p, "the name of a member is missing");
    if (!check_string(p))
        return false;
    p->at = skip_space(p->at, p->end);
    if (p->at == p->end || *p->at != ':')
        return fail(p, "a colon is missing");
    p->at = skip_space(p->at + 1, p->end);
    return true;
}

/* After a value: closing brackets, then either a comma (and a name) or the end of the text. */
static bool check_after_value(parser *p)
{
    for (;;) {
        p->at = skip_space(p->at, p->end);
        if (p->depth == 0)
            return true;
        if (p->at == p->end)
            return fail(p, "the end is missing");
        bool object = in_object(p);
        if (*p->at == ',') {
            p->at = skip_space(p->at + 1, p->end);
            return object ? check_name(p) : true;
        }
        if (*p->at != (object ? '}' : ']'))
            return fail(p, "a comma or a closing bracket is missing");
        p->at++;
        p->depth--;
    }
}

/* A value that begins at `at`, up to the point where the next one begins or nothing is open. */
static bool check_step(parser *p)
{
    if (p->at == p->end)
        return fail(p, "a value is missing");
    if (*p->at != '{' && *p->at != '[')
        return check_scalar(p) && check_after_value(p);

    if (!open_bracket(p))
        return false;
    p->at = skip_space(p->at, p->end);
    bool object = in_object(p);
    if (p->at < p->end && *p->at == (object ? '}' : ']')) {
        p->at++;
        p->depth--;
        return check_after_value(p);
    }
    return object ? check_name(p) : true;
}

static lls_json_type type_of(char c)
{
    switch (c) {
    case '{':
        return LLS_JSON_OBJECT;
    case '[':
        return LLS_JSON_ARRAY;
    case '"':
        return LLS_JSON_STRING;
    case 't':
    case 'f':
        return LLS_JSON_BOOL;
    case 'n':
        return LLS_JSON_NULL;
    default:
        return LLS_JSON_NUMBER;
    }
}

lls_err lls_json_check(lls_str text, lls_json_value *out, lls_error *err)
{
    if (text.len == 0)
        return lls_fail(err, LLS_E_PARSE, "byte 0: a value is missing");

    parser p = {.begin = text.data, .end = text.data + text.len};
    bool fine;
    p.at = skip_space(text.data, p.end);
    const char *from = p.at;
    do
        fine = check_step(&p);
    while (fine && p.depth > 0);
    if (fine && p.at != p.end)
        fine = fail(&p, "something follows the value");
    if (!fine)
        return lls_fail(err, LLS_E_PARSE, "byte %zu: %s", (size_t)(p.at - p.begin), p.wrong);

    if (out) {
        const char *to = p.end;
        while (is_space(to[-1]))
            to--;
        *out = (lls_json_value){type_of(*from), {from, (size_t)(to - from)}};
    }
    return LLS_OK;
}

/* From here on the text has passed lls_json_check, so it is whole and nothing is checked again. */

static const char *string_end(const char *at)
{
    for (at++; *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at + 1;
}

/* Behind the value that begins at `at`. */
static const char *value_end(const char *at, const char *end)
{
    size_t depth = 0;

    do {
        char c = *at;
        if (c == '"') {
            at = string_end(at);
            continue;
        }
        if (c == '{' || c == '[')
            depth++;
        if (c == '}' || c == ']')
            depth--;
        at++;
        if (depth == 0 && c != '}' && c != ']') // a number or a word goes on to a delimiter
            while (at < end && *at != ',' && *at != '}' && *at != ']' && !is_space(*at))
                at++;
    } while (depth > 0);
    return at;
}

lls_json_walk lls_json_walk_begin(lls_json_value container)
{
    return (lls_json_walk){
        .at = container.text.data + 1,
        .end = container.text.data + container.text.len - 1,
        .object = container.type == LLS_JSON_OBJECT,
    };
}

bool lls_json_walk_next(lls_json_walk *walk, lls_str *name, lls_json_value *value)
{
    const char *at = skip_space(walk->at, walk->end);

    if (at < walk->end && *at == ',')
        at = skip_space(at + 1, walk->end);
    if (at == walk->end)
        return false;
    *name = (lls_str){0};
    if (walk->object) {
        const char *behind = string_end(at);
        *name = (lls_str){at, (size_t)(behind - at)};
        at = skip_space(behind, walk->end);
        at = skip_space(at + 1, walk->end); // the colon
    }
    const char *behind = value_end(at, walk->end);
    *value = (lls_json_value){type_of(*at), {at, (size_t)(behind - at)}};
    walk->at = behind;
    return true;
}

static void add_utf8(uint32_t code, lls_buf *out)
{
    uint8_t four[4];
    size_t n;

    if (code < 0x80) {
        four[0] = (uint8_t)code;
        n = 1;
    } else if (code < 0x800) {
        four[0] = (uint8_t)(0xc0 | code >> 6);
        n = 2;
    } else if (code < 0x10000) {
        four[0] = (uint8_t)(0xe0 | code >> 12);
        n = 3;
    } else {
        four[0] = (uint8_t)(0xf0 | code >> 18);
        n = 4;
    }
    for (size_t i = 1; i < n; i++)
        four[i] = (uint8_t)(0x80 | (code >> (6 * (n - 1 - i)) & 0x3f));
    lls_buf_add(out, (lls_bytes){four, n});
}

/* Resolve the escape at `at` and return what is behind it. */
static const char *unescape_one(const char *at, const char *end, lls_buf *out)
{
    static const char from[] = "bfnrt";
    static const char to[] = "\b\f\n\r\t";
    int32_t code = unicode_escape(at, end);

    if (code < 0) {
        const char *found = memchr(from, at[1], sizeof(from) - 1);
        const char *plain = found ? &to[found - from] : &at[1];
        lls_buf_add(out, (lls_bytes){(const uint8_t *)plain, 1});
        return at + 2;
    }
    if (is_high_surrogate(code)) {
        int32_t low = unicode_escape(at + 6, end);
        add_utf8((uint32_t)(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)), out);
        return at + 12;
    }
    add_utf8((uint32_t)code, out);
    return at + 6;
}

void lls_json_unescape(lls_str raw, lls_buf *out)
{
    const char *at = raw.data + 1;
    const char *end = raw.data + raw.len - 1;

    while (at < end) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        const char *to = slash ? slash : end;
        lls_buf_add(out, (lls_bytes){(const uint8_t *)at, (size_t)(to - at)});
        at = slash ? unescape_one(slash, end, out) : end;
    }
}

/* Whether a raw string stands for `name`. Nothing is allocated: what cannot be had is not "no". */
static bool names(lls_str raw, lls_str name)
{
    const char *at = raw.data + 1;
    const char *end = raw.data + raw.len - 1;
    uint8_t room[4]; // of one escape

    while (at < end) {
        lls_buf one = {.data = room, .cap = sizeof(room)};
        lls_bytes piece;
        if (*at == '\\') {
            at = unescape_one(at, end, &one);
            piece = lls_buf_view(&one);
        } else {
            const char *slash = memchr(at, '\\', (size_t)(end - at));
            const char *to = slash ? slash : end;
            piece = (lls_bytes){(const uint8_t *)at, (size_t)(to - at)};
            at = to;
        }
        if (!lls_bytes_has_prefix(lls_bytes_of(name), piece))
            return false;
        name = (lls_str){name.data + piece.len, name.len - piece.len};
    }
    return name.len == 0;
}

bool lls_json_member(lls_json_value object, lls_str name, lls_json_value *out)
{
    lls_json_walk walk = lls_json_walk_begin(object);
    lls_json_value value;
    lls_str raw;
    bool found = false;

    if (object.type != LLS_JSON_OBJECT)
        return false;
    while (lls_json_walk_next(&walk, &raw, &value)) {
        if (names(raw, name)) {
            *out = value;
            found = true;
        }
    }
    return found;
}
