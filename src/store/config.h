/**
 * config.h - a configuration inside: a sorted list of keys with values and where they came from.
 */
#ifndef LLS_STORE_CONFIG_H
#define LLS_STORE_CONFIG_H

#include "ports/backend.h"

#include <llmspell/config.h>

#include <stdatomic.h>

/** Sources in order of precedence, the weakest first. */
typedef enum lls_config_rank {
    LLS_RANK_DEFAULT,
    LLS_RANK_FILE,
    LLS_RANK_ENVIRONMENT,
    LLS_RANK_FLAG,
    LLS_RANKS,
} lls_config_rank;

/** One key. The texts are in the item's own `memory`. */
typedef struct lls_config_item {
    char *key;
    char *value; /**< As it was written, secrets included. */
    char *shown; /**< The same as anybody may see it. */
    char *origin;
    lls_config_rank rank;
    bool secret; /**< `value` holds a password. */
} lls_config_item;

struct lls_config {
    atomic_int refs;        /**< A store holds the configuration that it was opened with. */
    lls_config_item *items; /**< In byte order of `key`. */
    size_t count;
    size_t cap;
    char *file; /**< NULL: none was read. */
    /** The default backend as it stands when only sources up to that rank are looked at. */
    char *backend_at[LLS_RANKS];
};

/** One more holder: lls_config_free by each. A loaded configuration does not change any more. */
lls_config *lls_config_hold(const lls_config *config);

/** Set `key`, over what a weaker source said. Checks nothing. */
lls_err lls_config_set(lls_config *config, lls_str key, lls_str value, const char *origin,
                       lls_config_rank rank, lls_error *err) LLS_CHECKED;

/** The item of `key`, or NULL. */
const lls_config_item *lls_config_find(const lls_config *config, lls_str key);

/**
 * The item of `storage.backends.<name>.<option>`, or NULL. Nothing is allocated: a key that could
 * not be built would look like one that nobody set.
 */
const lls_config_item *lls_config_backend_option(const lls_config *config, lls_str name,
                                                 lls_str option);

/**
 * Take `storage.backends.NAME.OPTION` apart; false for another key. The option is behind the last
 * dot: names may have some.
 */
bool lls_config_split(lls_str key, lls_str *name, lls_str *option);

/** The backend that serves `name`, or NULL: this build lacks it. */
const lls_backend_def *lls_config_backend_def(const lls_config *config, lls_str name);

/** Whether the value of `item` is a password or has one in it. */
bool lls_config_is_secret(const lls_config *config, const lls_config_item *item);

/**
 * Whether `key` exists and what its values look like. A key of a backend that this build lacks
 * exists, with `*option` NULL: it is looked at when that backend is asked for.
 *
 * Errors: LLS_E_INVALID with what is wrong, and what may have been meant.
 */
lls_err lls_config_key_check(const lls_config *config, lls_str key, const lls_option **option,
                             lls_error *err) LLS_CHECKED;

/** Whether `item` has a value that its key may have. `option` is what lls_config_key_check gave. */
lls_err lls_config_value_check(const lls_config_item *item, const lls_option *option,
                               lls_error *err) LLS_CHECKED;

/** The backend that keeps what lives on `port` where nothing else was configured. */
const char *lls_config_embedded(lls_port port);

/** The keys of fixed name, with their defaults; ends with a NULL name. */
extern const lls_option lls_config_keys[];

/** Read TOML into `config`; `name` stands in origins and messages. Only [storage] is looked at. */
lls_err lls_config_read_text(lls_config *config, lls_str text, const char *name,
                             lls_error *err) LLS_CHECKED;

/** Take what LLMSPELL_STORAGE_… variables say. */
lls_err lls_config_read_environment(lls_config *config, const char *const *environment,
                                    lls_error *err) LLS_CHECKED;

/** Check every key and value, and fill in what may be shown. */
lls_err lls_config_check(lls_config *config, lls_error *err) LLS_CHECKED;

/** For tests and fuzzing: a whole configuration from a text, without file, environment or flags. */
lls_err lls_config_from_text(lls_str text, lls_config **out, lls_error *err) LLS_CHECKED;

#endif
