/* Which keys there are. */
#include "base/nearest.h"
#include "base/scope.h"
#include "ports/space.h"
#include "store/component.h"
#include "store/config.h"

#include <stdint.h>

#define KEY(name_, type_, preset_, ...)                                                            \
    {                                                                                              \
        .name = (name_), .type = (type_), .preset = (preset_), .meaning = __VA_ARGS__              \
    }

static const char *const embedded[] = {
    [LLS_PORT_KV] = "lmdb",
    [LLS_PORT_VEC] = "hnsw",
};

const char *lls_config_embedded(lls_port port)
{
    return embedded[port];
}

const lls_option lls_config_keys[] = {
    KEY("storage.backend", LLS_OPT_TEXT, "lmdb",
        "the backend that serves every component without a route of its own"),
    KEY("storage.path", LLS_OPT_PATH, NULL, "where that backend keeps its files"),
    KEY("storage.connection", LLS_OPT_CONNINFO, NULL, "how that backend reaches its server"),
    KEY("storage.tenant", LLS_OPT_TEXT, "default", "whose records these are"),
    KEY("storage.agent_state.history", LLS_OPT_COUNT, "0",
        "how many earlier versions to keep of the state of an agent", .min = 0, .max = 1000),
    KEY("storage.memory.episodic_backend", LLS_OPT_TEXT, NULL, "the backend of episodic memory"),
    KEY("storage.memory.semantic_backend", LLS_OPT_TEXT, NULL, "the backend of semantic memory"),
    KEY("storage.memory.procedural_backend", LLS_OPT_TEXT, NULL,
        "the backend of procedural memory"),
    KEY("storage.migration.backup_path", LLS_OPT_PATH, "./backups", "where run folders are made"),
    KEY("storage.migration.batch_size", LLS_OPT_COUNT, "1000", "records in a batch of a new plan",
        .min = 1, .max = 1000000),
    KEY("storage.migration.checksum_sample_percent", LLS_OPT_COUNT, "100",
        "how many records of a large component a new plan verifies", .min = 1, .max = 100),
    KEY("storage.migration.full_comparison_threshold", LLS_OPT_COUNT, "100",
        "up to how many records a component is always verified in full", .min = 0,
        .max = UINT64_MAX),
    {0},
};

/* A route of a component, and the type of a named backend. */
static const lls_option route_option = {.name = "route", .type = LLS_OPT_TEXT};

/* What is behind `prefix` in `key`, or an empty text. */
static lls_str behind(lls_str key, const char *prefix)
{
    lls_str p = lls_str_of(prefix);

    if (key.len <= p.len || !lls_bytes_has_prefix(lls_bytes_of(key), lls_bytes_of(p)))
        return (lls_str){0};
    return (lls_str){key.data + p.len, key.len - p.len};
}

static void consider(lls_str wanted, const char *candidate, size_t *best, const char **name)
{
    size_t d = lls_edit_distance(wanted, lls_str_of(candidate), *best);

    if (d < *best) {
        *best = d;
        *name = candidate;
    }
}

static lls_err unknown_key(lls_str key, lls_error *err)
{
    const char *name = NULL;
    size_t best = 4; // further off is no typing mistake

    for (const lls_option *k = lls_config_keys; k->name; k++)
        consider(key, k->name, &best, &name);
    return lls_fail(err, LLS_E_INVALID, "unknown key '" LLS_FMT "'%s%s%s", LLS_ARG(key),
                    name ? ", did you mean '" : "", name ? name : "", name ? "'?" : "");
}

static lls_err unknown_option(lls_str option, const lls_backend_def *def, lls_error *err)
{
    const char *name = NULL;
    size_t best = 4;

    for (const lls_option *o = def->options; o->name; o++)
        consider(option, o->name, &best, &name);
    return lls_fail(err, LLS_E_INVALID, "backend '%s' has no option '" LLS_FMT "'%s%s%s", def->name,
                    LLS_ARG(option), name ? ", did you mean '" : "", name ? name : "",
                    name ? "'?" : "");
}

bool lls_config_split(lls_str key, lls_str *name, lls_str *option)
{
    lls_str rest = behind(key, "storage.backends.");
    size_t dot = rest.len;

    while (dot > 0 && rest.data[dot - 1] != '.')
        dot--;
    if (dot < 2 || dot == rest.len)
        return false;
    *name = (lls_str){rest.data, dot - 1};
    *option = (lls_str){rest.data + dot, rest.len - dot};
    return true;
}

