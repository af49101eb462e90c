#include "components/status.h"

static bool is_filler(char c)
{
    return c == '_' || c == '-' || c == ' ';
}

// Without the locale: a Turkish "I" must not change what a stored status means.
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_same_word(lls_str text, const char *name)
{
    size_t i = 0;

    for (;;) {
        while (i < text.len && is_filler(text.data[i]))
            i++;
        while (is_filler(*name))
            name++;
        if (i == text.len || *name == '\0')
            return i == text.len && *name == '\0';
        if (lower(text.data[i++]) != *name++)
            return false;
    }
}

int lls_status_of(lls_json_value object, const char *const *names, size_t count)
{
    lls_json_value status = {0};

    if (object.type != LLS_JSON_OBJECT || !lls_json_member(object, LLS_STR("status"), &status) ||
        status.type != LLS_JSON_STRING)
        return 0;
    lls_str word = {status.text.data + 1, status.text.len - 2}; // less its quotes
    for (size_t i = 1; i < count; i++)
        if (is_same_word(word, names[i]))
            return (int)i;
    return 0;
}
