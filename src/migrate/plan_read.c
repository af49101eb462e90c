#include "base/file.h"
#include "base/scope.h"
#include "migrate/plan.h"
#include "migrate/yaml_read.h"
#include "ports/option.h"
#include "ports/space.h"
#include "store/component.h"

static lls_err check_version(const void *value, lls_error *err)
{
    const char *version = *(const char *const *)value;

    if (strcmp(version, "1.0") != 0)
        return lls_fail(err, LLS_E_INVALID, "version '%.20s' of plans is not known here, only 1.0",
                        version);
    return LLS_OK;
}

static lls_err check_tenant(const void *value, lls_error *err)
{
    return lls_tenant_check(lls_str_of(*(const char *const *)value), err);
}

static lls_err check_connection(const void *value, lls_error *err)
{
    if (lls_conninfo_has_password(lls_str_of(*(const char *const *)value)))
        return lls_fail(err, LLS_E_INVALID,
                        "a plan must not hold a password: put it into the configuration file, "
                        "PGPASSWORD or ~/.pgpass");
    return LLS_OK;
}

static lls_err check_component(const void *value, lls_error *err)
{
    const lls_component_def *def;

    return lls_component_find(lls_str_of(*(const char *const *)value), &def, err);
}

static lls_err check_components(const void *value, lls_error *err)
{
    const lls_plan *plan = value;

    for (size_t i = 1; i < plan->component_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(plan->components[i].name, plan->components[k].name) == 0)
                return lls_fail(err, LLS_E_INVALID, "component '%s' is listed twice",
                                plan->components[i].name);
        }
    }
    return LLS_OK;
}

static const lls_yaml_field end_fields[] = {
    {.name = "backend", .type = LLS_YAML_TEXT, .offset = offsetof(lls_plan_end, backend)},
    {.name = "path",
     .type = LLS_YAML_TEXT,
     .offset = offsetof(lls_plan_end, path),
     .optional = true},
    {.name = "connection",
     .type = LLS_YAML_TEXT,
     .offset = offsetof(lls_plan_end, connection),
     .optional = true,
     .check = check_connection},
    {0},
};

static const lls_yaml_field component_fields[] = {
    {.name = "name",
     .type = LLS_YAML_TEXT,
     .offset = offsetof(lls_plan_component, name),
     .check = check_component},
    {.name = "estimated_count",
     .type = LLS_YAML_COUNT,
     .offset = offsetof(lls_plan_component, estimated_count),
     .max = INT64_MAX},
    {.name = "batch_size",
     .type = LLS_YAML_COUNT,
     .offset = offsetof(lls_plan_component, batch_size),
     .min = 1,
     .max = LLS_PLAN_BATCH_MAX},
    {0},
};

static const lls_yaml_field validation_fields[] = {
    {.name = "checksum_sample_percent",
     .type = LLS_YAML_COUNT,
     .offset = offsetof(lls_plan, sample_percent),
     .min = 1,
     .max = 100},
    {.name = "full_comparison_threshold",
     .type = LLS_YAML_COUNT,
     .offset = offsetof(lls_plan, full_threshold),
     .max = INT64_MAX},
    {0},
};

static const lls_yaml_field rollback_fields[] = {
    {.name = "backup_enabled", .type = LLS_YAML_BOOL, .offset = offsetof(lls_plan, backup_enabled)},
    {.name = "backup_path", .type = LLS_YAML_TEXT, .offset = offsetof(lls_plan, backup_path)},
    {0},
};

/* `validation` and `rollback` are mappings in the file and plain members in the struct: their
 * offset is 0, and the offsets of their fields are those of the plan. */
static const lls_yaml_field plan_fields[] = {
    {.name = "version",
     .type = LLS_YAML_TEXT,
     .offset = offsetof(lls_plan, version),
     .check = check_version},
    {.name = "created_at", .type = LLS_YAML_TIME, .offset = offsetof(lls_plan, created_usec)},
    {.name = "tenant",
     .type = LLS_YAML_TEXT,
     .offset = offsetof(lls_plan, tenant),
     .check = check_tenant},
    {.name = "source",
     .type = LLS_YAML_MAPPING,
     .offset = offsetof(lls_plan, source),
     .fields = end_fields},
    {.name = "target",
     .type = LLS_YAML_MAPPING,
     .offset = offsetof(lls_plan, target),
     .fields = end_fields},
    {.name = "components",
     .type = LLS_YAML_LIST,
     .offset = offsetof(lls_plan, components),
     .max = LLS_PLAN_COMPONENTS,
     .fields = component_fields,
     .size = sizeof(lls_plan_component),
     .count_offset = offsetof(lls_plan, component_count),
     .check = check_components},
    {.name = "validation", .type = LLS_YAML_MAPPING, .fields = validation_fields},
    {.name = "rollback", .type = LLS_YAML_MAPPING, .fields = rollback_fields},
    {0},
};

lls_err lls_plan_parse(lls_str text, const char *name, lls_plan **out, lls_error *err)
{
    LLS_AUTO(lls_plan_ref) plan = lls_plan_new();

    if (!plan)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    LLS_TRY(lls_yaml_read(text, name, plan_fields, plan, &plan->texts, err));
    *out = plan;
    plan = NULL;
    return LLS_OK;
}

lls_err lls_plan_load(const char *path, lls_plan **out, lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};

    LLS_TRY(lls_file_read(path, LLS_PLAN_FILE_MAX, &text, err));
    return lls_plan_parse(lls_buf_str(&text), path, out, err);
}
