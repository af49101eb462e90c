/**
 * memory.c - the in-memory backend: everything in this process, gone with it. The reference for
 * what the port means, and the store of the tests.
 */
#include "backends/memory/memory.h"

#include "backends/memory/vec.h"
#include "base/alloc.h"
#include "base/scope.h"

typedef struct memory_backend {
    lls_backend base;
    memory_shared shared;
    memory_kv kv;
    memory_vec vec;
} memory_backend;

typedef struct memory_conf {
    uint64_t limit;
} memory_conf;

static const lls_option options[] = {
    LLS_OPTION(memory_conf, limit, LLS_OPT_SIZE, "1GiB", "most bytes of keys and values to hold"),
    {0},
};

static void set_up(memory_backend *m, memory_kv *kv, const memory_kv *neighbour, lls_port port)
{
    kv->base.ops = &memory_kv_ops;
    kv->base.port = port;
    kv->shared = &m->shared;
    kv->neighbour = neighbour;
}

static lls_err memory_open(const void *conf, const lls_backend_params *params, lls_backend **out,
                           lls_error *err)
{
    const memory_conf *mine = conf;
    memory_backend *m = lls_alloc(sizeof(*m));

    if (!m)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    m->shared.limit = mine->limit;
    m->shared.read_only = params->access == LLS_READ_ONLY;
    (void)pthread_mutex_init(&m->shared.lock, NULL);
    set_up(m, &m->kv, &m->vec.records, LLS_PORT_KV);
    set_up(m, &m->vec.records, &m->kv, LLS_PORT_VEC);
    m->vec.base.ops = &memory_vec_ops;
    m->vec.base.records = &m->vec.records.base;
    m->base.kv = &m->kv.base;
    m->base.vec = &m->vec.base;
    *out = &m->base;
    return LLS_OK;
}

static void memory_close(lls_backend *base)
{
    memory_backend *m = LLS_OUTER(base, memory_backend, base);

    memory_map_fini(&m->kv.spaces);
    memory_map_fini(&m->kv.stages);
    memory_map_fini(&m->vec.records.spaces);
    memory_map_fini(&m->vec.records.stages);
    (void)pthread_mutex_destroy(&m->shared.lock);
    lls_free(m);
}

const lls_backend_def lls_backend_memory = {
    .name = "memory",
    .summary = "everything in this process's memory; nothing survives it",
    .options = options,
    .conf_size = sizeof(memory_conf),
    .ports = LLS_HAS(LLS_PORT_KV) | LLS_HAS(LLS_PORT_VEC),
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
