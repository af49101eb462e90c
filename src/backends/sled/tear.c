#include "backends/sled/tear.h"

#include "backends/sled/walk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void sled_tear_note(sled_tear *tear, uint64_t offset, const char *fmt, ...)
{
    va_list ap;

    if (tear->found)
        return;
    tear->found = true;
    tear->offset = offset;
    va_start(ap, fmt);
    (void)vsnprintf(tear->text, sizeof(tear->text), fmt, ap);
    va_end(ap);
}

/* Whether a message of the wanted segments begins at `at`. */
static bool is_wanted(const sled_slot *slot, size_t at, const sled_search *search)
{
    sled_message message;
    uint8_t kind = slot->data[at + 4];

    if (kind == SLED_CORRUPTED || kind >= SLED_KINDS) // most places: what follows costs
        return false;
    if (!sled_message_parse((lls_bytes){slot->data + at, slot->size - at}, &message) ||
        message.segment < search->low || message.segment > search->high)
        return false;
    if (message.segment * slot->size + at < (uint64_t)(search->after + 1))
        return false;
    if (message.body.len > *search->budget)
        return false;
    *search->budget -= message.body.len;
    return sled_walk_read(slot->data, at, slot->len, slot->size, message.segment, &message);
}

size_t sled_tear_search(const sled_slot *slot, size_t from, const sled_search *search)
{
    size_t last = slot->size - SLED_MESSAGE_HEADER_MAX;

    for (size_t at = from; at <= last && at < slot->len; at++)
        if (is_wanted(slot, at, search))
            return at;
    return SIZE_MAX;
}

/* The last byte from `from` on that is not zero; SIZE_MAX: all are. */
static size_t last_byte(const sled_slot *slot, size_t from)
{
    for (size_t at = slot->len; at > from; at--)
        if (slot->data[at - 1] != 0)
            return at - 1;
    return SIZE_MAX;
}

void sled_tear_look(const sled_slot *slot, uint64_t number, int64_t end, uint64_t *budget,
                    sled_tear *tear)
{
    uint64_t base = number * slot->size;
    size_t from = (size_t)((uint64_t)end + 1 - base);
    lls_bytes rest = {slot->data + from, slot->size - from};
    sled_search search = {.low = number, .high = number, .after = end, .budget = budget};
    sled_message message;

    if (from > slot->size - SLED_MESSAGE_HEADER_MAX)
        return; // the segment is full
    bool header = sled_message_parse(rest, &message) && message.segment == number;
    if (header && message.kind == SLED_CAP && sled_message_verify(rest.data, &message))
        return; // the segment was closed
    size_t found = sled_tear_search(slot, from, &search);
    if (found != SIZE_MAX) {
        sled_tear_note(tear, slot->offset + found,
                       "a message of LSN %" PRIu64
                       " stands behind the end of the log at LSN %" PRId64,
                       base + found, end + 1);
        return;
    }
    if (header) {
        sled_tear_note(tear, slot->offset + from,
                       "the message of LSN %" PRId64 " has a wrong checksum", end + 1);
        return;
    }
    size_t last = last_byte(slot, from);
    if (last != SIZE_MAX && (base == slot->offset || last < from + SLED_MESSAGE_HEADER_MAX))
        sled_tear_note(tear, slot->offset + from,
                       "there are bytes behind the end of the log at LSN %" PRId64, end + 1);
}
