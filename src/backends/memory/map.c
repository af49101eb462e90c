#include "backends/memory/memory.h"

#include "backends/memory/vec_words.h"
#include "base/alloc.h"
#include "base/scope.h"

#include <inttypes.h>

void memory_name(lls_buf *out, const lls_str *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            lls_buf_add(out, (lls_bytes){(const uint8_t *)"", 1});
        lls_buf_add_str(out, parts[i]);
    }
}

/* Index of the first entry whose name is not less. */
static size_t lower_bound(const memory_map *map, lls_bytes name)
{
    size_t lo = 0;
    size_t hi = map->count;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (lls_bytes_cmp(lls_buf_view(&map->entries[mid].name), name) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

memory_entry *memory_map_find(const memory_map *map, lls_bytes name)
{
    size_t i = lower_bound(map, name);

    if (i == map->count || !lls_bytes_eq(lls_buf_view(&map->entries[i].name), name))
        return NULL;
    return &map->entries[i];
}

memory_entry *memory_map_make(memory_map *map, lls_bytes name)
{
    memory_entry *found = memory_map_find(map, name);
    if (found)
        return found;

    memory_entry fresh = {0};
    lls_buf_add(&fresh.name, name);
    if (map->count == map->cap && fresh.name.status == LLS_OK) {
        size_t cap = map->cap ? map->cap * 2 : 8;
        memory_entry *entries = lls_resize(map->entries, cap * sizeof(*entries));
        if (!entries) {
            lls_buf_fini(&fresh.name);
            return NULL;
        }
        map->entries = entries;
        map->cap = cap;
    }
    if (fresh.name.status != LLS_OK)
        return NULL;
    size_t i = lower_bound(map, name);
    memmove(&map->entries[i + 1], &map->entries[i], (map->count - i) * sizeof(map->entries[0]));
    map->entries[i] = fresh;
    map->count++;
    return &map->entries[i];
}

memory_version memory_version_hold(memory_version version)
{
    (void)memory_tree_hold(version.records);
    (void)memory_tree_hold(version.declared);
    return version;
}

void memory_version_drop(memory_version version)
{
    memory_tree_drop(version.records);
    memory_tree_drop(version.declared);
}

memory_version memory_map_swap(memory_map *map, memory_entry *entry, memory_version version)
{
    memory_version old = entry->version;

    map->bytes = map->bytes - memory_tree_bytes(old.records) + memory_tree_bytes(version.records);
    entry->version = version;
    return old;
}

static void entry_fini(memory_map *map, memory_entry *entry)
{
    memory_version_drop(memory_map_swap(map, entry, (memory_version){0}));
    memory_words_free(entry->words);
    lls_buf_fini(&entry->name);
}

void memory_map_remove(memory_map *map, lls_bytes prefix)
{
    size_t kept = 0;

    for (size_t i = 0; i < map->count; i++) {
        if (lls_bytes_has_prefix(lls_buf_view(&map->entries[i].name), prefix))
            entry_fini(map, &map->entries[i]);
        else
            map->entries[kept++] = map->entries[i];
    }
    map->count = kept;
}

void memory_map_fini(memory_map *map)
{
    memory_map_remove(map, (lls_bytes){0});
    lls_free(map->entries);
    *map = (memory_map){0};
}

lls_err memory_room_check(const memory_kv *kv, uint64_t old, uint64_t more, lls_error *err)
{
    uint64_t limit = kv->shared->limit;
    uint64_t bytes = kv->spaces.bytes + kv->stages.bytes + kv->neighbour->spaces.bytes +
                     kv->neighbour->stages.bytes - old;

    if (more > old && bytes + more > limit)
        return lls_fail(err, LLS_E_FULL, "over the limit of %" PRIu64 " bytes", limit);
    return LLS_OK;
}
