#include "cli/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void cli_base64_encode(lls_bytes bytes, lls_buf *out)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t here = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t group = (uint32_t)bytes.data[i] << 16;
        char four[5] = "";

        if (here > 1)
            group |= (uint32_t)bytes.data[i + 1] << 8;
        if (here > 2)
            group |= bytes.data[i + 2];
        for (size_t j = 0; j < 4; j++)
            four[j] = j <= here ? digits[group >> (18 - 6 * j) & 63] : '=';
        lls_buf_add_text(out, four);
    }
}

/* Four digits become up to three bytes; the number of them, or 0 when they are no Base64. */
static size_t decode_four(const char *four, uint8_t three[3])
{
    uint32_t group = 0;
    size_t count = 0;

    for (size_t j = 0; j < 4; j++) {
        const char *digit = four[j] ? strchr(digits, four[j]) : NULL;

        if (digit && count == j) {
            group |= (uint32_t)(digit - digits) << (18 - 6 * j);
            count++;
        } else if (four[j] != '=' || j < 2) {
            return 0;
        }
    }
    three[0] = (uint8_t)(group >> 16);
    three[1] = (uint8_t)(group >> 8);
    three[2] = (uint8_t)group;
    // Bits that stand for nothing must be zero, or two texts would mean the same bytes.
    if (count < 4 && three[count - 1] != 0)
        return 0;
    return count - 1;
}

bool cli_base64_decode(const char *text, lls_buf *out)
{
    size_t len = strlen(text);
    size_t before = out->len;

    if (len % 4 != 0)
        return false;
    for (size_t i = 0; i < len; i += 4) {
        uint8_t three[3];
        size_t count = decode_four(text + i, three);

        if (count == 0 || (count < 3 && i + 4 != len)) {
            out->len = before;
            return false;
        }
        lls_buf_add(out, (lls_bytes){three, count});
    }
    return true;
}
