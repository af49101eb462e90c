/**
 * option.h - one table says which options a backend takes: it fills the backend's struct, rejects
 * what it does not know, prints itself for `llmspell storage backends` and the manual, and says
 * which values are secret.
 */
#ifndef LLS_PORTS_OPTION_H
#define LLS_PORTS_OPTION_H

#include <llmspell/bytes.h>

typedef enum lls_option_type {
    LLS_OPT_BOOL,     /**< bool: true, false */
    LLS_OPT_SIZE,     /**< uint64_t, in bytes: "64MiB" */
    LLS_OPT_COUNT,    /**< uint64_t: "20" */
    LLS_OPT_DURATION, /**< uint64_t, in milliseconds: "500ms", "5s", "2m"; "0" is 0 */
    LLS_OPT_TEXT,     /**< const char *: any text */
    LLS_OPT_CHOICE,   /**< const char *: one of `choices` */
    LLS_OPT_PATH,     /**< const char *: `~`, {data}, {state} and {config} are expanded */
    LLS_OPT_CONNINFO, /**< const char *: a connection URI or string; its password is secret */
} lls_option_type;

typedef struct lls_option {
    const char *name;
    lls_option_type type;
    size_t offset;       /**< Of the field in the backend's conf struct. */
    const char *preset;  /**< The default, as it would be written; NULL: required. */
    const char *meaning; /**< One line, with the unit. */
    uint64_t min;        /**< Of SIZE, COUNT and DURATION; both 0: no limits. */
    uint64_t max;
    const char *choices; /**< Of CHOICE: "full|relaxed". */
} lls_option;

/* The meaning is the last argument, or is followed by more fields: "…", .min = 1, .max = 100 */
#define LLS_OPTION(conf, field, type_, preset_, ...)                                               \
    {                                                                                              \
        .name = #field, .type = (type_), .offset = offsetof(conf, field), .preset = (preset_),     \
        .meaning = __VA_ARGS__                                                                     \
    }

/** One option as somebody set it. `origin` ("llmspell.toml:3:8", "flag") is for messages only. */
typedef struct lls_setting {
    const char *name;
    const char *value;
    const char *origin; /**< May be NULL. */
} lls_setting;

/**
 * Fill `conf` from `settings`. Texts that had to be changed (paths) are kept in `*memory`, which
 * the caller frees with lls_buf_fini when it is done with `conf`.
 *
 * Errors: LLS_E_INVALID naming the option at fault, and its origin.
 */
lls_err lls_options_fill(const lls_option *options, const lls_setting *settings, size_t count,
                         void *conf, lls_buf *memory, lls_error *err) LLS_CHECKED;

/** The option called `name`, or NULL. */
const lls_option *lls_option_find(const lls_option *options, lls_str name);

/** What a value of this type looks like, e.g. "a size such as 64MiB". Never NULL. */
const char *lls_option_type_text(lls_option_type type);

/**
 * Append `value` as it may be shown to anybody: of a CONNINFO the password is replaced by "***",
 * whether it stands in a URI's authority, in its query, or in a "password=…" pair.
 */
void lls_option_show(const lls_option *option, lls_str value, lls_buf *out);

/** Whether a CONNINFO has a password in it. */
bool lls_conninfo_has_password(lls_str conninfo);

#endif
