#include "store/config.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/scope.h"

#include <errno.h>
#include <sys/stat.h>

extern char **environ;

static char *copy_text(lls_str text)
{
    char *copy = lls_alloc(text.len + 1);

    if (copy && text.len)
        memcpy(copy, text.data, text.len);
    return copy;
}

static void item_fini(lls_config_item *item)
{
    lls_free(item->key);
    lls_free(item->value);
    lls_free(item->shown);
    lls_free(item->origin);
    *item = (lls_config_item){0};
}

/* Index of the first item whose key is not less. */
static size_t lower_bound(const lls_config *config, lls_str key)
{
    size_t lo = 0;
    size_t hi = config->count;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        lls_str at = lls_str_of(config->items[mid].key);
        if (lls_bytes_cmp(lls_bytes_of(at), lls_bytes_of(key)) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const lls_config_item *lls_config_find(const lls_config *config, lls_str key)
{
    size_t i = lower_bound(config, key);

    if (i == config->count || !lls_str_eq(lls_str_of(config->items[i].key), key))
        return NULL;
    return &config->items[i];
}

const lls_config_item *lls_config_backend_option(const lls_config *config, lls_str name,
                                                 lls_str option)
{
    for (size_t i = 0; i < config->count; i++) {
        lls_str item_name;
        lls_str item_option;
        if (lls_config_split(lls_str_of(config->items[i].key), &item_name, &item_option) &&
            lls_str_eq(item_name, name) && lls_str_eq(item_option, option))
            return &config->items[i];
    }
    return NULL;
}

static bool make_room(lls_config *config)
{
    if (config->count < config->cap)
        return true;
    size_t cap = config->cap ? config->cap * 2 : 32;
    lls_config_item *items = lls_resize(config->items, cap * sizeof(*items));
    if (!items)
        return false;
    config->items = items;
    config->cap = cap;
    return true;
}

lls_err lls_config_set(lls_config *config, lls_str key, lls_str value, const char *origin,
                       lls_config_rank rank, lls_error *err)
{
    lls_config_item fresh = {
        .key = copy_text(key),
        .value = copy_text(value),
        .origin = copy_text(lls_str_of(origin)),
        .rank = rank,
    };
    if (!fresh.key || !fresh.value || !fresh.origin || !make_room(config)) {
        item_fini(&fresh);
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    }

    size_t i = lower_bound(config, key);
    if (i < config->count && lls_str_eq(lls_str_of(config->items[i].key), key)) {
        item_fini(&config->items[i]);
    } else {
        memmove(&config->items[i + 1], &config->items[i],
                (config->count - i) * sizeof(*config->items));
        config->count++;
    }
    config->items[i] = fresh;
    return LLS_OK;
}

/* Remember the default backend of the sources so far: [storage] path and connection belong to the
 * backend that is the default where they are written. */
static lls_err note_backend(lls_config *config, lls_config_rank rank, lls_error *err)
{
    const lls_config_item *item = lls_config_find(config, LLS_STR("storage.backend"));

    config->backend_at[rank] = copy_text(lls_str_of(item ? item->value : ""));
    if (!config->backend_at[rank])
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    return LLS_OK;
}

static lls_err set_defaults(lls_config *config, lls_error *err)
{
    for (const lls_option *key = lls_config_keys; key->name; key++)
        if (key->preset)
            LLS_TRY(lls_config_set(config, lls_str_of(key->name), lls_str_of(key->preset),
                                   "default", LLS_RANK_DEFAULT, err));
    return note_backend(config, LLS_RANK_DEFAULT, err);
}

/* The path of the file to read into `path`; empty when there is none and none was asked for. */
static lls_err find_file(const lls_config_sources *sources, const char *const *environment,
                         lls_buf *path, lls_error *err)
{
    const char *named = sources->file;

    if (!named)
        named = lls_environment_get(environment, "LLMSPELL_CONFIG");
    if (named && named[0])
        return lls_file_expand_in(environment, lls_str_of(named), path, err);
    lls_err e = lls_file_expand_in(environment, LLS_STR("{config}/llmspell.toml"), path, err);
    if (e == LLS_E_INVALID || (e == LLS_OK && !lls_file_exists(lls_buf_cstr(path)))) {
        lls_buf_clear(path);
        return LLS_OK;
    }
    return e;
}

static lls_err read_file(lls_config *config, lls_buf *path, lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};

    LLS_TRY(lls_file_read(lls_buf_cstr(path), (size_t)1 << 20, &text, err));
    config->file = copy_text(lls_buf_str(path));
    if (!config->file)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    return lls_config_read_text(config, lls_buf_str(&text), config->file, err);
}

static lls_err read_flags(lls_config *config, const lls_config_sources *sources, lls_error *err)
{
    for (size_t i = 0; i < sources->flag_count; i++) {
        const char *flag = sources->flags[i];
        const char *equals = strchr(flag, '=');
        if (!equals)
            return lls_fail(err, LLS_E_INVALID, "setting '%s' has no '='", flag);
        LLS_TRY(lls_config_set(config, (lls_str){flag, (size_t)(equals - flag)},
                               lls_str_of(equals + 1), "flag", LLS_RANK_FLAG, err));
    }
    return LLS_OK;
}

/*
 * A file with a password in it is for its owner's eyes only. Looked at before stronger sources are
 * read: that one of them sets the key too does not take the password out of the file.
 */
static lls_err check_file_mode(const lls_config *config, lls_error *err)
{
    struct stat st;

    if (stat(config->file, &st) != 0 || (st.st_mode & 077) == 0)
        return LLS_OK;
    for (size_t i = 0; i < config->count; i++)
        if (config->items[i].rank == LLS_RANK_FILE &&
            lls_config_is_secret(config, &config->items[i]))
            return lls_fail(err, LLS_E_DENIED,
                            "%s: the file holds a password and others may read it: chmod 600 '%s'",
                            config->items[i].origin, config->file);
    return LLS_OK;
}

static lls_err load(lls_config *config, const lls_config_sources *sources, lls_error *err)
{
    const char *const *environment =
        sources->environment ? sources->environment : (const char *const *)environ;
    LLS_AUTO(lls_buf) path = {0};

    LLS_TRY(set_defaults(config, err));
    LLS_TRY(find_file(sources, environment, &path, err));
    if (path.len) {
        LLS_TRY(read_file(config, &path, err));
        LLS_TRY(check_file_mode(config, err));
    }
    LLS_TRY(note_backend(config, LLS_RANK_FILE, err));
    LLS_TRY(lls_config_read_environment(config, environment, err));
    LLS_TRY(note_backend(config, LLS_RANK_ENVIRONMENT, err));
    LLS_TRY(read_flags(config, sources, err));
    LLS_TRY(note_backend(config, LLS_RANK_FLAG, err));
    return lls_config_check(config, err);
}

lls_config *lls_config_hold(const lls_config *config)
{
    lls_config *held = (lls_config *)(uintptr_t)config; // only its count of holders changes

    (void)atomic_fetch_add(&held->refs, 1);
    return held;
}

static lls_config *config_new(void)
{
    lls_config *config = lls_alloc(sizeof(*config));

    if (config)
        config->refs = 1;
    return config;
}

static lls_err finish(lls_config *config, lls_err e, lls_config **out)
{
    if (e == LLS_OK)
        *out = config;
    else
        lls_config_free(config);
    return e;
}

lls_err lls_config_load(const lls_config_sources *sources, lls_config **out, lls_error *err)
{
    if (sources->abi != LLS_ABI)
        return lls_fail(err, LLS_E_INVALID, "lls_config_sources.abi is %u, this library's is %u",
                        sources->abi, LLS_ABI);
    lls_config *config = config_new();
    if (!config)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    return finish(config, load(config, sources, err), out);
}

lls_err lls_config_from_text(lls_str text, lls_config **out, lls_error *err)
{
    lls_config *config = config_new();
    if (!config)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");

    lls_err e = set_defaults(config, err);
    if (e == LLS_OK)
        e = lls_config_read_text(config, text, "text", err);
    for (int rank = LLS_RANK_FILE; rank < LLS_RANKS && e == LLS_OK; rank++)
        e = note_backend(config, (lls_config_rank)rank, err);
    if (e == LLS_OK)
        e = lls_config_check(config, err);
    return finish(config, e, out);
}

void lls_config_free(lls_config *config)
{
    if (!config || atomic_fetch_sub(&config->refs, 1) != 1)
        return;
    for (size_t i = 0; i < config->count; i++)
        item_fini(&config->items[i]);
    for (size_t i = 0; i < LLS_RANKS; i++)
        lls_free(config->backend_at[i]);
    lls_free(config->items);
    lls_free(config->file);
    lls_free(config);
}

bool lls_config_entry_at(const lls_config *config, size_t index, lls_config_entry *out)
{
    if (index >= config->count)
        return false;
    const lls_config_item *item = &config->items[index];
    *out = (lls_config_entry){item->key, item->shown, item->origin};
    return true;
}

const char *lls_config_value(const lls_config *config, const char *key)
{
    const lls_config_item *item = lls_config_find(config, lls_str_of(key));

    return item ? item->shown : NULL;
}

const char *lls_config_file(const lls_config *config)
{
    return config->file;
}
