#include "migrate/journal_entry.h"

#include "base/little.h"
#include "migrate/phase.h"

static void put_digest(lls_digest d, lls_buf *out)
{
    lls_little_add(out, d.low, 8);
    lls_little_add(out, d.high, 8);
}

static void put_sum(const lls_sum *sum, lls_buf *out)
{
    lls_little_add(out, sum->count, 8);
    lls_little_add(out, sum->bytes, 8);
    put_digest(sum->digest, out);
}

static void put_text(lls_str text, lls_buf *out)
{
    lls_little_add(out, text.len, 4);
    lls_buf_add_str(out, text);
}

void lls_entry_encode(const lls_entry *entry, lls_buf *out)
{
    lls_little_add(out, entry->type, 1);
    lls_little_add(out, (uint64_t)entry->at_usec, 8);
    switch (entry->type) {
    case LLS_ENTRY_RUN:
        put_text(entry->text, out);
        put_digest(entry->digest, out);
        break;
    case LLS_ENTRY_HOLDER:
        put_text(entry->text, out);
        break;
    case LLS_ENTRY_PHASE:
        lls_little_add(out, entry->phase, 1);
        lls_little_add(out, entry->published, 1);
        break;
    case LLS_ENTRY_PROGRESS:
        lls_little_add(out, entry->component, 4);
        put_sum(&entry->sum, out);
        put_text(entry->text, out);
        break;
    case LLS_ENTRY_OUTCOME:
        lls_little_add(out, entry->component, 4);
        put_sum(&entry->sum, out);
        put_sum(&entry->target, out);
        lls_little_add(out, entry->verified, 8);
        lls_little_add(out, entry->replaced, 8);
        break;
    }
}

/* Reading: a failure sticks in `good`, and what was read is nothing. */
typedef struct cursor {
    lls_bytes rest;
    bool good;
} cursor;

static const uint8_t *take(cursor *c, size_t len)
{
    static const uint8_t nothing[8];
    const uint8_t *at = c->rest.data;

    if (!c->good || c->rest.len < len) {
        c->good = false;
        return nothing;
    }
    c->rest.data += len;
    c->rest.len -= len;
    return at;
}

static unsigned get_u8(cursor *c)
{
    return *take(c, 1);
}

static uint64_t get_u64(cursor *c)
{
    return lls_little_get_u64(take(c, 8));
}

static lls_digest get_digest(cursor *c)
{
    lls_digest d;

    d.low = get_u64(c);
    d.high = get_u64(c);
    return d;
}

static lls_sum get_sum(cursor *c)
{
    lls_sum sum;

    sum.count = get_u64(c);
    sum.bytes = get_u64(c);
    sum.digest = get_digest(c);
    return sum;
}

static lls_str get_text(cursor *c)
{
    uint32_t len = lls_little_get_u32(take(c, 4));

    if (len > c->rest.len)
        c->good = false;
    if (!c->good)
        return (lls_str){0};
    return (lls_str){(const char *)take(c, len), len};
}

static void get_fields(cursor *c, lls_entry *entry)
{
    switch (entry->type) {
    case LLS_ENTRY_RUN:
        entry->text = get_text(c);
        entry->digest = get_digest(c);
        return;
    case LLS_ENTRY_HOLDER:
        entry->text = get_text(c);
        return;
    case LLS_ENTRY_PHASE:
        entry->phase = (lls_phase)get_u8(c);
        entry->published = get_u8(c) != 0;
        c->good = c->good && (unsigned)entry->phase < LLS_PHASES;
        return;
    case LLS_ENTRY_PROGRESS:
        entry->component = lls_little_get_u32(take(c, 4));
        entry->sum = get_sum(c);
        entry->text = get_text(c);
        return;
    case LLS_ENTRY_OUTCOME:
        entry->component = lls_little_get_u32(take(c, 4));
        entry->sum = get_sum(c);
        entry->target = get_sum(c);
        entry->verified = get_u64(c);
        entry->replaced = get_u64(c);
        return;
    }
    c->good = false;
}

bool lls_entry_decode(lls_bytes *rest, lls_entry *out)
{
    cursor c = {*rest, true};
    lls_entry entry = {0};

    entry.type = (lls_entry_type)get_u8(&c);
    entry.at_usec = (int64_t)get_u64(&c);
    get_fields(&c, &entry);
    if (!c.good)
        return false;
    *rest = c.rest;
    *out = entry;
    return true;
}
