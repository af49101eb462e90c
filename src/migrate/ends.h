/** ends.h - open the two ends of a plan, as the configuration and the plan say. */
#ifndef LLS_MIGRATE_ENDS_H
#define LLS_MIGRATE_ENDS_H

#include "migrate/plan.h"
#include "ports/backend.h"

/** Open the source, for reading only. */
lls_err lls_ends_open_source(const lls_config *config, const lls_plan *plan, lls_backend **out,
                             lls_error *err) LLS_CHECKED;

/** Open the target. READ_ONLY: LLS_E_NOTFOUND when there is none yet. */
lls_err lls_ends_open_target(const lls_config *config, const lls_plan *plan, lls_access access,
                             lls_backend **out, lls_error *err) LLS_CHECKED;

/** Errors: LLS_E_INVALID when both ends are configured to be the same store, or the plan needs two
 * ports; LLS_E_UNSUPPORTED when an end does not have the port. */
lls_err lls_ends_check(const lls_config *config, const lls_plan *plan, lls_error *err) LLS_CHECKED;

#endif
