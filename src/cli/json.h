/**
 * json.h - results as JSON, one object a command. Building is unchecked: what could not be built is
 * noticed once, by cli_json_print.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <llmspell/bytes.h>

#include <jansson.h>

/** Put `value`, which it owns from now on, into `object`. A NULL value spoils the object. */
void cli_json_set(json_t *object, const char *name, json_t *value);

/** A string. What is not UTF-8 in it is escaped; NULL becomes null. */
json_t *cli_json_text(const char *text);

json_t *cli_json_count(uint64_t count);
json_t *cli_json_time(int64_t usec); /**< RFC 3339; 0 becomes null. */

/** Put bytes under `name`, or as Base64 under `name`_base64 when they are not UTF-8. */
void cli_json_set_bytes(json_t *object, const char *name, lls_bytes bytes);

/** Print `object` as the result, and let go of it. Errors: LLS_E_NOMEM. */
lls_err cli_json_print(json_t *object, lls_error *err) LLS_CHECKED;

/** Print one element of a list that is too long to be built: compact, without a line end. */
lls_err cli_json_print_element(json_t *object, lls_error *err) LLS_CHECKED;

#endif
