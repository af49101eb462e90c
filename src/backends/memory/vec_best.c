#include "backends/memory/vec_best.h"

#include "base/alloc.h"

/* Below 0 when `a` is better. No two are equal, since keys differ. */
static int compare(const memory_best *best, const memory_ranked *a, const memory_ranked *b)
{
    int order;

    if (a->distance != b->distance)
        order = a->distance < b->distance ? -1 : 1;
    else if (a->event_usec != b->event_usec)
        order = a->event_usec < b->event_usec ? -1 : 1;
    else
        order = lls_bytes_cmp(a->record->item.key, b->record->item.key);
    return best->reversed ? -order : order;
}

bool memory_best_wants(const memory_best *best, const memory_ranked *r)
{
    return best->count < best->limit || compare(best, r, &best->kept[0]) < 0;
}

static void swap(memory_ranked *a, memory_ranked *b)
{
    memory_ranked moved = *a;

    *a = *b;
    *b = moved;
}

static void sink(memory_best *best, size_t count)
{
    size_t i = 0;

    for (;;) {
        size_t worst = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < count; child++)
            if (compare(best, &best->kept[child], &best->kept[worst]) > 0)
                worst = child;
        if (worst == i)
            return;
        swap(&best->kept[i], &best->kept[worst]);
        i = worst;
    }
}

lls_err memory_best_keep(memory_best *best, const memory_ranked *r, lls_error *err)
{
    if (best->count == best->limit) {
        best->kept[0] = *r;
        sink(best, best->count);
        return LLS_OK;
    }
    if (best->count == best->cap) {
        size_t cap = best->cap ? best->cap * 2 : 32;
        memory_ranked *kept = lls_resize(best->kept, cap * sizeof(*kept));
        if (!kept)
            return lls_fail(err, LLS_E_NOMEM, "no memory for the hits of a search");
        best->kept = kept;
        best->cap = cap;
    }
    size_t i = best->count++;
    best->kept[i] = *r;
    for (; i > 0 && compare(best, &best->kept[i], &best->kept[(i - 1) / 2]) > 0; i = (i - 1) / 2)
        swap(&best->kept[i], &best->kept[(i - 1) / 2]);
    return LLS_OK;
}

void memory_best_sort(memory_best *best)
{
    for (size_t count = best->count; count > 1;) {
        swap(&best->kept[0], &best->kept[--count]);
        sink(best, count);
    }
}

void memory_best_fini(memory_best *best)
{
    lls_free(best->kept);
    *best = (memory_best){0};
}
