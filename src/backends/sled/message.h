/** message.h - one message of the log: its header, its checksum, and what it does to a page. */
#ifndef LLS_BACKENDS_SLED_MESSAGE_H
#define LLS_BACKENDS_SLED_MESSAGE_H

#include <llmspell/bytes.h>

enum {
    SLED_SEGMENT_HEADER = 20,     /* bytes; messages begin behind it */
    SLED_MESSAGE_HEADER_MAX = 32, /* bytes; no message begins where fewer are left */
    SLED_MESSAGE_HEADER_MIN = 8,
};

typedef enum sled_kind {
    SLED_CORRUPTED = 0, /* what zeros read as; never written */
    SLED_CANCELED = 1,
    SLED_CAP = 2,
    SLED_MANIFEST = 3,
    SLED_FREE = 4,
    SLED_COUNTER = 5,
    SLED_META = 6,
    SLED_META_BLOB = 7,
    SLED_NODE = 8,
    SLED_NODE_BLOB = 9,
    SLED_LINK = 10,
    SLED_LINK_BLOB = 11,
    SLED_KINDS = 12,
} sled_kind;

typedef struct sled_message {
    sled_kind kind;
    uint32_t crc;     /* as stored */
    uint64_t segment; /* number of the segment that it was written for */
    uint64_t page;
    lls_bytes body;
    size_t header_len;
} sled_message;

/** Bytes of the whole message. */
static inline size_t sled_message_len(const sled_message *message)
{
    return message->header_len + message->body.len;
}

static inline bool sled_kind_is_blob(sled_kind kind)
{
    return kind == SLED_META_BLOB || kind == SLED_NODE_BLOB || kind == SLED_LINK_BLOB;
}

/**
 * Take apart what stands at the beginning of `bytes`, which end where the segment or the file
 * ends. False when it cannot be a message. The checksum is not looked at.
 */
bool sled_message_parse(lls_bytes bytes, sled_message *out);

/** Whether the checksum is right. `start` is where the message begins. */
bool sled_message_verify(const uint8_t *start, const sled_message *message);

/** The LSN in the body of a manifest or of a message that points to a blob. False: no such. */
bool sled_message_lsn(const sled_message *message, int64_t *out);

#endif
