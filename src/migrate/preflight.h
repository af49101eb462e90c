/** preflight.h - everything that can be found out before the first write. All of a dry run. */
#ifndef LLS_MIGRATE_PREFLIGHT_H
#define LLS_MIGRATE_PREFLIGHT_H

#include "migrate/run.h"

/**
 * Look at both ends; write nothing. What is fine is an LLS_EVENT_CHECK, what should be known an
 * LLS_EVENT_WARNING, and what stands in the way a failure.
 *
 * Fills `source.count` of every part.
 */
lls_err lls_preflight(lls_run *run, lls_error *err) LLS_CHECKED;

#endif
