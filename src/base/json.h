/**
 * json.h - look at JSON text (RFC 8259) without changing a byte of it.
 *
 * The product promises values byte for byte, so nothing here builds a tree: texts are checked, and
 * members are found as views into the text. One pass, no allocation, no recursion on input.
 * Writing reports is the CLI's business, with Jansson.
 */
#ifndef LLS_BASE_JSON_H
#define LLS_BASE_JSON_H

#include <llmspell/bytes.h>

#define LLS_JSON_DEPTH_MAX 256 /* nested arrays and objects; deeper texts are refused */

typedef enum lls_json_type {
    LLS_JSON_NULL,
    LLS_JSON_BOOL,
    LLS_JSON_NUMBER,
    LLS_JSON_STRING,
    LLS_JSON_ARRAY,
    LLS_JSON_OBJECT,
} lls_json_type;

/** A value inside a text: the view has its quotes or brackets, and no white space around it. */
typedef struct lls_json_value {
    lls_json_type type;
    lls_str text;
} lls_json_value;

/**
 * Check that `text` is exactly one JSON value, white space around it allowed: valid UTF-8, no
 * control character in strings, escapes complete, no lone surrogate, depth within the limit.
 * Whatever passes is accepted by PostgreSQL's json type too. Fill `out` unless it is NULL.
 *
 * Errors: LLS_E_PARSE with the offset of the first wrong byte, "byte 17: …".
 */
lls_err lls_json_check(lls_str text, lls_json_value *out, lls_error *err) LLS_CHECKED;

/** Walks the members of an object, or the elements of an array, in order. */
typedef struct lls_json_walk {
    const char *at;
    const char *end;
    bool object;
} lls_json_walk;

/** Begin with a value that lls_json_check or a walk gave, of type ARRAY or OBJECT. */
lls_json_walk lls_json_walk_begin(lls_json_value container);

/**
 * The next member. `name` is raw, with its quotes (see lls_json_unescape); empty for an array.
 * Returns false after the last.
 */
bool lls_json_walk_next(lls_json_walk *walk, lls_str *name, lls_json_value *value);

/** Find the last member called `name` (plain text) of an object. False when there is none. */
bool lls_json_member(lls_json_value object, lls_str name, lls_json_value *out);

/** Append the text that a raw string stands for, escapes resolved, as UTF-8 (\u0000 is a NUL). */
void lls_json_unescape(lls_str raw, lls_buf *out);

/** Append `text` as a JSON string with its quotes. The text must be UTF-8. */
void lls_json_quote(lls_str text, lls_buf *out);

/**
 * Append `target` with `patch` merged into it (RFC 7396): a null of the patch removes a member, an
 * object is merged into what is there, anything else replaces it. What the patch does not name
 * keeps its text. `patch` is an object; a `target` that is none, or has no text, counts as {}.
 *
 * Errors: LLS_E_INVALID for more than 256 members in an object of the patch.
 */
lls_err lls_json_merge(lls_json_value target, lls_json_value patch, lls_buf *out,
                       lls_error *err) LLS_CHECKED;

/** The double nearest to a JSON number, whatever the locale; infinite when it is out of range. */
lls_err lls_json_number(lls_str text, double *out, lls_error *err) LLS_CHECKED;

/** Append a finite number, as text that reads back as exactly it. */
lls_err lls_json_add_number(double number, lls_buf *out, lls_error *err) LLS_CHECKED;

/** Append an array of finite floats, each as text that reads back as exactly it. */
lls_err lls_json_add_floats(const float *floats, size_t count, lls_buf *out,
                            lls_error *err) LLS_CHECKED;

/** Whether the bytes are valid UTF-8 (RFC 3629). */
bool lls_utf8_check(lls_bytes bytes);

#endif
