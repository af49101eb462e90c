/* Sources of a configuration: TOML text and environment variables; and the check of the whole. */
#include "base/alloc.h"
#include "base/scope.h"
#include "ports/backend.h"
#include "store/component.h"
#include "store/config.h"
#include "store/toml.h"

#include <ctype.h>

typedef struct reader {
    lls_config *config;
    const char *name;
} reader;

static lls_err wrong_type(const reader *r, const lls_toml_entry *entry, const char *wanted,
                          lls_error *err)
{
    return lls_fail(err, LLS_E_INVALID, "%s:%u:%u: '" LLS_FMT "' wants %s", r->name, entry->line,
                    entry->column, LLS_ARG(entry->key), wanted);
}

/* Numbers, truth values and texts are told apart in TOML: tenant = 5 is a mistake, not "5". */
static lls_err check_type(const reader *r, const lls_option *option, const lls_toml_entry *entry,
                          lls_error *err)
{
    if (!option)
        return LLS_OK;
    bool number = option->type == LLS_OPT_SIZE || option->type == LLS_OPT_COUNT ||
                  option->type == LLS_OPT_DURATION;
    bool fits = entry->type == LLS_TOML_STRING || (entry->type == LLS_TOML_INTEGER && number) ||
                (entry->type == LLS_TOML_BOOL && option->type == LLS_OPT_BOOL);
    return fits ? LLS_OK : wrong_type(r, entry, lls_option_type_text(option->type), err);
}

static lls_err take_entry(void *user, const lls_toml_entry *entry, lls_error *err)
{
    const reader *r = user;
    LLS_AUTO(lls_buf) origin = {0};

    if (!lls_bytes_has_prefix(lls_bytes_of(entry->key), lls_bytes_of(LLS_STR("storage."))))
        return lls_str_eq(entry->key, LLS_STR("storage"))
                   ? wrong_type(r, entry, "to be a table", err)
                   : LLS_OK; // other tables belong to other programs
    if (entry->type == LLS_TOML_OTHER)
        return wrong_type(r, entry, "a text, a whole number, true or false", err);
    if (memchr(entry->value.data, '\0', entry->value.len))
        return wrong_type(r, entry, "a text without NUL", err);
    lls_buf_printf(&origin, "%s:%u:%u", r->name, entry->line, entry->column);
    LLS_TRY(lls_buf_status(&origin, err));
    return lls_config_set(r->config, entry->key, entry->value, lls_buf_cstr(&origin), LLS_RANK_FILE,
                          err);
}

/* A second look, when every [storage.backends.NAME] type is known: names and kinds of values. */
static lls_err judge_entry(void *user, const lls_toml_entry *entry, lls_error *err)
{
    const reader *r = user;
    const lls_option *option;

    if (!lls_bytes_has_prefix(lls_bytes_of(entry->key), lls_bytes_of(LLS_STR("storage."))))
        return LLS_OK;
    lls_err e = lls_config_key_check(r->config, entry->key, &option, err);
    if (e != LLS_OK)
        return lls_wrap(err, e, "%s:%u:%u", r->name, entry->key_line, entry->key_column);
    return check_type(r, option, entry, err);
}

lls_err lls_config_read_text(lls_config *config, lls_str text, const char *name, lls_error *err)
{
    reader r = {config, name};

    lls_err e = lls_toml_read(text, take_entry, &r, err);
    if (e == LLS_E_PARSE && err) {
        char message[LLS_ERROR_MSG_MAX]; // "3:4: …" becomes "llmspell.toml:3:4: …"
        memcpy(message, err->msg, sizeof(message));
        return lls_fail(err, e, "%s:%s", name, message);
    }
    LLS_TRY(e);
    return lls_toml_read(text, judge_entry, &r, err);
}

/* Append `text` as a variable's name has it: capitals, digits and underscores. */
static void add_capitals(lls_str text, lls_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        uint8_t up = isalnum(c) ? (uint8_t)toupper(c) : '_';
        lls_buf_add(out, (lls_bytes){&up, 1});
    }
}

static bool is_variable(lls_str name, lls_str key)
{
    LLS_AUTO(lls_buf) capitals = {0};

    add_capitals(key, &capitals);
    return lls_str_eq(name, lls_buf_str(&capitals));
}

/* `NAME_OPTION` for the options of the backend behind `name`; the key into `key` when it is one. */
static bool is_backend_variable(const lls_config *config, lls_str rest, lls_str name, lls_buf *key)
{
    LLS_AUTO(lls_buf) type_key = {0};

    lls_buf_printf(&type_key, "storage.backends." LLS_FMT ".type", LLS_ARG(name));
    const lls_config_item *type = lls_config_find(config, lls_buf_str(&type_key));
    const lls_backend_def *def = lls_backend_find(type ? lls_str_of(type->value) : name);
    for (const lls_option *option = def ? def->options : NULL; option && option->name; option++) {
        lls_buf_clear(key);
        lls_buf_printf(key, LLS_FMT ".%s", LLS_ARG(name), option->name);
        if (is_variable(rest, lls_buf_str(key)))
            return true;
    }
    return false;
}

