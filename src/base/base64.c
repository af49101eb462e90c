#include "base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void lls_base64_encode(lls_bytes bytes, lls_buf *out)
{
    lls_buf_reserve(out, (bytes.len / 3 + 1) * 4);
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t group = (uint32_t)bytes.data[i] << 16;
        if (n > 1)
            group |= (uint32_t)bytes.data[i + 1] << 8;
        if (n > 2)
            group |= bytes.data[i + 2];
        uint8_t four[4];
        for (size_t c = 0; c < 4; c++)
            four[c] = c <= n ? (uint8_t)alphabet[group >> (18 - 6 * c) & 63] : '=';
        lls_buf_add(out, (lls_bytes){four, sizeof(four)});
    }
}

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decode four characters to three bytes, or to fewer at the end. 0: malformed. */
static size_t decode_group(const char *four, bool last, uint8_t out[3])
{
    size_t padding = last ? (four[3] == '=') + (size_t)(four[3] == '=' && four[2] == '=') : 0;
    uint32_t group = 0;

    for (size_t i = 0; i < 4; i++) {
        int digit = i < 4 - padding ? digit_of(four[i]) : 0;
        if (digit < 0)
            return 0;
        group = group << 6 | (uint32_t)digit;
    }
    if (padding > 0 && (group & (padding == 1 ? 0xffu : 0xffffu)) != 0)
        return 0; // bits beyond the data: two texts would stand for the same bytes
    for (size_t i = 0; i < 3; i++)
        out[i] = (uint8_t)(group >> (16 - 8 * i));
    return 3 - padding;
}

lls_err lls_base64_decode(lls_str text, lls_buf *out, lls_error *err)
{
    size_t before = out->len;

    if (text.len % 4 != 0)
        return lls_fail(err, LLS_E_PARSE, "base64 of %zu characters is not whole", text.len);
    lls_buf_reserve(out, text.len / 4 * 3);
    for (size_t i = 0; i < text.len; i += 4) {
        uint8_t three[3];
        size_t n = decode_group(text.data + i, i + 4 == text.len, three);
        if (n == 0) {
            out->len = before;
            return lls_fail(err, LLS_E_PARSE, "malformed base64 at character %zu", i);
        }
        lls_buf_add(out, (lls_bytes){three, n});
    }
    return lls_buf_status(out, err);
}
