/** status.h - one word that says how something stands, as callers write it: in any case, "_" or
 * not. */
#ifndef LLS_COMPONENTS_STATUS_H
#define LLS_COMPONENTS_STATUS_H

#include "base/json.h"

/**
 * The index of the status in `names` that the member "status" of `object` is, or 0. `names` has
 * `count` words in lower case with "_" between them, and NULL at 0. Case, "_", "-" and blanks do
 * not matter: "PartiallyCompleted" is "partially_completed".
 */
int lls_status_of(lls_json_value object, const char *const *names, size_t count);

#endif
