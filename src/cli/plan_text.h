/** plan_text.h - a plan as the library writes it, in memory. */
#ifndef CLI_PLAN_TEXT_H
#define CLI_PLAN_TEXT_H

#include <llmspell/migrate.h>

/** Append the YAML of `plan`. It goes through a folder of its own below TMPDIR. */
lls_err cli_plan_text(const lls_plan *plan, lls_buf *yaml, lls_error *err) LLS_CHECKED;

#endif
