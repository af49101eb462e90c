/**
 * config.h - which backend serves which component, and where from.
 *
 * A configuration is what remains of four sources, each over the one before: the built-in
 * defaults, a TOML file, the environment (LLMSPELL_STORAGE_BACKEND and so on), and flags. Every
 * value remembers which source it came from. docs/configuration.md lists the keys.
 */
#ifndef LLMSPELL_CONFIG_H
#define LLMSPELL_CONFIG_H

#include <llmspell/bytes.h>

LLS_BEGIN_DECLS

typedef struct lls_config lls_config;

/* Bumped when a struct that crosses the ABI by layout changes; 0 is refused with a message. */
#define LLS_ABI 1u

typedef struct lls_config_sources {
    uint32_t abi; /**< LLS_ABI. */

    /** The TOML file. NULL: $LLMSPELL_CONFIG, else llmspell/llmspell.toml in the XDG config
     * folder; the latter need not exist, a file that was named must. */
    const char *file;

    /** `name=value` as getenv's environ has them. NULL: this process's environment. */
    const char *const *environment;

    /** "storage.backend=lmdb": what the user asked for by flags. */
    const char *const *flags;
    size_t flag_count;
} lls_config_sources;

/** One key of the configuration. The texts live as long as the configuration. */
typedef struct lls_config_entry {
    const char *key;    /**< "storage.backend" */
    const char *value;  /**< As it may be shown: passwords are replaced by "***". */
    const char *origin; /**< "default", "llmspell.toml:3:11", "LLMSPELL_STORAGE_BACKEND", "flag". */
} lls_config_entry;

/**
 * Read and check a configuration.
 *
 * Owns: the caller frees `*out` with lls_config_free.
 * Errors: LLS_E_PARSE and LLS_E_INVALID with file, line and column: unknown keys and bad values
 * are refused, never ignored. LLS_E_DENIED when the file holds a password and others may read it.
 */
LLS_API lls_err lls_config_load(const lls_config_sources *sources, lls_config **out,
                                lls_error *err) LLS_CHECKED;

LLS_API void lls_config_free(lls_config *config); /**< NULL is fine. */

/** The `index`th entry in key order, or false behind the last. */
LLS_API bool lls_config_entry_at(const lls_config *config, size_t index, lls_config_entry *out);

/** The value of `key` as it may be shown, or NULL when nobody set it and it has no default. */
LLS_API const char *lls_config_value(const lls_config *config, const char *key);

/** The file that was read, or NULL. */
LLS_API const char *lls_config_file(const lls_config *config);

LLS_END_DECLS

#endif
