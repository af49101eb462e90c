/* A time that is read is within the range, and its text gives the same time. */
#include "base/time.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[LLS_TIME_TEXT];
    int64_t usec;
    int64_t again;

    if (lls_time_parse(text_of(data, size), &usec, NULL) != LLS_OK)
        return 0;
    must(usec >= LLS_TIME_MIN_USEC && usec <= LLS_TIME_MAX_USEC);
    lls_time_format(usec, text);
    must(lls_time_parse(lls_str_of(text), &again, NULL) == LLS_OK);
    must(again == usec);
    return 0;
}
