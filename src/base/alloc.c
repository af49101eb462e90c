#include "base/alloc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

static _Atomic long left = -1;

static bool denied(void)
{
    long now = atomic_load_explicit(&left, memory_order_relaxed);

    while (now > 0 && !atomic_compare_exchange_weak(&left, &now, now - 1))
        ;
    return now == 0;
}

void *lls_alloc(size_t size)
{
    return denied() ? NULL : calloc(1, size ? size : 1);
}

void *lls_resize(void *ptr, size_t size)
{
    return denied() ? NULL : realloc(ptr, size ? size : 1);
}

void lls_free(void *ptr)
{
    free(ptr);
}

void lls_alloc_fail_after(long n)
{
    atomic_store(&left, n);
}
