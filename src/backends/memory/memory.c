/**
 * memory.c - the in-memory backend: everything in this process, gone with it. The reference for
 * what the port means, and the store of the tests.
 */
#include "backends/memory/memory.h"

#include "base/alloc.h"
#include "base/scope.h"

typedef struct memory_backend {
    lls_backend base;
    memory_kv kv;
} memory_backend;

typedef struct memory_conf {
    uint64_t limit;
} memory_conf;

static const lls_option options[] = {
    LLS_OPTION(memory_conf, limit, LLS_OPT_SIZE, "1GiB", "most bytes of keys and values to hold"),
    {0},
};

static lls_err memory_open(const void *conf, const lls_backend_params *params, lls_backend **out,
                           lls_error *err)
{
    const memory_conf *mine = conf;
    memory_backend *m = lls_alloc(sizeof(*m));

    if (!m)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    m->base.kv = &m->kv.base;
    m->kv.base.ops = &memory_kv_ops;
    m->kv.limit = mine->limit;
    m->kv.read_only = params->access == LLS_READ_ONLY;
    (void)pthread_mutex_init(&m->kv.lock, NULL);
    *out = &m->base;
    return LLS_OK;
}

static void memory_close(lls_backend *base)
{
    memory_backend *m = LLS_OUTER(base, memory_backend, base);

    memory_map_fini(&m->kv.spaces);
    memory_map_fini(&m->kv.stages);
    (void)pthread_mutex_destroy(&m->kv.lock);
    lls_free(m);
}

const lls_backend_def lls_backend_memory = {
    .name = "memory",
    .summary = "everything in this process's memory; nothing survives it",
    .options = options,
    .conf_size = sizeof(memory_conf),
    .ports = LLS_HAS(LLS_PORT_KV),
    .characteristics =
        {
            .transactional = true,
            .prefix_scan = true,
            .atomic_ops = true,
            .read_usec = 1,
            .write_usec = 1,
        },
    .open = memory_open,
    .close = memory_close,
};
