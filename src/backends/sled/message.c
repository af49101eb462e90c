#include "backends/sled/message.h"

#include "backends/sled/wire.h"

#include <libdeflate.h>

bool sled_message_parse(lls_bytes bytes, sled_message *out)
{
    sled_wire wire = sled_wire_of(bytes);
    sled_message found;

    found.crc = (uint32_t)sled_wire_fixed(&wire, 4);
    uint8_t kind = sled_wire_u8(&wire);
    uint64_t len = sled_wire_varint(&wire);
    found.segment = sled_wire_varint(&wire);
    found.page = sled_wire_varint(&wire);
    if (wire.bad || kind == SLED_CORRUPTED || kind >= SLED_KINDS || len > sled_wire_left(&wire))
        return false;
    found.kind = (sled_kind)kind;
    found.header_len = (size_t)(wire.at - bytes.data);
    found.body = (lls_bytes){wire.at, (size_t)len};
    *out = found;
    return true;
}

bool sled_message_verify(const uint8_t *start, const sled_message *message)
{
    uint32_t crc = libdeflate_crc32(0, message->body.data, message->body.len);

    crc = libdeflate_crc32(crc, start + 4, message->header_len - 4);
    return (crc ^ UINT32_MAX) == message->crc; // inverted, so that zeros never verify
}

bool sled_message_lsn(const sled_message *message, int64_t *out)
{
    if (message->body.len != 8)
        return false;
    *out = sled_signed(lls_little_get(message->body.data, 8));
    return true;
}
