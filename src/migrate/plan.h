/** plan.h - what a plan holds: the fields of the YAML file, in its order. */
#ifndef LLS_MIGRATE_PLAN_H
#define LLS_MIGRATE_PLAN_H

#include "migrate/texts.h"
#include "ports/kv.h"

#include <llmspell/migrate.h>

enum {
    LLS_PLAN_COMPONENTS = 16,        /* more than the catalogue has */
    LLS_PLAN_BATCH_MAX = 100000,     /* records; a batch is also cut at 4 MiB: see feed.h */
    LLS_PLAN_FILE_MAX = 1024 * 1024, /* bytes */
};

struct lls_plan {
    const char *version;
    int64_t created_usec;
    const char *tenant;
    lls_plan_end source;
    lls_plan_end target;
    lls_plan_component components[LLS_PLAN_COMPONENTS];
    size_t component_count;
    uint64_t sample_percent; /**< 1 to 100. */
    uint64_t full_threshold; /**< Records up to which a component is compared in full. */
    bool backup_enabled;
    const char *backup_path;
    uint64_t unrecognised; /**< Records of the source that no component understands; not saved. */
    lls_texts texts;       /**< Where all of the above live. */
};

/** A new plan with the documented defaults, and nothing else. NULL: no memory. */
lls_plan *lls_plan_new(void);

/** Read a plan from memory. `name` is what messages call the file. */
lls_err lls_plan_parse(lls_str text, const char *name, lls_plan **out, lls_error *err) LLS_CHECKED;

/** Append the plan as YAML, with comments that explain its fields. */
void lls_plan_write(const lls_plan *plan, lls_buf *out);

/** A copy that shares nothing with `plan`. */
lls_err lls_plan_copy(const lls_plan *plan, lls_plan **out, lls_error *err) LLS_CHECKED;

/**
 * The port that the components of `plan` live on. One plan moves what becomes visible in one step,
 * and no step spans two ports. Errors: LLS_E_INVALID when its components live on several.
 */
lls_err lls_plan_port(const lls_plan *plan, lls_port *out, lls_error *err) LLS_CHECKED;

typedef lls_plan *lls_plan_ref; /* so that LLS_AUTO can name it */
static inline void lls_plan_ref_auto(lls_plan_ref *plan)
{
    lls_plan_free(*plan);
}

#endif
