/** base64.h - RFC 4648 section 4, with padding: bytes that JSON cannot hold as text. */
#ifndef LLS_BASE_BASE64_H
#define LLS_BASE_BASE64_H

#include <llmspell/bytes.h>

void lls_base64_encode(lls_bytes bytes, lls_buf *out); /**< Appends. */

/** Append the decoded bytes. Errors: LLS_E_PARSE for a wrong character, length or padding. */
lls_err lls_base64_decode(lls_str text, lls_buf *out, lls_error *err) LLS_CHECKED;

#endif