const lls_backend_def *lls_config_backend_def(const lls_config *config, lls_str name)
{
    const lls_config_item *type = lls_config_backend_option(config, name, LLS_STR("type"));

    return lls_backend_find(type ? lls_str_of(type->value) : name);
}

static lls_err check_backend_key(const lls_config *config, lls_str key, const lls_option **option,
                                 lls_error *err)
{
    lls_str name;
    lls_str wanted;

    if (!lls_config_split(key, &name, &wanted))
        return lls_fail(err, LLS_E_INVALID, "[storage.backends.NAME] with an option is wanted");
    if (lls_str_eq(wanted, LLS_STR("type"))) {
        *option = &route_option;
        return LLS_OK;
    }
    const lls_backend_def *def = lls_config_backend_def(config, name);
    *option = NULL;
    if (!def)
        return LLS_OK; // not in this build: said when it is asked for
    *option = lls_option_find(def->options, wanted);
    return *option ? LLS_OK : unknown_option(wanted, def, err);
}

lls_err lls_config_key_check(const lls_config *config, lls_str key, const lls_option **option,
                             lls_error *err)
{
    lls_str rest = behind(key, "storage.components.");
    if (rest.len) {
        const lls_component_def *component;
        *option = &route_option;
        LLS_TRY(lls_component_find(rest, &component, err));
        if (component->earlier_of)
            return lls_fail(err, LLS_E_INVALID, "component '%s' is kept where '%s' is",
                            component->name, component->earlier_of);
        return LLS_OK;
    }
    rest = behind(key, "storage.backends.");
    if (rest.len)
        return check_backend_key(config, key, option, err);
    *option = lls_option_find(lls_config_keys, key);
    return *option ? LLS_OK : unknown_key(key, err);
}

static bool contains(lls_str text, lls_str part)
{
    for (size_t i = 0; i + part.len <= text.len; i++)
        if (memcmp(text.data + i, part.data, part.len) == 0)
            return true;
    return false;
}

/* Of a backend that this build lacks nobody knows which options are secret. */
static bool looks_secret(const lls_config_item *item)
{
    lls_str value = lls_str_of(item->value);
    lls_str name;
    lls_str option;

    if (!lls_config_split(lls_str_of(item->key), &name, &option))
        return false;
    if (contains(option, LLS_STR("pass")))
        return value.len > 0;
    return (contains(option, LLS_STR("connection")) || contains(value, LLS_STR("://"))) &&
           lls_conninfo_has_password(value);
}

bool lls_config_is_secret(const lls_config *config, const lls_config_item *item)
{
    const lls_option *option = NULL;

    if (lls_config_key_check(config, lls_str_of(item->key), &option, NULL) != LLS_OK || !option)
        return looks_secret(item);
    return option->type == LLS_OPT_CONNINFO && lls_conninfo_has_password(lls_str_of(item->value));
}

/* A table of this one option is filled from the value. */
static lls_err check_option(const lls_config_item *item, const lls_option *option, lls_error *err)
{
    LLS_AUTO(lls_buf) memory = {0};
    union {
        uint64_t number;
        const char *text;
        bool truth;
    } ignored;
    lls_option table[] = {*option, {0}};
    lls_setting setting = {.name = item->key, .value = item->value};

    table[0].name = item->key;
    table[0].offset = 0;
    return lls_options_fill(table, &setting, 1, &ignored, &memory, err);
}

lls_err lls_config_value_check(const lls_config_item *item, const lls_option *option,
                               lls_error *err)
{
    lls_err e = LLS_OK;

    if (strcmp(item->key, "storage.tenant") == 0)
        e = lls_tenant_check(lls_str_of(item->value), err);
    else if ((option == &route_option || option == &lls_config_keys[0] ||
              strncmp(item->key, "storage.memory.", sizeof("storage.memory.") - 1) == 0) &&
             !item->value[0])
        e = lls_fail(err, LLS_E_INVALID, "'%s' names no backend", item->key);
    else
        e = check_option(item, option, err);
    return e == LLS_OK ? LLS_OK : lls_wrap(err, e, "%s", item->origin);
}
