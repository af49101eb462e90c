/** id.h - identifiers that nobody else makes. */
#ifndef LLS_BASE_ID_H
#define LLS_BASE_ID_H

#include <llmspell/bytes.h>

enum { LLS_ID_TEXT = 33 }; /**< 32 hexadecimal digits and a NUL. */

/** 48 bits of time, then 80 random bits (the layout of UUIDv7, RFC 9562), in hexadecimal. */
lls_err lls_id_make(int64_t now_usec, char out[LLS_ID_TEXT], lls_error *err) LLS_CHECKED;

#endif
