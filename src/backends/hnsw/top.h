/** top.h - the nearest few of many candidates: a heap with the farthest on top. */
#ifndef LLS_BACKENDS_HNSW_TOP_H
#define LLS_BACKENDS_HNSW_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct hnsw_candidate {
    float distance;
    uint32_t slot;
} hnsw_candidate;

/** `room` is the caller's; the first `count` of `items` are a heap. */
typedef struct hnsw_top {
    hnsw_candidate *items;
    size_t count;
    size_t room;
} hnsw_top;

/** By distance, equals by slot. */
static inline bool hnsw_nearer(hnsw_candidate a, hnsw_candidate b)
{
    return a.distance < b.distance || (a.distance == b.distance && a.slot < b.slot);
}

/** Whether a candidate at this distance might still get in. */
static inline bool hnsw_top_wants(const hnsw_top *top, float distance)
{
    return top->count < top->room || (top->room && distance <= top->items[0].distance);
}

/** Take the candidate in if it is among the nearest. */
void hnsw_top_offer(hnsw_top *top, hnsw_candidate candidate);

/** Put them in order, nearest first. It is no heap any more. */
void hnsw_top_sort(hnsw_top *top);

#endif
