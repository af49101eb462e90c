/**
 * record.h - the canonical form of a record: what a digest covers, and the JSON line that exports,
 * backups and the bundled samples consist of. docs/FORMATS.md describes the line.
 */
#ifndef LLS_PORTS_RECORD_H
#define LLS_PORTS_RECORD_H

#include "base/hash.h"
#include "ports/kv.h"

/**
 * The digest of one record in its collection: key, value and meta, on every backend the same.
 * Sums of it (lls_digest_add) say whether two spaces hold the same, whatever the order.
 */
lls_digest lls_record_digest(lls_str coll, const lls_kv_item *item);

/** How much of a record a line tells. */
typedef enum lls_line_form {
    LLS_LINE_PLAIN, /**< Key and value: {"key": "session:1", "value": {…}} */
    LLS_LINE_FULL,  /**< Version and times too: nothing is lost. */
} lls_line_form;

/**
 * Append one line, with its newline. A key that is not UTF-8 stands as "key_base64"; a value that
 * is not JSON, or is JSON with a line break in it, as "value_base64". The value's bytes are kept.
 */
void lls_record_to_line(const lls_kv_item *item, lls_line_form form, lls_buf *out);

/**
 * Read a line. Views in `item` point into `line` or into `scratch`, which is replaced. Fields that
 * a plain line lacks are 0. Unknown members and doubled ones are refused.
 *
 * Errors: LLS_E_PARSE, LLS_E_INVALID; the message says what is wrong, without the line's number.
 */
lls_err lls_record_from_line(lls_str line, lls_buf *scratch, lls_kv_item *item,
                             lls_error *err) LLS_CHECKED;

/**
 * Append a key as a person may read it in a message: printable UTF-8 as it is, any other byte as
 * \xNN, cut after 80 bytes with "…". The text is for messages only.
 */
void lls_key_show(lls_bytes key, lls_buf *out);

#endif
