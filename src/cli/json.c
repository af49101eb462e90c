#include "cli/json.h"

#include "cli/base64.h"
#include "cli/escape.h"
#include "cli/scope.h"
#include "cli/units.h"

#include <stdio.h>

/* Where cli_json_print sees that a value is missing. No result has a member of this name. */
static const char spoilt[] = "\x1f";

void cli_json_set(json_t *object, const char *name, json_t *value)
{
    if (!value || json_object_set_new(object, name, value) != 0)
        (void)json_object_set_new(object, spoilt, json_true());
}

json_t *cli_json_text(const char *text)
{
    LLS_AUTO(lls_buf) escaped = {0};
    json_t *string;

    if (!text)
        return json_null();
    string = json_string(text);
    if (string)
        return string;
    cli_escape(lls_bytes_of(lls_str_of(text)), &escaped);
    return json_string(lls_buf_cstr(&escaped));
}

json_t *cli_json_count(uint64_t count)
{
    return json_integer((json_int_t)count);
}

json_t *cli_json_time(int64_t usec)
{
    LLS_AUTO(lls_buf) text = {0};

    if (usec == 0)
        return json_null();
    cli_add_time(&text, usec);
    return json_string(lls_buf_cstr(&text));
}

void cli_json_set_bytes(json_t *object, const char *name, lls_bytes bytes)
{
    const char *data = bytes.len > 0 ? (const char *)bytes.data : "";
    json_t *string = json_stringn(data, bytes.len);
    LLS_AUTO(lls_buf) encoded = {.max = LLS_BUF_MAX * 2};
    LLS_AUTO(lls_buf) other = {0};

    if (string) {
        cli_json_set(object, name, string);
        return;
    }
    cli_base64_encode(bytes, &encoded);
    lls_buf_printf(&other, "%s_base64", name);
    cli_json_set(object, lls_buf_cstr(&other),
                 lls_buf_status(&encoded, NULL) == LLS_OK ? json_string(lls_buf_cstr(&encoded))
                                                          : NULL);
}

static lls_err print(json_t *object, size_t flags, lls_error *err)
{
    bool whole = object && !json_object_get(object, spoilt);

    if (whole && json_dumpf(object, stdout, flags) != 0)
        whole = ferror(stdout) != 0; // that is for cli_output_finish to tell
    json_decref(object);
    return whole ? LLS_OK : lls_fail(err, LLS_E_NOMEM, "build the JSON result: out of memory");
}

lls_err cli_json_print(json_t *object, lls_error *err)
{
    LLS_TRY(print(object, JSON_INDENT(2), err));
    (void)fputc('\n', stdout);
    return LLS_OK;
}

lls_err cli_json_print_element(json_t *object, lls_error *err)
{
    return print(object, JSON_COMPACT, err);
}
