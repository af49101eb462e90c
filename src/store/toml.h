/**
 * toml.h - TOML 1.0 text as a flat list of keys, each with its place. Reading is done by toml++
 * (https://marzer.github.io/tomlplusplus/) in toml.cpp, the only C++ of this library.
 */
#ifndef LLS_STORE_TOML_H
#define LLS_STORE_TOML_H

#include <llmspell/bytes.h>

#define LLS_TOML_MAX ((size_t)1 << 20) /* bytes of a file: far more than anybody writes by hand */

typedef enum lls_toml_type {
    LLS_TOML_STRING,
    LLS_TOML_INTEGER,
    LLS_TOML_BOOL,
    LLS_TOML_OTHER, /**< A float, a date, an array, or an array of tables: `value` is empty. */
} lls_toml_type;

/** One scalar. The views live for the call. Lines and columns count from 1. */
typedef struct lls_toml_entry {
    lls_str key;   /**< Dotted: "storage.memory.episodic_backend". */
    lls_str value; /**< Its text; "true", "42". */
    lls_toml_type type;
    uint32_t key_line;
    uint32_t key_column;
    uint32_t line; /**< Of the value. */
    uint32_t column;
} lls_toml_entry;

typedef lls_err (*lls_toml_each)(void *user, const lls_toml_entry *entry, lls_error *err);

LLS_BEGIN_DECLS

/**
 * Refuse text that nests deeper than any configuration does: toml++ parses, and frees, level by
 * level on the stack, however many levels a hostile file has. And refuse characters outside ASCII
 * outside of quotes and comments, which TOML forbids and some versions of toml++ stumble over.
 *
 * Errors: LLS_E_PARSE with "line:column: …".
 */
lls_err lls_toml_check(lls_str text, lls_error *err) LLS_CHECKED;

/**
 * Read `text` and tell each entry; an empty table is nothing.
 *
 * Errors: LLS_E_PARSE with "line:column: …", without the name of a file; LLS_E_FULL over
 * LLS_TOML_MAX; whatever `each` returns.
 */
lls_err lls_toml_read(lls_str text, lls_toml_each each, void *user, lls_error *err) LLS_CHECKED;

LLS_END_DECLS

#endif
