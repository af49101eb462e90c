/**
 * mark.h - how a run learns whether it became visible: a record in a collection of the target that
 * is staged and published together with the run's own records. After a kill inside `publish` the
 * mark is there exactly if they are.
 */
#ifndef LLS_MIGRATE_MARK_H
#define LLS_MIGRATE_MARK_H

#include "ports/stage.h"

/** Stage the mark of `name`, unless the stage has it already. */
lls_err lls_mark_stage(lls_kv_stage *stage, const char *name, int64_t now_usec,
                       lls_error *err) LLS_CHECKED;

/** Append the name of the stage that was published last; nothing when there was none. */
lls_err lls_mark_read(lls_kv *target, lls_str tenant, lls_buf *out, lls_error *err) LLS_CHECKED;

/** Whether the stage that was published last is `name`. */
lls_err lls_mark_is(lls_kv *target, lls_str tenant, const char *name, bool *out,
                    lls_error *err) LLS_CHECKED;

#endif
