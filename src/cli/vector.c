#include "cli/vector.h"

#include "cli/read_all.h"
#include "cli/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

enum { TEXT_MAX = 4 << 20 }; /* bytes of the longest vector's JSON */

static lls_err read_text(const char *given, lls_buf *text, lls_error *err)
{
    text->max = TEXT_MAX;
    if (*given == '[') {
        lls_buf_add_text(text, given);
        return lls_buf_status(text, err);
    }
    if (strcmp(given, "-") == 0)
        return cli_read_all(STDIN_FILENO, "stdin", text, err);
    int fd = open(given, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return lls_fail_sys(err, errno, "open '%s'", given);
    lls_err e = cli_read_all(fd, given, text, err);
    (void)close(fd);
    return e;
}

static lls_err add_numbers(const json_t *array, lls_buf *floats, lls_error *err)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *element = json_array_get(array, i);
        float number = (float)json_number_value(element);
        if (!json_is_number(element))
            return lls_fail(err, LLS_E_PARSE, "element %zu of the vector is not a number", i);
        lls_buf_add(floats, (lls_bytes){(const uint8_t *)&number, sizeof(number)});
    }
    return lls_buf_status(floats, err);
}

lls_err cli_read_vector(const char *given, lls_buf *floats, lls_embedding *out, lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};
    json_error_t where;

    LLS_TRY(read_text(given, &text, err));
    json_t *json = json_loadb((const char *)text.data, text.len, 0, &where);
    if (!json || !json_is_array(json) || json_array_size(json) == 0) {
        json_decref(json);
        return lls_fail(err, LLS_E_PARSE, "the vector is not a JSON array of numbers%s%s",
                        json ? "" : ": ", json ? "" : where.text);
    }
    lls_err e = add_numbers(json, floats, err);
    json_decref(json);
    if (e == LLS_OK) {
        out->values = (const float *)(const void *)floats->data;
        out->dimension = (uint32_t)(floats->len / sizeof(float));
    }
    return e;
}
