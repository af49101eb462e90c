#include "base/json.h"
#include "base/scope.h"
#include "base/time.h"
#include "migrate/ends.h"
#include "migrate/plan.h"
#include "ports/option.h"
#include "store/component.h"
#include "store/open.h"

#include <assert.h>

static lls_err keep_text(lls_plan *plan, const char *text, const char **out, lls_error *err)
{
    if (text && !lls_utf8_check(lls_bytes_of(lls_str_of(text))))
        return lls_fail(err, LLS_E_INVALID, "a plan is UTF-8, and '%s' is not", text);
    return lls_texts_keep(&plan->texts, text, out, err);
}

static lls_err keep_end(lls_plan *plan, lls_plan_end from, lls_plan_end *to, lls_error *err)
{
    if (from.connection && lls_conninfo_has_password(lls_str_of(from.connection)))
        return lls_fail(err, LLS_E_INVALID,
                        "a plan must not hold a password: put it into the configuration file, "
                        "PGPASSWORD or ~/.pgpass");
    LLS_TRY(keep_text(plan, from.backend, &to->backend, err));
    LLS_TRY(keep_text(plan, from.path, &to->path, err));
    return keep_text(plan, from.connection, &to->connection, err);
}

/* The configuration's batch size is text that the configuration has checked. */
static uint64_t batch_size(const lls_config *config, const lls_plan_request *request)
{
    const char *configured = lls_config_raw(config, "storage.migration.batch_size");
    uint64_t n = request->batch_size;

    if (n == 0 && configured)
        n = strtoull(configured, NULL, 10);
    return n ? n : 1000;
}

static lls_err keep_components(lls_plan *plan, const lls_plan_request *request, uint64_t batch,
                               lls_error *err)
{
    if (request->component_count == 0)
        return lls_fail(err, LLS_E_INVALID, "a plan needs at least one component");
    if (request->component_count > LLS_PLAN_COMPONENTS)
        return lls_fail(err, LLS_E_INVALID, "more than %d components", LLS_PLAN_COMPONENTS);
    if (batch > LLS_PLAN_BATCH_MAX)
        return lls_fail(err, LLS_E_INVALID, "a batch has at most %d records", LLS_PLAN_BATCH_MAX);
    for (size_t i = 0; i < request->component_count; i++) {
        const lls_component_def *def;
        LLS_TRY(lls_component_find(lls_str_of(request->components[i]), &def, err));
        for (size_t k = 0; k < i; k++) {
            if (strcmp(plan->components[k].name, def->name) == 0)
                return lls_fail(err, LLS_E_INVALID, "component '%s' is listed twice", def->name);
        }
        plan->components[i].batch_size = batch;
        LLS_TRY(keep_text(plan, def->name, &plan->components[i].name, err));
        plan->component_count = i + 1;
    }
    return LLS_OK;
}

static lls_err count_component(lls_kv *records, lls_plan *plan, const lls_component_def *def,
                               uint64_t *count, lls_error *err)
{
    lls_kv_space space = {lls_str_of(plan->tenant), lls_str_of(def->collection)};
    lls_kv_stats stats;

    LLS_TRY(lls_kv_stats_of(records, space, &stats, err));
    *count = stats.count;
    return LLS_OK;
}

static bool plan_has(const lls_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->component_count; i++)
        if (strcmp(plan->components[i].name, name) == 0)
            return true;
    return false;
}

/* Earlier versions of what is moved come along, if there are any. */
static lls_err add_history(lls_kv *records, lls_plan *plan, const lls_component_def *def,
                           uint64_t batch, lls_error *err)
{
    const lls_component_def *history = lls_component_history(def);
    lls_plan_component *next = &plan->components[plan->component_count];
    uint64_t count = 0;

    if (!history || plan_has(plan, history->name))
        return LLS_OK;
    LLS_TRY(count_component(records, plan, history, &count, err));
    if (count == 0)
        return LLS_OK;
    if (plan->component_count == LLS_PLAN_COMPONENTS)
        return lls_fail(err, LLS_E_INVALID, "more than %d components", LLS_PLAN_COMPONENTS);
    LLS_TRY(keep_text(plan, history->name, &next->name, err));
    next->batch_size = batch;
    next->estimated_count = count;
    plan->component_count++;
    return LLS_OK;
}

