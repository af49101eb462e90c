/* Our own port on the embedded backend, as components call it. */
#include "peer.h"

#include "base/scope.h"
#include "ports/backend.h"

static const lls_kv_space space = {LLS_STR_INIT("default"), LLS_STR_INIT("agent_state")};
enum { BATCH_MAX = 1000 };

typedef struct port {
    lls_backend *backend;
    lls_buf value;
    lls_error err;
} port;

static lls_bytes view(const char *data, size_t len)
{
    return (lls_bytes){(const uint8_t *)data, len};
}

static void *port_open(const char *folder)
{
    port *p = calloc(1, sizeof(*p));
    lls_error err = {0};
    lls_setting path = {.name = "path", .value = folder};

    if (!p || lls_backend_open(LLS_STR("lmdb"), &path, 1, NULL, &p->backend, &err) != LLS_OK)
        bench_die("port", err.msg);
    return p;
}

static void port_put(void *peer, const bench_pair *pairs, size_t count)
{
    static lls_kv_write writes[BATCH_MAX];
    port *p = peer;
    lls_error err = {0};

    for (size_t i = 0; i < count; i++)
        writes[i] = (lls_kv_write){.verb = LLS_KV_PUT,
                                   .coll = space.coll,
                                   .key = view(pairs[i].key, pairs[i].key_len),
                                   .value = view(pairs[i].value, pairs[i].value_len)};
    if (lls_kv_apply(p->backend->kv, space.tenant, writes, count, &err) != LLS_OK)
        bench_die("port put", err.msg);
}

static size_t port_get(void *peer, const char *key, size_t key_len)
{
    port *p = peer;

    lls_buf_clear(&p->value);
    if (lls_kv_get(p->backend->kv, space, view(key, key_len), &p->value, NULL, &p->err) != LLS_OK)
        bench_die("port get", p->err.msg);
    return p->value.len;
}

static size_t port_scan(void *peer, const char *prefix, size_t prefix_len, bench_take take)
{
    port *p = peer;
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_error err = {0};
    lls_kv_item item;
    size_t n = 0;
    lls_kv_range range = {.prefix = view(prefix, prefix_len)};

    if (lls_kv_scan(p->backend->kv, space, range, LLS_KV_LIVE, &it, &err) != LLS_OK)
        bench_die("port scan", err.msg);
    while (lls_kv_iter_next(it, &item, &err) == LLS_OK) {
        if (take)
            take(item.value.data, item.value.len);
        n++;
    }
    return n;
}

static void port_close(void *peer)
{
    port *p = peer;

    lls_backend_close(p->backend);
    lls_buf_fini(&p->value);
    free(p);
}

const bench_peer bench_port = {"llmspell (lmdb)", port_open, port_put,
                               port_get,          port_scan, port_close};
