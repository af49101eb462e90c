#include "cli/escape.h"

/* The length of the UTF-8 sequence at `at`, shortest form only; 0 when there is none. */
static size_t sequence_len(const uint8_t *at, size_t left)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : 4;
    uint32_t point = at[0];

    if (at[0] >= 0xf5 || (at[0] >= 0x80 && at[0] < 0xc2) || len > left)
        return 0;
    if (len > 1)
        point = at[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (at[i] & 0x3fu);
    }
    if (point < least[len] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    return len;
}

/* Control characters, C1 and the marks that turn the direction of writing. */
static bool is_harmful(const uint8_t *at, size_t len)
{
    if (len == 1)
        return at[0] < 0x20 || at[0] == 0x7f;
    if (len == 2)
        return at[0] == 0xc2 && at[1] < 0xa0;
    if (len == 3 && at[0] == 0xe2)
        return (at[1] == 0x80 && at[2] >= 0xaa && at[2] <= 0xae) ||
               (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9);
    return false;
}

void cli_escape(lls_bytes bytes, lls_buf *out)
{
    for (size_t i = 0; i < bytes.len;) {
        const uint8_t *at = bytes.data + i;
        size_t len = sequence_len(at, bytes.len - i);

        if (len > 0 && !is_harmful(at, len)) {
            if (at[0] == '\\')
                lls_buf_add_text(out, "\\");
            lls_buf_add(out, (lls_bytes){at, len});
            i += len;
        } else {
            size_t hidden = len > 0 ? len : 1;

            for (size_t j = 0; j < hidden; j++)
                lls_buf_printf(out, "\\x%02x", at[j]);
            i += hidden;
        }
    }
}

void cli_escape_cell(lls_bytes bytes, lls_buf *out)
{
    for (size_t i = 0; i < bytes.len;) {
        const uint8_t *at = bytes.data + i;
        size_t len = sequence_len(at, bytes.len - i);

        if (at[0] == '\0')
            lls_buf_add_text(out, "\\0"); // a cell is a text that ends with a NUL
        else if (len == 3 && is_harmful(at, len))
            lls_buf_add_text(out, "\xef\xbf\xbd"); // U+FFFD
        else
            lls_buf_add(out, (lls_bytes){at, len > 0 ? len : 1});
        i += len > 0 ? len : 1;
    }
}

void cli_shell_quote(const char *word, lls_buf *out)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:,@%+=";

    if (word[0] && word[strspn(word, plain)] == '\0') {
        lls_buf_add_text(out, word);
        return;
    }
    lls_buf_add_text(out, "'");
    for (const char *at = word; *at; at++) {
        if (*at == '\'')
            lls_buf_add_text(out, "'\\''");
        else
            lls_buf_add(out, (lls_bytes){(const uint8_t *)at, 1});
    }
    lls_buf_add_text(out, "'");
}
