#include "base/json.h"

void lls_json_quote(lls_str text, lls_buf *out)
{
    size_t from = 0;

    lls_buf_reserve(out, text.len + 2);
    lls_buf_add_text(out, "\"");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c != '"' && c != '\\' && c >= 0x20)
            continue;
        lls_buf_add_str(out, (lls_str){text.data + from, i - from});
        from = i + 1;
        if (c >= 0x20)
            lls_buf_printf(out, "\\%c", c);
        else if (c == '\n' || c == '\r' || c == '\t')
            lls_buf_add_text(out, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        else
            lls_buf_printf(out, "\\u%04x", c);
    }
    if (from < text.len)
        lls_buf_add_str(out, (lls_str){text.data + from, text.len - from});
    lls_buf_add_text(out, "\"");
}
