#include "migrate/yaml_read.h"

#include "base/scope.h"

#include <strings.h>

/* Words that YAML 1.1 readers take for something else than text. */
static const char *const reserved[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A letter first, or a path; then what no YAML reader gives a meaning to. */
static bool is_plain(lls_str text)
{
    if (text.len == 0 || !(is_letter(text.data[0]) || text.data[0] == '/' ||
                           (text.len > 1 && text.data[0] == '.' && text.data[1] == '/')))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (!is_letter(c) && !(c >= '0' && c <= '9') && !strchr("_-./", c))
            return false;
    }
    for (size_t i = 0; i < LLS_COUNT(reserved); i++) {
        if (text.len == strlen(reserved[i]) && strncasecmp(text.data, reserved[i], text.len) == 0)
            return false;
    }
    return true;
}

void lls_yaml_quote(lls_str text, lls_buf *out)
{
    if (is_plain(text)) {
        lls_buf_add_str(out, text);
        return;
    }
    lls_buf_add_text(out, "\"");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\')
            lls_buf_printf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            lls_buf_printf(out, "\\x%02X", c);
        else
            lls_buf_add(out, (lls_bytes){&c, 1});
    }
    lls_buf_add_text(out, "\"");
}