/* The name of a [storage.backends.NAME] key, or an empty text. */
static lls_str backend_name_of(const char *key)
{
    lls_str prefix = LLS_STR("storage.backends.");
    lls_str all = lls_str_of(key);

    if (!lls_bytes_has_prefix(lls_bytes_of(all), lls_bytes_of(prefix)))
        return (lls_str){0};
    const char *dot = strrchr(key, '.');
    return (lls_str){key + prefix.len, (size_t)(dot - key) - prefix.len};
}

static bool find_backend_key(const lls_config *config, lls_str rest, lls_buf *key)
{
    for (size_t i = 0; i < config->count; i++) {
        lls_str name = backend_name_of(config->items[i].key);
        if (name.len && is_backend_variable(config, rest, name, key))
            return true;
    }
    for (const lls_backend_def *const *def = lls_backends(); *def; def++)
        if (is_backend_variable(config, rest, lls_str_of((*def)->name), key))
            return true;
    return false;
}

/* The key that `variable` (behind "LLMSPELL_") stands for, into `key`. */
static bool key_of_variable(const lls_config *config, lls_str variable, lls_buf *key)
{
    for (const lls_option *k = lls_config_keys; k->name; k++) {
        if (is_variable(variable, lls_str_of(k->name))) {
            lls_buf_add_text(key, k->name);
            return true;
        }
    }
    for (const lls_component_def *const *c = lls_components(); *c; c++) {
        lls_buf_clear(key);
        lls_buf_printf(key, "storage.components.%s", (*c)->name);
        if (is_variable(variable, lls_buf_str(key)))
            return true;
    }
    lls_str prefix = LLS_STR("STORAGE_BACKENDS_");
    if (!lls_bytes_has_prefix(lls_bytes_of(variable), lls_bytes_of(prefix)))
        return false;
    LLS_AUTO(lls_buf) rest = {0};
    lls_str behind = {variable.data + prefix.len, variable.len - prefix.len};
    if (!find_backend_key(config, behind, &rest))
        return false;
    lls_buf_clear(key);
    lls_buf_printf(key, "storage.backends." LLS_FMT, LLS_ARG(lls_buf_str(&rest)));
    return true;
}

lls_err lls_config_read_environment(lls_config *config, const char *const *environment,
                                    lls_error *err)
{
    static const char ours[] = "LLMSPELL_STORAGE_";

    for (; *environment; environment++) {
        const char *equals = strchr(*environment, '=');
        if (!equals || strncmp(*environment, ours, sizeof(ours) - 1) != 0)
            continue;
        LLS_AUTO(lls_buf) key = {0};
        LLS_AUTO(lls_buf) name = {0};
        lls_buf_add_str(&name, (lls_str){*environment, (size_t)(equals - *environment)});
        LLS_TRY(lls_buf_status(&name, err));
        lls_str variable = {*environment + strlen("LLMSPELL_"), name.len - strlen("LLMSPELL_")};
        if (!key_of_variable(config, variable, &key))
            return lls_fail(err, LLS_E_INVALID, "environment: unknown variable '%s'",
                            lls_buf_cstr(&name));
        LLS_TRY(lls_buf_status(&key, err));
        LLS_TRY(lls_config_set(config, lls_buf_str(&key), lls_str_of(equals + 1),
                               lls_buf_cstr(&name), LLS_RANK_ENVIRONMENT, err));
    }
    return LLS_OK;
}

/* Whether the value is one of its option: a table of this one option is filled from it. */
static lls_err check_value(const lls_config_item *item, const lls_option *option, lls_error *err)
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
    lls_err e = lls_options_fill(table, &setting, 1, &ignored, &memory, err);
    return e == LLS_OK ? LLS_OK : lls_wrap(err, e, "%s", item->origin);
}

static lls_err show(lls_config_item *item, const lls_option *option, lls_error *err)
{
    LLS_AUTO(lls_buf) shown = {0};

    if (option)
        lls_option_show(option, lls_str_of(item->value), &shown);
    else
        lls_buf_add_text(&shown, "***"); // of a backend that is not here: it may be anything
    LLS_TRY(lls_buf_status(&shown, err));
    item->secret = option && option->type == LLS_OPT_CONNINFO &&
                   lls_conninfo_has_password(lls_str_of(item->value));
    item->shown = lls_alloc(shown.len + 1);
    if (!item->shown)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    if (shown.len)
        memcpy(item->shown, shown.data, shown.len);
    return LLS_OK;
}

lls_err lls_config_check(lls_config *config, lls_error *err)
{
    for (size_t i = 0; i < config->count; i++) {
        lls_config_item *item = &config->items[i];
        const lls_option *option;
        lls_err e = lls_config_key_check(config, lls_str_of(item->key), &option, err);
        if (e != LLS_OK)
            return lls_wrap(err, e, "%s", item->origin);
        if (option)
            LLS_TRY(check_value(item, option, err));
        LLS_TRY(show(item, option, err));
    }
    return LLS_OK;
}
