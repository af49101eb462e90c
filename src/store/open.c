#include "store/open.h"

#include "base/scope.h"
#include "store/config.h"

enum { SETTINGS_MAX = 64 }; /* more than the options of any backend, twice */

/*
 * The item whose key is `head` and `tail` one behind the other. Nothing is allocated: a
 * key that could not be built would look like one that nobody set, and the default be opened.
 */
static const lls_config_item *find_parts(const lls_config *config, const char *head,
                                         const char *tail)
{
    size_t head_len = strlen(head);

    for (size_t i = 0; i < config->count; i++) {
        const char *key = config->items[i].key;
        if (strncmp(key, head, head_len) == 0 && strcmp(key + head_len, tail) == 0)
            return &config->items[i];
    }
    return NULL;
}

const char *lls_config_raw(const lls_config *config, const char *key)
{
    const lls_config_item *item = lls_config_find(config, lls_str_of(key));

    return item ? item->value : NULL;
}

const char *lls_config_tenant(const lls_config *config)
{
    return lls_config_raw(config, "storage.tenant");
}

static const char *default_name(const lls_config *config)
{
    return lls_config_raw(config, "storage.backend");
}

/* The default backend, if it has the port that the component lives on; else an embedded one. */
static const char *general_route(const lls_config *config, const lls_component_def *component)
{
    const char *name = default_name(config);
    const lls_backend_def *def = lls_config_backend_def(config, lls_str_of(name));

    if (!def || (def->ports & LLS_HAS(component->port)))
        return name; // one that is not in this build is missed when it is opened
    return lls_config_embedded(component->port);
}

const char *lls_config_route(const lls_config *config, const lls_component_def *component)
{
    if (component->earlier_of)
        (void)!lls_component_find(lls_str_of(component->earlier_of), &component, NULL);
    const lls_config_item *own = find_parts(config, "storage.components.", component->name);
    const lls_config_item *other =
        component->route ? lls_config_find(config, lls_str_of(component->route)) : NULL;

    if (other && (!own || other->rank > own->rank))
        own = other;
    return own ? own->value : general_route(config, component);
}

static const lls_config_item *backend_item(const lls_config *config, const char *name,
                                           const char *option)
{
    return lls_config_backend_option(config, lls_str_of(name), lls_str_of(option));
}

lls_err lls_config_backend_type(const lls_config *config, const char *name, const char **type,
                                lls_error *err)
{
    if (!name)
        name = default_name(config);
    const lls_config_item *item = backend_item(config, name, "type");
    const char *found = item ? item->value : name;
    if (!lls_backend_find(lls_str_of(found)))
        return lls_backend_unknown(lls_str_of(found), err);
    *type = found;
    return LLS_OK;
}

/*
 * The setting of `option` for the backend `name`: its own, or [storage] path and connection where
 * `name` is the default backend at the place where they are written. The stronger source wins, and
 * between equals the one that is the backend's own.
 */
static const lls_config_item *find_setting(const lls_config *config, const char *name,
                                           const char *option)
{
    const lls_config_item *own = backend_item(config, name, option);

    if (strcmp(option, "path") != 0 && strcmp(option, "connection") != 0)
        return own;
    const lls_config_item *general = find_parts(config, "storage.", option);
    if (!general || strcmp(config->backend_at[general->rank], name) != 0)
        return own;
    return own && own->rank >= general->rank ? own : general;
}

/* [storage] path for a backend that has none is a mistake that should not go unnoticed. */
static lls_err refuse_strays(const lls_config *config, const char *name, const lls_backend_def *def,
                             const lls_backend_choice *choice, lls_error *err)
{
    const char *const options[] = {"path", "connection"};
    const char *const given[] = {choice->path, choice->connection};

    for (size_t i = 0; i < LLS_COUNT(options); i++) {
        if (lls_option_find(def->options, lls_str_of(options[i])))
            continue;
        const lls_config_item *item = find_setting(config, name, options[i]);
        if (given[i])
            return lls_fail(err, LLS_E_INVALID, "backend '%s' takes no %s ('%s')", def->name,
                            options[i], given[i]);
        if (item)
            return lls_fail(err, LLS_E_INVALID, "%s: backend '%s' takes no %s", item->origin,
                            def->name, options[i]);
    }
    return LLS_OK;
}

lls_err lls_config_open_backend(const lls_config *config, const lls_backend_choice *choice,
                                const lls_backend_params *params, lls_backend **out, lls_error *err)
{
    const char *name = choice->name ? choice->name : default_name(config);
    lls_setting settings[SETTINGS_MAX];
    const char *type;
    size_t count = 0;

    LLS_TRY(lls_config_backend_type(config, name, &type, err));
    const lls_backend_def *def = lls_backend_find(lls_str_of(type));
    LLS_TRY(refuse_strays(config, name, def, choice, err));
    for (const lls_option *o = def->options; o->name && count < SETTINGS_MAX; o++) {
        const lls_config_item *item = find_setting(config, name, o->name);
        const char *given = strcmp(o->name, "path") == 0         ? choice->path
                            : strcmp(o->name, "connection") == 0 ? choice->connection
                                                                 : NULL;
        if (given)
            settings[count++] = (lls_setting){o->name, given, NULL};
        else if (item)
            settings[count++] = (lls_setting){o->name, item->value, item->origin};
    }
    return lls_backend_open(lls_str_of(type), settings, count, params, out, err);
}
