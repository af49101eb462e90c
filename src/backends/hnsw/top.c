#include "backends/hnsw/top.h"

static void sink(hnsw_candidate *items, size_t count, size_t at, hnsw_candidate candidate)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count)
            break;
        if (child + 1 < count && hnsw_nearer(items[child], items[child + 1]))
            child++;
        if (!hnsw_nearer(candidate, items[child]))
            break;
        items[at] = items[child];
        at = child;
    }
    items[at] = candidate;
}

void hnsw_top_offer(hnsw_top *top, hnsw_candidate candidate)
{
    size_t at;

    if (top->count == top->room) {
        if (top->room && hnsw_nearer(candidate, top->items[0]))
            sink(top->items, top->count, 0, candidate);
        return;
    }
    for (at = top->count++; at > 0; at = (at - 1) / 2) {
        if (!hnsw_nearer(top->items[(at - 1) / 2], candidate))
            break;
        top->items[at] = top->items[(at - 1) / 2];
    }
    top->items[at] = candidate;
}

void hnsw_top_sort(hnsw_top *top)
{
    for (size_t left = top->count; left > 1; left--) {
        hnsw_candidate farthest = top->items[0];
        sink(top->items, left - 1, 0, top->items[left - 1]);
        top->items[left - 1] = farthest;
    }
}
