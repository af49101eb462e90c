/**
 * yaml_read.h - read a YAML document of known shape by a table of fields.
 *
 * What the table does not list is refused, as are doubled and missing fields, bad values, anchors,
 * aliases, tags and further documents; every message begins with "file:line:column: ".
 */
#ifndef LLS_MIGRATE_YAML_READ_H
#define LLS_MIGRATE_YAML_READ_H

#include "migrate/texts.h"

typedef enum lls_yaml_type {
    LLS_YAML_TEXT,    /**< const char *: not empty */
    LLS_YAML_COUNT,   /**< uint64_t: from `min` to `max` */
    LLS_YAML_BOOL,    /**< bool: true or false */
    LLS_YAML_TIME,    /**< int64_t, microseconds: RFC 3339 */
    LLS_YAML_DIGEST,  /**< lls_digest: 32 hexadecimal digits */
    LLS_YAML_MAPPING, /**< a struct: `fields` */
    LLS_YAML_LIST,    /**< an array of structs of `size` bytes, filled by `fields` */
} lls_yaml_type;

typedef struct lls_yaml_field lls_yaml_field;

struct lls_yaml_field {
    const char *name;
    lls_yaml_type type;
    size_t offset; /**< Of the value in the struct. */
    bool optional; /**< When it is missing, or null, the struct keeps what it had. */
    uint64_t min;  /**< Of a COUNT. */
    uint64_t max;  /**< Of a COUNT; of a LIST, how many elements there is room for. */

    const lls_yaml_field *fields; /**< Of MAPPING and LIST; ends with a NULL name. */
    size_t size;                  /**< Of one element of a LIST. */
    size_t count_offset;          /**< Of a LIST: the size_t that counts the elements. */

    /** Look at the value just read; a failure gets the position put before it. May be NULL. */
    lls_err (*check)(const void *value, lls_error *err);
};

/**
 * Fill `into` by `fields`, which end with a NULL name. Texts are kept in `texts`. `name` is what
 * messages call the file. Tables nest at most a few levels; the input cannot nest deeper.
 *
 * Errors: LLS_E_PARSE for what is not YAML, LLS_E_INVALID for what is not this document.
 */
lls_err lls_yaml_read(lls_str text, const char *name, const lls_yaml_field *fields, void *into,
                      lls_texts *texts, lls_error *err) LLS_CHECKED;

/** Append `text` as a YAML scalar: plain where that is safe, in double quotes otherwise. */
void lls_yaml_quote(lls_str text, lls_buf *out);

#endif
