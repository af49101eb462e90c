#include "migrate/plan.h"

#include "base/alloc.h"
#include "base/scope.h"
#include "store/component.h"

lls_plan *lls_plan_new(void)
{
    lls_plan *plan = lls_alloc(sizeof(*plan));

    if (!plan)
        return NULL;
    plan->version = "1.0";
    plan->tenant = "default";
    plan->sample_percent = 100;
    plan->full_threshold = 100;
    plan->backup_enabled = true;
    plan->backup_path = "./backups";
    return plan;
}

void lls_plan_free(lls_plan *plan)
{
    if (!plan)
        return;
    lls_texts_fini(&plan->texts);
    lls_free(plan);
}

static lls_err copy_end(lls_texts *texts, lls_plan_end from, lls_plan_end *to, lls_error *err)
{
    LLS_TRY(lls_texts_keep(texts, from.backend, &to->backend, err));
    LLS_TRY(lls_texts_keep(texts, from.path, &to->path, err));
    return lls_texts_keep(texts, from.connection, &to->connection, err);
}

lls_err lls_plan_copy(const lls_plan *plan, lls_plan **out, lls_error *err)
{
    LLS_AUTO(lls_plan_ref) copy = lls_alloc(sizeof(*copy));
    if (!copy)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");

    lls_texts own = {0};
    *copy = *plan;
    copy->texts = own;
    LLS_TRY(lls_texts_keep(&copy->texts, plan->version, &copy->version, err));
    LLS_TRY(lls_texts_keep(&copy->texts, plan->tenant, &copy->tenant, err));
    LLS_TRY(lls_texts_keep(&copy->texts, plan->backup_path, &copy->backup_path, err));
    LLS_TRY(copy_end(&copy->texts, plan->source, &copy->source, err));
    LLS_TRY(copy_end(&copy->texts, plan->target, &copy->target, err));
    for (size_t i = 0; i < plan->component_count; i++)
        LLS_TRY(
            lls_texts_keep(&copy->texts, plan->components[i].name, &copy->components[i].name, err));
    *out = copy;
    copy = NULL;
    return LLS_OK;
}

lls_err lls_plan_port(const lls_plan *plan, lls_port *out, lls_error *err)
{
    const lls_component_def *first = NULL;

    for (size_t i = 0; i < plan->component_count; i++) {
        const lls_component_def *def;
        LLS_TRY(lls_component_find(lls_str_of(plan->components[i].name), &def, err));
        if (!first)
            first = def;
        if (def->port != first->port)
            return lls_fail(err, LLS_E_INVALID,
                            "%s and %s cannot become visible in one step, as they are kept in "
                            "different ways: make a plan for each",
                            first->name, def->name);
    }
    *out = first ? first->port : LLS_PORT_KV;
    return LLS_OK;
}

uint64_t lls_plan_unrecognised(const lls_plan *plan)
{
    return plan->unrecognised;
}

lls_plan_end lls_plan_source(const lls_plan *plan)
{
    return plan->source;
}

lls_plan_end lls_plan_target(const lls_plan *plan)
{
    return plan->target;
}

const char *lls_plan_tenant(const lls_plan *plan)
{
    return plan->tenant;
}

bool lls_plan_component_at(const lls_plan *plan, size_t index, lls_plan_component *out)
{
    if (index >= plan->component_count)
        return false;
    *out = plan->components[index];
    return true;
}
