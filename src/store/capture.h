/**
 * capture.h - the keys that were written while a swap is on its way. Bounded: when there are more
 * than fit, it forgets all of them and says so, and the swap compares everything once more.
 */
#ifndef LLS_STORE_CAPTURE_H
#define LLS_STORE_CAPTURE_H

#include <llmspell/bytes.h>

typedef struct lls_capture lls_capture;

/** `max` is the most bytes of keys to remember. NULL when memory is out. */
lls_capture *lls_capture_new(size_t max);
void lls_capture_free(lls_capture *capture); /**< NULL is fine. */

/** Remember a key. Threads: any. Never fails: what cannot be remembered counts as overflow. */
void lls_capture_add(lls_capture *capture, lls_bytes key);

/** Something changed, and nobody knows under which keys: counts as overflow. Threads: any. */
void lls_capture_lose(lls_capture *capture);

/** Append `key` to a list of keys: two bytes of length (big-endian), then the key; or neither. */
void lls_capture_write_key(lls_buf *keys, lls_bytes key);

/** Take all keys out, appended to the list `keys`. Returns false when some were forgotten. */
bool lls_capture_take(lls_capture *capture, lls_buf *keys);

/** Bytes of keys that are waiting. */
size_t lls_capture_size(lls_capture *capture);

#endif
