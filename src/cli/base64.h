/** base64.h - keys and values that are no text, in options and in JSON (RFC 4648, section 4). */
#ifndef CLI_BASE64_H
#define CLI_BASE64_H

#include <llmspell/bytes.h>

void cli_base64_encode(lls_bytes bytes, lls_buf *out);

/** Append what `text` stands for. False when it is not Base64; `out` is as it was then. */
bool cli_base64_decode(const char *text, lls_buf *out);

#endif
