#include "backends/sled/node.h"

#include "backends/sled/wire.h"
#include "base/alloc.h"
#include "base/scope.h"

/* The engine splits a node long before; this bounds what a forged one can make us allocate. */
enum { ENTRIES_MAX = 1 << 20 };

typedef enum link {
    LINK_SET = 0,
    LINK_DEL = 1,
    LINK_MERGE_CHILD = 2,
    LINK_MERGED_CHILD = 3,
    LINK_MERGING = 4,
} link;

void sled_node_fini(sled_node *node)
{
    lls_free(node->entries);
    *node = (sled_node){0};
}

static lls_err reserve(sled_node *node, size_t count)
{
    size_t cap = node->cap ? node->cap : 32;

    if (count <= node->cap)
        return LLS_OK;
    if (count > ENTRIES_MAX)
        return LLS_E_CORRUPT;
    while (cap < count)
        cap *= 2;
    sled_entry *moved = lls_resize(node->entries, cap * sizeof(*moved));
    if (!moved)
        return LLS_E_NOMEM;
    node->entries = moved;
    node->cap = cap;
    return LLS_OK;
}

/* ---- comparing ---- */

/* Of `whole` only what is behind the prefix; `*order` is not 0 when the prefix alone decides. */
static lls_bytes behind_prefix(const sled_node *node, lls_bytes whole, int *order)
{
    size_t len = node->prefix.len;

    *order = 0;
    if (len == 0)
        return whole;
    size_t both = len < whole.len ? len : whole.len;
    int c = both ? memcmp(node->prefix.data, whole.data, both) : 0;
    if (c != 0 || whole.len < len) {
        *order = c ? c : 1;
        return (lls_bytes){0};
    }
    return (lls_bytes){whole.data + len, whole.len - len};
}

int sled_node_cmp(const sled_node *node, lls_bytes key, lls_bytes whole)
{
    int order;
    lls_bytes rest = behind_prefix(node, whole, &order);

    return order ? order : lls_bytes_cmp(key, rest);
}

