/* A configuration from environment variables: LLMSPELL_ and the key in capitals. */
#include "base/scope.h"
#include "store/component.h"
#include "store/config.h"

#include <ctype.h>

/* Whether `*rest` begins with `text` as a variable's name has it: capitals, digits, underscores. */
static bool skip(lls_str *rest, lls_str text)
{
    if (rest->len < text.len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (rest->data[i] != (isalnum(c) ? (char)toupper(c) : '_'))
            return false;
    }
    rest->data += text.len;
    rest->len -= text.len;
    return true;
}

static bool is_variable(lls_str variable, const char *key)
{
    return skip(&variable, lls_str_of(key)) && variable.len == 0;
}

static void add_small(lls_str capitals, lls_buf *out)
{
    for (size_t i = 0; i < capitals.len; i++) {
        uint8_t small = (uint8_t)tolower((unsigned char)capitals.data[i]);
        lls_buf_add(out, (lls_bytes){&small, 1});
    }
}

/* `NAME_OPTION` of the backend `name`, when it is one of its options. */
static bool is_option_of(const lls_config *config, lls_str variable, lls_str name, lls_buf *key)
{
    if (!skip(&variable, name) || !skip(&variable, LLS_STR(".")))
        return false;
    const char *found = is_variable(variable, "type") ? "type" : NULL;
    const lls_backend_def *def = lls_config_backend_def(config, name);
    for (const lls_option *o = def ? def->options : NULL; !found && o && o->name; o++)
        if (is_variable(variable, o->name))
            found = o->name;
    if (found)
        lls_buf_printf(key, "storage.backends." LLS_FMT ".%s", LLS_ARG(name), found);
    return found;
}

/* Any option of a backend that this build lacks: which there are is said when it is asked for. */
static bool is_option_of_lacking(const lls_config *config, lls_str variable, lls_str name,
                                 lls_buf *key)
{
    if (lls_config_backend_def(config, name) || !skip(&variable, name) ||
        !skip(&variable, LLS_STR(".")) || variable.len == 0)
        return false;
    lls_buf_printf(key, "storage.backends." LLS_FMT ".", LLS_ARG(name));
    add_small(variable, key);
    return true;
}

typedef bool (*option_test)(const lls_config *config, lls_str variable, lls_str name, lls_buf *key);

/* Try the names that the configuration has so far. */
static bool try_names(const lls_config *config, option_test test, lls_str variable, lls_buf *key)
{
    for (size_t i = 0; i < config->count; i++) {
        lls_str name;
        lls_str option;
        if (lls_config_split(lls_str_of(config->items[i].key), &name, &option) &&
            test(config, variable, name, key))
            return true;
    }
    return false;
}

/* `NAME_TYPE` makes a backend of a name that nobody used before, in small letters. */
static bool is_new_type(lls_str variable, lls_buf *key)
{
    lls_str tail = LLS_STR("_TYPE");

    if (variable.len <= tail.len ||
        memcmp(variable.data + variable.len - tail.len, tail.data, tail.len) != 0)
        return false;
    lls_buf_add_text(key, "storage.backends.");
    add_small((lls_str){variable.data, variable.len - tail.len}, key);
    lls_buf_add_text(key, ".type");
    return true;
}

static bool find_backend_key(const lls_config *config, lls_str variable, lls_buf *key)
{
    if (try_names(config, is_option_of, variable, key))
        return true;
    for (const lls_backend_def *const *def = lls_backends(); *def; def++)
        if (is_option_of(config, variable, lls_str_of((*def)->name), key))
            return true;
    return is_new_type(variable, key) || try_names(config, is_option_of_lacking, variable, key);
}

/* The key that `variable` (behind "LLMSPELL_") stands for, into `key`, whose status counts. */
static bool find_key(const lls_config *config, lls_str variable, lls_buf *key)
{
    for (const lls_option *k = lls_config_keys; k->name; k++) {
        if (is_variable(variable, k->name)) {
            lls_buf_add_text(key, k->name);
            return true;
        }
    }
    lls_str rest = variable;
    if (skip(&rest, LLS_STR("storage.components."))) {
        for (const lls_component_def *const *c = lls_components(); *c; c++) {
            if (is_variable(rest, (*c)->name)) {
                lls_buf_printf(key, "storage.components.%s", (*c)->name);
                return true;
            }
        }
    }
    rest = variable;
    return skip(&rest, LLS_STR("storage.backends.")) && find_backend_key(config, rest, key);
}

static bool is_type(lls_str key)
{
    lls_str name;
    lls_str option;

    return lls_config_split(key, &name, &option) && lls_str_eq(option, LLS_STR("type"));
}

/* Take a variable, `NAME=value`, if it is the type of a backend, or if it is none. */
static lls_err take(lls_config *config, const char *entry, bool types, lls_error *err)
{
    LLS_AUTO(lls_buf) name = {0};
    LLS_AUTO(lls_buf) key = {0};
    size_t len = strcspn(entry, "=");
    lls_str variable = {entry + strlen("LLMSPELL_"), len - strlen("LLMSPELL_")};

    lls_buf_add_str(&name, (lls_str){entry, len});
    LLS_TRY(lls_buf_status(&name, err));
    bool found = find_key(config, variable, &key);
    LLS_TRY(lls_buf_status(&key, err));
    if (types != is_type(lls_buf_str(&key)))
        return LLS_OK;
    if (!found)
        return lls_fail(err, LLS_E_INVALID, "environment: unknown variable '%s'",
                        lls_buf_cstr(&name));
    return lls_config_set(config, lls_buf_str(&key), lls_str_of(entry + len + 1),
                          lls_buf_cstr(&name), LLS_RANK_ENVIRONMENT, err);
}

lls_err lls_config_read_environment(lls_config *config, const char *const *environment,
                                    lls_error *err)
{
    static const char ours[] = "LLMSPELL_STORAGE_";

    // Types first: they say which options the backend of a name has.
    for (int types = 1; types >= 0; types--)
        for (size_t i = 0; environment[i]; i++)
            if (strncmp(environment[i], ours, sizeof(ours) - 1) == 0 && strchr(environment[i], '='))
                LLS_TRY(take(config, environment[i], types, err));
    return LLS_OK;
}
