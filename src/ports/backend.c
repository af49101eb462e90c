#include "ports/backend.h"

#include "base/alloc.h"
#include "base/scope.h"

#include <assert.h>

/* One line a backend, written by CMake from the folders in src/backends. */
#define LLS_BACKEND(name) extern const lls_backend_def lls_backend_##name;
#include "backends.inc"
#undef LLS_BACKEND

static const lls_backend_def *const built_in[] = {
#define LLS_BACKEND(name) &lls_backend_##name,
#include "backends.inc"
#undef LLS_BACKEND
    NULL,
};

const lls_backend_def *const *lls_backends(void)
{
    return built_in;
}

const lls_backend_def *lls_backend_find(lls_str name)
{
    for (const lls_backend_def *const *def = built_in; *def; def++)
        if (strlen((*def)->name) == name.len && memcmp((*def)->name, name.data, name.len) == 0)
            return *def;
    return NULL;
}

lls_err lls_backend_unknown(lls_str name, lls_error *err)
{
    LLS_AUTO(lls_buf) names = {0};

    for (const lls_backend_def *const *def = built_in; *def; def++)
        lls_buf_printf(&names, "%s%s", names.len ? ", " : "", (*def)->name);
    return lls_fail(err, LLS_E_INVALID, "no backend '" LLS_FMT "' in this build (it has: %s)",
                    LLS_ARG(name), lls_buf_cstr(&names));
}

lls_err lls_backend_open(lls_str name, const lls_setting *settings, size_t count,
                         const lls_backend_params *params, lls_backend **out, lls_error *err)
{
    assert(out);

    static const lls_backend_params plain = {.access = LLS_READ_WRITE};
    const lls_backend_def *def = lls_backend_find(name);
    if (!def)
        return lls_backend_unknown(name, err);

    LLS_AUTO(lls_buf) memory = {0};
    lls_backend *backend = NULL;
    void *conf = lls_alloc(def->conf_size);
    if (!conf)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    lls_err e = lls_options_fill(def->options, settings, count, conf, &memory, err);
    if (e == LLS_OK)
        e = def->open(conf, params ? params : &plain, &backend, err);
    lls_free(conf);
    if (e != LLS_OK)
        return lls_wrap(err, e, "open %s", def->name);

    backend->def = def;
    if (backend->kv)
        backend->kv->clock = params ? params->clock : NULL;
    if (backend->vec) {
        backend->vec->clock = params ? params->clock : NULL;
        backend->vec->records->clock = backend->vec->clock;
    }
    *out = backend;
    return LLS_OK;
}

const char *lls_port_contents(lls_port port)
{
    return port == LLS_PORT_VEC ? "vectors" : "keys and values";
}

lls_err lls_backend_records(const lls_backend *backend, lls_port port, lls_kv **out, lls_error *err)
{
    lls_kv *records = NULL;

    switch (port) {
    case LLS_PORT_KV:
        records = backend->kv;
        break;
    case LLS_PORT_VEC:
        records = backend->vec ? backend->vec->records : NULL;
        break;
    }
    if (!records)
        return lls_fail(err, LLS_E_UNSUPPORTED, "backend '%s' keeps no %s", backend->def->name,
                        lls_port_contents(port));
    *out = records;
    return LLS_OK;
}

void lls_backend_close(lls_backend *backend)
{
    if (backend)
        backend->def->close(backend);
}
