#ifndef _GNU_SOURCE
#define _GNU_SOURCE // mremap
#endif

#include "backends/hnsw/pages.h"
#include "base/alloc.h"

#include <assert.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define MAPPED_FROM ((size_t)1 << 20) /* bytes: below, the heap does better */
#define ALIGN ((size_t)64)

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

size_t hnsw_pages_rounded(size_t bytes)
{
    return bytes < MAPPED_FROM ? round_up(bytes, ALIGN) : round_up(bytes, HUGE_PAGE);
}

// Address space of `bytes` that begins on a huge page. NULL: none left.
static void *reserve(size_t bytes)
{
    uint8_t *raw = mmap(NULL, bytes + HUGE_PAGE, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint8_t *aligned;

    if (raw == MAP_FAILED)
        return NULL;
    aligned = (uint8_t *)round_up((uintptr_t)raw, HUGE_PAGE);
    if (aligned > raw)
        (void)munmap(raw, (size_t)(aligned - raw));
    (void)munmap(aligned + bytes, (size_t)(raw + HUGE_PAGE - aligned));
    return aligned;
}

// Move or make a mapping of `bytes`. Moving a large one costs a few page table entries, no copying.
static void *map_larger(hnsw_pages *pages, size_t bytes)
{
    void *to = reserve(bytes);
    void *got;

    if (!to)
        return NULL;
    if (pages->anonymous)
        got = mremap(pages->data, pages->mapped, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to);
    else
        got =
            mmap(to, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (got == MAP_FAILED) {
        (void)munmap(to, bytes);
        return NULL;
    }
    (void)madvise(got, bytes, MADV_HUGEPAGE); // a system without them serves as well, but slower
    return got;
}

static lls_err grow_mapped(hnsw_pages *pages, size_t bytes, lls_error *err)
{
    void *probe = lls_alloc(1); // mappings, too, fail when a test says that allocations do
    hnsw_pages grown = {.cap = bytes, .mapped = bytes, .anonymous = true};

    lls_free(probe);
    grown.data = probe ? map_larger(pages, bytes) : NULL;
    grown.block = grown.data;
    if (!grown.data)
        return lls_fail(err, LLS_E_NOMEM, "out of memory for %zu bytes of vectors", bytes);
    if (!pages->anonymous) {
        if (pages->cap)
            memcpy(grown.data, pages->data, pages->cap);
        lls_free(pages->block);
    }
    *pages = grown;
    return LLS_OK;
}

static lls_err grow_heap(hnsw_pages *pages, size_t bytes, lls_error *err)
{
    void *block = lls_alloc(bytes + ALIGN); // zeroed
    uint8_t *data;

    if (!block)
        return lls_fail(err, LLS_E_NOMEM, "out of memory for %zu bytes of vectors", bytes);
    data = (uint8_t *)round_up((uintptr_t)block, ALIGN);
    if (pages->cap)
        memcpy(data, pages->data, pages->cap);
    lls_free(pages->block);
    *pages = (hnsw_pages){.data = data, .cap = bytes, .block = block};
    return LLS_OK;
}

lls_err hnsw_pages_grow(hnsw_pages *pages, size_t bytes, lls_error *err)
{
    if (bytes <= pages->cap && !hnsw_pages_borrowed(pages))
        return LLS_OK;
    bytes = hnsw_pages_rounded(bytes > pages->cap ? bytes : pages->cap);
    if (pages->anonymous || bytes >= MAPPED_FROM)
        return grow_mapped(pages, bytes, err);
    return grow_heap(pages, bytes, err);
}

void hnsw_pages_borrow(hnsw_pages *pages, const void *data, size_t bytes)
{
    hnsw_pages_fini(pages);
    pages->data = (uint8_t *)(uintptr_t)data;
    pages->cap = bytes;
}

void hnsw_pages_fini(hnsw_pages *pages)
{
    if (pages->anonymous)
        (void)munmap(pages->block, pages->mapped);
    else
        lls_free(pages->block);
    *pages = (hnsw_pages){0};
}
