#include <llmspell/inspect.h>

#include "base/scope.h"
#include "base/time.h"
#include "ports/record.h"
#include "store/component.h"
#include "store/open.h"
#include "tools/abi.h"
#include "tools/pace.h"

#include <inttypes.h>

typedef struct validation {
    const lls_validate_options *options;
    lls_backend *backend;
    lls_kv *records; /* of the component that is looked at */
    lls_str tenant;
    uint64_t findings;
} validation;

static void found(validation *run, const char *component, const char *key, const char *what)
{
    lls_finding finding = {component, key, what};

    run->findings++;
    if (run->options->finding)
        run->options->finding(run->options->user, &finding);
}

static void found_in_record(validation *run, const lls_component_def *component, lls_bytes key,
                            const char *what)
{
    LLS_AUTO(lls_buf) shown = {0};

    lls_key_show(key, &shown);
    found(run, component->name, lls_buf_cstr(&shown), what);
}

// A clock that was set back may leave a record that was updated before it was created; a time that
// no backend can hold, or no version, has no honest way to come about.
static const char *wrong_in_meta(const lls_kv_meta *meta)
{
    if (meta->version == 0)
        return "version is 0";
    if (meta->created_usec < LLS_TIME_MIN_USEC || meta->created_usec > LLS_TIME_MAX_USEC)
        return "time of creation is not between the years 1 and 9999";
    if (meta->updated_usec < LLS_TIME_MIN_USEC || meta->updated_usec > LLS_TIME_MAX_USEC)
        return "time of the last write is not between the years 1 and 9999";
    if (meta->expires_usec < LLS_TIME_MIN_USEC || meta->expires_usec > LLS_TIME_MAX_USEC)
        return "time of expiry is not between the years 1 and 9999";
    return NULL;
}

static void check_record(validation *run, const lls_component_def *component,
                         const lls_kv_item *item)
{
    lls_error why = {0};
    const char *wrong = wrong_in_meta(&item->meta);

    if (component->check_key(item->key, &why) != LLS_OK)
        found_in_record(run, component, item->key, why.msg);
    if (component->check_value(item->value, &why) != LLS_OK)
        found_in_record(run, component, item->key, why.msg);
    if (wrong)
        found_in_record(run, component, item->key, wrong);
}

static lls_err check_records(validation *run, const lls_component_def *component, uint64_t total,
                             lls_digest *sum, uint64_t *records, lls_error *err)
{
    const lls_validate_options *options = run->options;
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_kv_space space = {run->tenant, lls_str_of(component->collection)};
    lls_kv_range range = {{0}, {0}};
    lls_error why = {0};
    lls_kv_item item = {0};
    lls_pace pace = {0};
    lls_err e = LLS_OK;

    LLS_TRY(lls_kv_scan(run->records, space, range, LLS_KV_ALL, &it, err));
    while ((e = lls_kv_iter_next(it, &item, &why)) == LLS_OK || e == LLS_E_CORRUPT) {
        if (options->cancel && *options->cancel)
            return lls_fail(err, LLS_E_CANCELLED, "cancelled");
        if (e == LLS_OK) {
            check_record(run, component, &item);
            lls_digest_add(sum, lls_record_digest(space.coll, &item));
        } else {
            found(run, component->name, NULL, why.msg);
        }
        ++*records;
        if (options->progress && lls_pace_due(&pace, *records))
            options->progress(options->user, component->name, *records, total);
    }
    if (e != LLS_END && err)
        *err = why;
    return e == LLS_END ? LLS_OK : e;
}

static lls_err check_component(validation *run, const lls_component_def *component, lls_error *err)
{
    const lls_validate_options *options = run->options;
    lls_kv_space space = {run->tenant, lls_str_of(component->collection)};
    uint64_t findings_before = run->findings;
    uint64_t records = 0;
    lls_kv_stats stats = {0};
    lls_digest sum = {0};
    char digest[LLS_DIGEST_TEXT];

    LLS_TRY(lls_kv_stats_of(run->records, space, &stats, err));
    lls_err e = check_records(run, component, stats.count, &sum, &records, err);
    if (e != LLS_OK)
        return lls_wrap(err, e, "validate '%s'", component->name);
    if (options->progress)
        options->progress(options->user, component->name, records, records);
    lls_digest_format(sum, digest);
    if (options->component)
        options->component(options->user, component->name, records, run->findings - findings_before,
                           digest);
    return LLS_OK;
}

static void found_in_store(void *user, const char *name, const char *value)
{
    LLS_AUTO(lls_buf) text = {0};

    lls_buf_printf(&text, "%s: %s", name, value);
    found(user, NULL, NULL, lls_buf_cstr(&text));
}

static bool is_chosen(const lls_validate_options *options, const char *component)
{
    for (size_t i = 0; i < options->component_count; i++)
        if (strcmp(options->components[i], component) == 0)
            return true;
    return !options->components;
}

static lls_err check_names(const lls_validate_options *options, lls_error *err)
{
    const lls_component_def *component = NULL;

    for (size_t i = 0; options->components && i < options->component_count; i++)
        LLS_TRY(lls_component_find(lls_str_of(options->components[i]), &component, err));
    return LLS_OK;
}

/* A component that the backend cannot keep has no records in it. */
static bool has_port(validation *run, const lls_component_def *component)
{
    return lls_backend_records(run->backend, component->port, &run->records, NULL) == LLS_OK;
}

lls_err lls_validate(const lls_config *config, const char *backend,
                     const lls_validate_options *options, lls_error *err)
{
    static const lls_validate_options preset = {.abi = LLS_ABI};
    LLS_AUTO(lls_backend_ref) opened = NULL;
    lls_backend_choice choice = {.name = backend};
    lls_backend_params params = {.access = LLS_READ_ONLY};
    validation run = {.options = options ? options : &preset};

    LLS_TRY(lls_abi_check(run.options->abi, "lls_validate_options", err));
    LLS_TRY(check_names(run.options, err));
    LLS_TRY(lls_config_open_backend(config, &choice, &params, &opened, err));
    run.backend = opened;
    run.tenant = lls_str_of(lls_config_tenant(config));
    if (opened->def->check)
        LLS_TRY(opened->def->check(opened, found_in_store, &run, err));
    for (size_t i = 0; lls_components()[i]; i++)
        if (has_port(&run, lls_components()[i]) &&
            is_chosen(run.options, lls_components()[i]->name))
            LLS_TRY(check_component(&run, lls_components()[i], err));
    if (run.findings)
        return lls_fail(err, LLS_E_CORRUPT, "%" PRIu64 " finding%s", run.findings,
                        run.findings == 1 ? "" : "s");
    return LLS_OK;
}