static lls_err count_source(const lls_config *config, lls_plan *plan, lls_error *err)
{
    LLS_AUTO(lls_backend_ref) source = NULL;

    lls_kv *records = NULL;
    lls_port port;

    LLS_TRY(lls_plan_port(plan, &port, err));
    LLS_TRY(lls_ends_open_source(config, plan, &source, err));
    LLS_TRY(lls_backend_records(source, port, &records, err));
    size_t asked = plan->component_count;
    for (size_t i = 0; i < asked; i++) {
        lls_plan_component *component = &plan->components[i];
        const lls_component_def *def;
        LLS_TRY(lls_component_find(lls_str_of(component->name), &def, err));
        LLS_TRY(count_component(records, plan, def, &component->estimated_count, err));
        LLS_TRY(add_history(records, plan, def, component->batch_size, err));
    }
    if (port == LLS_PORT_KV && !plan_has(plan, lls_component_unrecognised.name)) {
        lls_kv_space space = {lls_str_of(plan->tenant),
                              lls_str_of(lls_component_unrecognised.collection)};
        LLS_TRY(lls_kv_count(records, space, &plan->unrecognised, err));
    }
    return LLS_OK;
}

/* The target need not be there yet, but it must be one that can be opened. */
static lls_err look_at_target(const lls_config *config, const lls_plan *plan, lls_error *err)
{
    LLS_AUTO(lls_backend_ref) target = NULL;
    lls_err e = lls_ends_open_target(config, plan, LLS_READ_ONLY, &target, err);

    return e == LLS_E_NOTFOUND ? LLS_OK : e;
}

lls_err lls_plan_check_target(const lls_config *config, const lls_plan *plan, lls_error *err)
{
    assert(config && plan);

    LLS_AUTO(lls_backend_ref) target = NULL;
    lls_error found = {0};
    lls_err e = lls_ends_open_target(config, plan, LLS_READ_ONLY, &target, &found);

    if (e == LLS_E_NOTFOUND)
        return LLS_OK;
    if (e != LLS_OK) {
        if (err)
            *err = found;
        return e;
    }
    return target->def && target->def->ready ? target->def->ready(target, 0, err) : LLS_OK;
}

lls_err lls_plan_make(const lls_config *config, const lls_plan_request *request, lls_plan **out,
                      lls_error *err)
{
    assert(config && request && out);

    if (request->abi != LLS_ABI)
        return lls_fail(err, LLS_E_INVALID, "lls_plan_request.abi is %u: set it to LLS_ABI",
                        request->abi);
    if (!request->source.backend || !request->target.backend)
        return lls_fail(err, LLS_E_INVALID, "a plan needs a source and a target");
    LLS_AUTO(lls_plan_ref) plan = lls_plan_new();
    if (!plan)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");

    const char *tenant = request->tenant ? request->tenant : lls_config_tenant(config);
    const char *backups = request->backup_path;
    if (!backups)
        backups = lls_config_raw(config, "storage.migration.backup_path");
    plan->created_usec = lls_clock_now(NULL);
    plan->created_usec -= plan->created_usec % 1000000;
    LLS_TRY(keep_text(plan, tenant, &plan->tenant, err));
    LLS_TRY(keep_text(plan, backups ? backups : plan->backup_path, &plan->backup_path, err));
    LLS_TRY(keep_end(plan, request->source, &plan->source, err));
    LLS_TRY(keep_end(plan, request->target, &plan->target, err));
    LLS_TRY(keep_components(plan, request, batch_size(config, request), err));
    LLS_TRY(lls_ends_check(config, plan, err));
    LLS_TRY(count_source(config, plan, err));
    LLS_TRY(look_at_target(config, plan, err));
    *out = plan;
    plan = NULL;
    return LLS_OK;
}
