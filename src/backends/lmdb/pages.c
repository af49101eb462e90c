/**
 * pages.c - giving pages of the map back. A long scan would otherwise count the whole store as
 * this process's resident memory.
 *
 * The map is a shared mapping of a file, and read-only (LMDB writes with pwrite unless told
 * otherwise). MADV_DONTNEED on such a mapping changes nothing but this process's page table: the
 * page stays in the page cache, and touching it again finds the same bytes there. So this is safe
 * while other threads read the same pages.
 */
#include "backends/lmdb/env.h"

#include <sys/mman.h>
#include <unistd.h>

/* A page fault maps up to sixteen pages around the one that was touched (Linux's fault-around):
 * what is held is counted in windows of that size, each as often as it is entered. */
enum { WINDOW_BITS = 16, TRAIL_BYTES = 8 << 20, SHORT_BYTES = 4 << 20 };

void lmdb_trail_drop(lmdb_trail *trail)
{
    if (trail->bytes > 0) {
        // nothing outside [low, high) is touched: beside the map lies memory of other owners
        uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
        uintptr_t from = trail->low & ~(page - 1);
        uintptr_t to = (trail->high + page - 1) & ~(page - 1);
        (void)madvise((void *)from, to - from, MADV_DONTNEED);
    }
    *trail = (lmdb_trail){0};
}

void lmdb_trail_end(lmdb_trail *trail)
{
    if (trail->bytes >= SHORT_BYTES)
        lmdb_trail_drop(trail);
    else
        *trail = (lmdb_trail){0};
}

void lmdb_trail_note(lmdb_trail *trail, const void *at, size_t bytes)
{
    uintptr_t low = (uintptr_t)at;

    if (trail->bytes == 0 || low < trail->low)
        trail->low = low;
    if (low + bytes > trail->high)
        trail->high = low + bytes;
    if (low >> WINDOW_BITS != trail->window)
        trail->bytes += (size_t)1 << WINDOW_BITS;
    trail->bytes += bytes >> WINDOW_BITS << WINDOW_BITS;
    trail->window = (low + bytes) >> WINDOW_BITS;
    if (trail->bytes >= TRAIL_BYTES)
        lmdb_trail_drop(trail);
}
