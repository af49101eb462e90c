/* A configuration from TOML text, and the check of the whole. */
#include "base/alloc.h"
#include "base/scope.h"
#include "store/config.h"
#include "store/toml.h"

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
    if (memchr(entry->key.data, '\0', entry->key.len))
        return lls_fail(err, LLS_E_INVALID, "%s:%u:%u: a key with NUL", r->name, entry->key_line,
                        entry->key_column);
    if (entry->type == LLS_TOML_OTHER)
        return wrong_type(r, entry, "a text, a whole number, true or false", err);
    if (entry->value.len && memchr(entry->value.data, '\0', entry->value.len))
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

static lls_err show(lls_config_item *item, const lls_option *option, lls_error *err)
{
    LLS_AUTO(lls_buf) shown = {0};

    if (option)
        lls_option_show(option, lls_str_of(item->value), &shown);
    else
        lls_buf_add_text(&shown, "***"); // of a backend that is not here: it may be anything
    LLS_TRY(lls_buf_status(&shown, err));
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
            LLS_TRY(lls_config_value_check(item, option, err));
        item->secret = lls_config_is_secret(config, item);
        LLS_TRY(show(item, option, err));
    }
    return LLS_OK;
}
