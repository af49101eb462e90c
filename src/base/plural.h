/** plural.h - the ending of a noun behind a number: "1 record", "2 records". */
#ifndef LLS_BASE_PLURAL_H
#define LLS_BASE_PLURAL_H

#include <stdint.h>

static inline const char *lls_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

#endif
