#include "cli/configure.h"

#include "cli/output.h"
#include "cli/scope.h"

#include <strings.h>

#define FLAGS_MAX 6

/* Flags as lls_config_sources takes them: texts one after another, and where each begins. */
typedef struct flag_list {
    lls_buf texts;
    size_t starts[FLAGS_MAX];
    size_t count;
} flag_list;

static void flag_list_auto(flag_list *list)
{
    lls_buf_fini(&list->texts);
}

static void add_flag(flag_list *list, const char *key, const char *value)
{
    if (!value)
        return;
    list->starts[list->count++] = list->texts.len;
    lls_buf_printf(&list->texts, "%s=%s", key, value);
    lls_buf_add(&list->texts, (lls_bytes){(const uint8_t *)"", 1});
}

/* Whether `text` has `name`= as a whole word of a connection string, in any case of letters. */
static bool has_setting(const char *text, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = text; *at; at++) {
        const char *end = at + len;

        if (strncasecmp(at, name, len) != 0)
            continue;
        if (at != text && !strchr("?& \t\n'", at[-1]))
            continue;
        end += strspn(end, " \t");
        if (*end == '=')
            return true;
    }
    return false;
}

static bool has_password(const char *connection)
{
    const char *authority = strstr(connection, "://");

    if (has_setting(connection, "password") || has_setting(connection, "sslpassword"))
        return true;
    if (authority) {
        size_t len = strcspn(authority + 3, "/?#");
        const char *colon = memchr(authority + 3, ':', len);
        const char *at = memchr(authority + 3, '@', len);

        return colon && at && colon < at && colon + 1 < at;
    }
    return false;
}

lls_err cli_check_connection(const char *connection, lls_error *err)
{
    if (connection && has_password(connection))
        return lls_fail(err, LLS_E_INVALID,
                        "a password on the command line can be read by every user of this machine: "
                        "put it into the configuration file (chmod 600), PGPASSWORD or ~/.pgpass");
    return LLS_OK;
}

static bool is_component(const char *name)
{
    for (size_t i = 0; lls_component_at(i); i++)
        if (strcmp(lls_component_at(i), name) == 0)
            return true;
    return false;
}

static void collect_flags(const cli_context *context, const char *component, flag_list *flags)
{
    const char *const *values = context->args.values;
    const char *backend = values[CLI_BACKEND];

    add_flag(flags, "storage.tenant", values[CLI_TENANT]);
    if (backend && component && is_component(component)) {
        // A route of its own in the file would otherwise win over the option.
        LLS_AUTO(lls_buf) key = {0};

        lls_buf_printf(&key, "storage.components.%s", component);
        add_flag(flags, lls_buf_cstr(&key), backend);
    }
    add_flag(flags, "storage.backend", backend);
    add_flag(flags, "storage.path", values[CLI_PATH]);
    add_flag(flags, "storage.connection", values[CLI_CONNECTION]);
}

lls_err cli_configure(cli_context *context, const char *component, lls_config **config,
                      lls_error *err)
{
    LLS_AUTO(flag_list) flags = {0};
    const char *texts[FLAGS_MAX];
    lls_config_sources sources = {.abi = LLS_ABI, .file = context->args.values[CLI_CONFIG]};

    LLS_TRY(cli_check_connection(context->args.values[CLI_CONNECTION], err));
    collect_flags(context, component, &flags);
    LLS_TRY(lls_buf_status(&flags.texts, err));
    for (size_t i = 0; i < flags.count; i++)
        texts[i] = (const char *)flags.texts.data + flags.starts[i];
    sources.flags = texts;
    sources.flag_count = flags.count;
    return lls_config_load(&sources, config, err);
}

const char *cli_backend_kind(const lls_config *config, const char *name)
{
    LLS_AUTO(lls_buf) key = {0};
    const char *type;

    lls_buf_printf(&key, "storage.backends.%s.type", name);
    type = lls_config_value(config, lls_buf_cstr(&key));
    return type ? type : name;
}

bool cli_backend_find(const char *name, lls_backend_info *out)
{
    for (size_t i = 0; lls_backend_info_at(i, out); i++)
        if (strcmp(out->name, name) == 0)
            return true;
    return false;
}

/* A program ends sooner than its user may think of. */
static void warn_of_loss(const cli_context *context, const lls_config *config, const char *name)
{
    lls_backend_info info;

    if (name && cli_backend_find(cli_backend_kind(config, name), &info) && !info.persistent)
        cli_warn(&context->out, "the backend '%s' keeps nothing when this command ends", name);
}

lls_err cli_open_store(cli_context *context, const char *component, lls_open_mode mode,
                       lls_config **config, lls_store **store, lls_error *err)
{
    lls_store_options options = {.abi = LLS_ABI, .mode = mode};

    LLS_TRY(cli_configure(context, component, config, err));
    LLS_TRY(lls_store_open(*config, &options, store, err));
    if (mode == LLS_OPEN_WRITE)
        warn_of_loss(context, *config, lls_store_backend_of(*store, lls_str_of(component)));
    return LLS_OK;
}
