/**
 * fetch.c - asking for bytes of the map before they are read. Records lie anywhere in it: whoever
 * touches them one line of the cache after the other waits for each, and most of a read is waiting.
 */
#include "backends/lmdb/env.h"

#include <string.h>

enum { LINE = 64, RECORD_BYTES = 1024 }; /* beyond that the processor sees by itself what comes */

/*
 * A page of LMDB, as far as it tells what will be touched: where the list of its records ends, and
 * the list, in the order of keys. Nothing is believed of it: should LMDB lay out its pages in
 * another way, we ask for bytes that nobody wants, and that is all.
 */
enum { PAGE_LIST_END = 12, PAGE_LIST = 16, PAGE_RECORDS = 32 };

void lmdb_fetch_record(lls_bytes stored)
{
    size_t len = stored.len < RECORD_BYTES ? stored.len : RECORD_BYTES;

    for (size_t at = 0; at < len; at += LINE)
        __builtin_prefetch(stored.data + at);
}

static size_t number_at(const char *at)
{
    uint16_t number;

    memcpy(&number, at, sizeof(number));
    return number;
}

void lmdb_fetch_page(const lmdb_env *env, const void *key, uintptr_t *last)
{
    const char *page = (const char *)((uintptr_t)key & ~(uintptr_t)(env->page_size - 1));

    if ((uintptr_t)page == *last)
        return;
    size_t end = number_at(page + PAGE_LIST_END);
    if (end > PAGE_LIST + 2 * PAGE_RECORDS)
        end = PAGE_LIST + 2 * PAGE_RECORDS;
    for (size_t at = PAGE_LIST; at < end; at += 2)
        __builtin_prefetch(page + number_at(page + at));
    *last = (uintptr_t)page;
}