/* The first entry that is not less than `key`, which has no prefix. */
static size_t find_short(const sled_node *node, lls_bytes key)
{
    size_t low = 0;
    size_t high = node->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lls_bytes_cmp(node->entries[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t sled_node_find(const sled_node *node, lls_bytes whole)
{
    int order;
    lls_bytes rest = behind_prefix(node, whole, &order);

    if (order)
        return order > 0 ? 0 : node->count;
    return find_short(node, rest);
}

/* ---- the base ---- */

static lls_err take_entries(sled_node *node, sled_wire *wire)
{
    uint64_t count = sled_wire_varint(wire);

    if (count > sled_wire_left(wire) / 2) // a key and a value take a byte each, at least
        return LLS_E_CORRUPT;
    LLS_TRY(reserve(node, (size_t)count));
    node->count = (size_t)count;
    for (size_t i = 0; i < node->count; i++)
        node->entries[i] = (sled_entry){.key = sled_wire_bytes(wire)};
    for (size_t i = 0; i < node->count; i++) {
        if (node->index)
            node->entries[i].child = sled_wire_varint(wire);
        else
            node->entries[i].value = sled_wire_bytes(wire);
    }
    return sled_wire_done(wire) ? LLS_OK : LLS_E_CORRUPT;
}

static lls_err take_base(sled_node *node, lls_bytes payload)
{
    sled_wire wire = sled_wire_of(payload);

    node->next = sled_wire_varint(&wire);
    node->merging_child = sled_wire_varint(&wire);
    node->merging = sled_wire_u8(&wire) != 0;
    uint8_t prefix_len = sled_wire_u8(&wire);
    node->lo = sled_wire_bytes(&wire);
    node->hi = sled_wire_bytes(&wire);
    uint8_t tag = sled_wire_u8(&wire);
    if (wire.bad || prefix_len > node->lo.len || tag > 1)
        return LLS_E_CORRUPT;
    node->prefix = (lls_bytes){node->lo.data, prefix_len};
    node->index = tag == 1;
    return take_entries(node, &wire);
}

/* ---- the changes ---- */

static lls_err set(sled_node *node, lls_bytes key, lls_bytes value)
{
    size_t at = find_short(node, key);

    if (at == node->count || !lls_bytes_eq(node->entries[at].key, key)) {
        LLS_TRY(reserve(node, node->count + 1));
        memmove(&node->entries[at + 1], &node->entries[at],
                (node->count - at) * sizeof(*node->entries));
        node->count++;
    }
    node->entries[at] = (sled_entry){.key = key, .value = value};
    return LLS_OK;
}

static void remove_at(sled_node *node, size_t at)
{
    node->count--;
    memmove(&node->entries[at], &node->entries[at + 1],
            (node->count - at) * sizeof(*node->entries));
}

static void del(sled_node *node, lls_bytes key)
{
    size_t at = find_short(node, key);

    if (at < node->count && lls_bytes_eq(node->entries[at].key, key))
        remove_at(node, at);
}

static lls_err drop_merged_child(sled_node *node)
{
    for (size_t i = 0; i < node->count && node->merging_child; i++) {
        if (node->entries[i].child != node->merging_child)
            continue;
        remove_at(node, i);
        node->merging_child = 0;
        return LLS_OK;
    }
    return LLS_E_CORRUPT;
}

static lls_err apply(sled_node *node, lls_bytes payload)
{
    sled_wire wire = sled_wire_of(payload);
    uint8_t tag = sled_wire_u8(&wire);
    bool on_leaf = tag == LINK_SET || tag == LINK_DEL;
    lls_bytes key = on_leaf ? sled_wire_bytes(&wire) : (lls_bytes){0};
    lls_bytes value = tag == LINK_SET ? sled_wire_bytes(&wire) : (lls_bytes){0};
    uint64_t child = tag == LINK_MERGE_CHILD ? sled_wire_varint(&wire) : 0;

    if (!sled_wire_done(&wire) || tag > LINK_MERGING)
        return LLS_E_CORRUPT;
    if (tag != LINK_MERGING && on_leaf == node->index)
        return LLS_E_CORRUPT;
    if (tag == LINK_SET)
        return set(node, key, value);
    if (tag == LINK_DEL)
        del(node, key);
    else if (tag == LINK_MERGING)
        node->merging = true;
    else if (tag == LINK_MERGED_CHILD)
        return drop_merged_child(node);
    else
        node->merging_child = child;
    return LLS_OK;
}

/* ---- the whole ---- */

static const char *find_fault(const sled_node *node)
{
    int order;
    lls_bytes lo = behind_prefix(node, node->lo, &order);

    if (node->hi.len > 0 && lls_bytes_cmp(node->lo, node->hi) >= 0)
        return "its limits are in the wrong order";
    if (node->index && node->count == 0)
        return "an index without children";
    for (size_t i = 1; i < node->count; i++)
        if (lls_bytes_cmp(node->entries[i - 1].key, node->entries[i].key) >= 0)
            return "its keys are out of order";
    if (node->count == 0)
        return NULL;
    if (lls_bytes_cmp(node->entries[0].key, lo) < 0)
        return "a key is below the lower limit";
    if (node->hi.len > 0 && sled_node_cmp(node, node->entries[node->count - 1].key, node->hi) >= 0)
        return "a key is over the upper limit";
    return NULL;
}

static bool is_node(const sled_page *page)
{
    sled_kind base = (sled_kind)page->items[0].part->kind;

    return base == SLED_NODE || base == SLED_NODE_BLOB;
}

lls_err sled_node_load(sled_node *node, sled_page *page, const sled_source *source, uint64_t number,
                       lls_error *err)
{
    lls_err e = LLS_OK;

    LLS_TRY(sled_page_load(page, source, number, err));
    if (!is_node(page))
        return sled_page_damage(page, source, 0, "it is no node of a tree", err);
    node->count = 0;
    for (size_t i = 0; i < page->count && e == LLS_OK; i++) {
        lls_bytes payload = sled_page_payload(page, i);
        e = i == 0 ? take_base(node, payload) : apply(node, payload);
        if (e == LLS_E_NOMEM)
            return lls_fail(err, e, "out of memory for page %llu", (unsigned long long)number);
        if (e != LLS_OK)
            return sled_page_damage(page, source, i, "the node is malformed", err);
    }
    const char *fault = find_fault(node);
    return fault ? sled_page_damage(page, source, 0, fault, err) : LLS_OK;
}
