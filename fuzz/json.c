/* Whatever passes the check can be walked, and every part of it passes the check again. */
#include "base/json.h"

#include "base/scope.h"
#include "fuzz.h"

static void use_string(lls_str raw)
{
    LLS_AUTO(lls_buf) plain = {0};
    LLS_AUTO(lls_buf) quoted = {0};
    LLS_AUTO(lls_buf) again = {0};

    lls_json_unescape(raw, &plain);
    must(lls_utf8_check(lls_buf_view(&plain)));
    lls_json_quote(lls_buf_str(&plain), &quoted);
    must(lls_json_check(lls_buf_str(&quoted), NULL, NULL) == LLS_OK);
    lls_json_unescape(lls_buf_str(&quoted), &again);
    must(lls_bytes_eq(lls_buf_view(&plain), lls_buf_view(&again)));
}

static void use_container(lls_json_value container)
{
    lls_json_walk walk = lls_json_walk_begin(container);
    lls_json_value value;
    lls_str name;

    while (lls_json_walk_next(&walk, &name, &value)) {
        lls_json_value again;
        must(lls_json_check(value.text, &again, NULL) == LLS_OK);
        must(again.type == value.type && again.text.len == value.text.len);
        if (value.type == LLS_JSON_STRING)
            use_string(value.text);
        must((name.len > 0) == (container.type == LLS_JSON_OBJECT));
        if (name.len == 0)
            continue;
        use_string(name);
        LLS_AUTO(lls_buf) plain = {0};
        lls_json_unescape(name, &plain);
        must(lls_json_member(container, lls_buf_str(&plain), &again));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lls_json_value value;
    lls_error err = {0};

    if (lls_json_check(text_of(data, size), &value, &err) != LLS_OK) {
        must(strncmp(err.msg, "byte ", 5) == 0);
        return 0;
    }
    must(lls_utf8_check((lls_bytes){data, size}));
    if (value.type == LLS_JSON_STRING)
        use_string(value.text);
    else if (value.type == LLS_JSON_ARRAY || value.type == LLS_JSON_OBJECT)
        use_container(value);
    return 0;
}
