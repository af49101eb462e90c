#define _GNU_SOURCE // strtod_l: the caller's locale may have a decimal comma
#include "base/json.h"
#include "base/scope.h"

#include <locale.h>
#include <pthread.h>
#include <stdlib.h>

/* Numbers of up to so many bytes are terminated on the stack. */
enum { SHORT = 64 };

static locale_t plain; // constant once it is made
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_plain(void)
{
    plain = newlocale(LC_ALL_MASK, "C", NULL);
}

lls_err lls_json_number(lls_str text, double *out, lls_error *err)
{
    pthread_once(&once, make_plain);
    if (!plain)
        return lls_fail(err, LLS_E_NOMEM, "no memory for a locale");

    if (text.len < SHORT) {
        char copy[SHORT] = {0};
        memcpy(copy, text.data, text.len);
        *out = strtod_l(copy, NULL, plain);
        return LLS_OK;
    }
    LLS_AUTO(lls_buf) copy = {0};
    lls_buf_add_str(&copy, text);
    const char *terminated = lls_buf_cstr(&copy);
    LLS_TRY(lls_buf_status(&copy, err));
    *out = strtod_l(terminated, NULL, plain);
    return LLS_OK;
}

lls_err lls_json_add_number(double number, lls_buf *out, lls_error *err)
{
    pthread_once(&once, make_plain);
    if (!plain)
        return lls_fail(err, LLS_E_NOMEM, "no memory for a locale");

    bool single = (double)(float)number == number; // nine digits are enough
    locale_t before = uselocale(plain);
    lls_buf_printf(out, single ? "%.9g" : "%.17g", number);
    (void)uselocale(before);
    return lls_buf_status(out, err);
}

lls_err lls_json_add_floats(const float *floats, size_t count, lls_buf *out, lls_error *err)
{
    pthread_once(&once, make_plain);
    if (!plain)
        return lls_fail(err, LLS_E_NOMEM, "no memory for a locale");

    locale_t before = uselocale(plain);
    for (size_t i = 0; i < count; i++) // nine digits tell every float from its neighbours
        lls_buf_printf(out, i ? ",%.9g" : "[%.9g", (double)floats[i]);
    (void)uselocale(before);
    lls_buf_add_text(out, count ? "]" : "[]");
    return lls_buf_status(out, err);
}
