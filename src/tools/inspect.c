#include <llmspell/inspect.h>

#include "base/scope.h"
#include "ports/vec_recall.h"
#include "store/component.h"
#include "store/open.h"

/* Vectors that recall is measured with. */
enum { RECALL_SAMPLE = 60 };

static void tell(const lls_info_handler *handler, const char *name, const char *value)
{
    if (handler->fact)
        handler->fact(handler->user, name, value);
}

static void tell_flag(const lls_info_handler *handler, const char *name, bool flag)
{
    tell(handler, name, flag ? "yes" : "no");
}

static lls_err tell_duration(const lls_info_handler *handler, const char *name, uint32_t usec,
                             lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};

    lls_buf_printf(&text, "about %u us", usec);
    LLS_TRY(lls_buf_status(&text, err));
    tell(handler, name, lls_buf_cstr(&text));
    return LLS_OK;
}

static lls_err tell_promises(const lls_info_handler *handler, const lls_backend_def *def,
                             lls_error *err)
{
    tell(handler, "backend", def->name);
    tell(handler, "summary", def->summary);
    tell_flag(handler, "persistent", def->characteristics.persistent);
    tell_flag(handler, "transactional", def->characteristics.transactional);
    tell_flag(handler, "prefix_scan", def->characteristics.prefix_scan);
    tell_flag(handler, "atomic_ops", def->characteristics.atomic_ops);
    tell_flag(handler, "multi_process", def->characteristics.multi_process);
    LLS_TRY(tell_duration(handler, "read_latency", def->characteristics.read_usec, err));
    return tell_duration(handler, "write_latency", def->characteristics.write_usec, err);
}

static void pass_on(void *user, const char *name, const char *value)
{
    tell(user, name, value);
}

static lls_err tell_facts(lls_info_handler *handler, lls_backend *backend, lls_error *err)
{
    if (!backend->def->facts)
        return LLS_OK;
    return backend->def->facts(backend, pass_on, handler, err);
}

/* The spaces of one collection, on their way to the handler. */
typedef struct spaces {
    const lls_info_handler *handler;
    lls_vec *vec;
    lls_kv_space coll;
    const lls_component_def *component;
    lls_err status;
    lls_error *err;
} spaces;

static void tell_space(void *user, const lls_vec_stats *stats)
{
    spaces *s = user;
    lls_vec_recall measured = {0};
    bool wanted = stats->count <= LLS_INSPECT_RECALL_MAX || s->handler->recall;

    if (s->status == LLS_OK && stats->space.dim > 0 && !stats->exact && wanted)
        s->status = lls_vec_recall_of(s->vec, s->coll, &stats->space, RECALL_SAMPLE, NULL,
                                      &measured, s->err);
    if (s->status != LLS_OK)
        return;
    lls_space_info info = {
        .component = s->component->name,
        .model = stats->space.model,
        .dimension = stats->space.dim,
        .metric = stats->space.metric,
        .normalised = stats->space.normalised,
        .count = stats->count,
        .bytes = stats->bytes,
        .hot_bytes = stats->hot_bytes,
        .exact = stats->exact,
        .index = stats->index,
        .recall = measured.recall,
        .asked = measured.asked,
    };
    s->handler->space(s->handler->user, &info);
}

static lls_err tell_spaces(const lls_info_handler *handler, lls_vec *vec, lls_kv_space coll,
                           const lls_component_def *component, lls_error *err)
{
    spaces s = {.handler = handler, .vec = vec, .coll = coll, .component = component, .err = err};

    LLS_TRY(lls_vec_stats_of(vec, coll, tell_space, &s, err));
    return s.status;
}

static lls_err tell_component(const lls_info_handler *handler, lls_backend *backend, lls_str tenant,
                              const lls_component_def *component, lls_error *err)
{
    lls_kv_space space = {tenant, lls_str_of(component->collection)};
    lls_component_info info = {.component = component->name};
    lls_kv_stats stats = {0};
    lls_kv *records;

    if (lls_backend_records(backend, component->port, &records, NULL) != LLS_OK)
        return LLS_OK; // a backend without the port holds none of it
    LLS_TRY(lls_kv_count(records, space, &info.count, err));
    LLS_TRY(lls_kv_stats_of(records, space, &stats, err));
    info.bytes = stats.bytes;
    info.bytes_are_shared = stats.bytes_are_shared;
    if (handler->component)
        handler->component(handler->user, &info);
    if (component->port == LLS_PORT_VEC && handler->space)
        return tell_spaces(handler, backend->vec, space, component, err);
    return LLS_OK;
}

lls_err lls_inspect(const lls_config *config, const char *backend, const lls_info_handler *handler,
                    lls_error *err)
{
    LLS_AUTO(lls_backend_ref) opened = NULL;
    lls_backend_choice choice = {.name = backend};
    lls_backend_params params = {.access = LLS_READ_ONLY};
    lls_info_handler to = *handler;
    lls_str tenant = lls_str_of(lls_config_tenant(config));

    LLS_TRY(lls_config_open_backend(config, &choice, &params, &opened, err));
    LLS_TRY(tell_promises(&to, opened->def, err));
    LLS_TRY(tell_facts(&to, opened, err));
    for (size_t i = 0; lls_components()[i]; i++)
        LLS_TRY(tell_component(&to, opened, tenant, lls_components()[i], err));
    return LLS_OK;
}
