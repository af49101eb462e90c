#include "migrate/ends.h"

#include "base/file.h"
#include "base/scope.h"
#include "store/config.h"
#include "store/open.h"

static lls_err open_end(const lls_config *config, lls_plan_end end, lls_access access,
                        lls_backend **out, lls_error *err)
{
    lls_backend_choice choice = {end.backend, end.path, end.connection};
    lls_backend_params params = {.access = access};

    return lls_config_open_backend(config, &choice, &params, out, err);
}

lls_err lls_ends_open_source(const lls_config *config, const lls_plan *plan, lls_backend **out,
                             lls_error *err)
{
    lls_err e = open_end(config, plan->source, LLS_READ_ONLY, out, err);

    return e == LLS_OK ? e : lls_wrap(err, e, "source '%s'", plan->source.backend);
}

lls_err lls_ends_open_target(const lls_config *config, const lls_plan *plan, lls_access access,
                             lls_backend **out, lls_error *err)
{
    lls_err e = open_end(config, plan->target, access, out, err);

    return e == LLS_OK ? e : lls_wrap(err, e, "target '%s'", plan->target.backend);
}

/* What the configuration says about an option of an end that the plan leaves out. */
static const char *configured(const lls_config *config, const char *backend, const char *option)
{
    LLS_AUTO(lls_buf) key = {0};
    const char *preset = lls_config_raw(config, "storage.backend");

    lls_buf_printf(&key, "storage.backends.%s.%s", backend, option);
    const char *own = lls_config_raw(config, lls_buf_cstr(&key));
    if (own || !preset || strcmp(preset, backend) != 0)
        return own;
    lls_buf_clear(&key);
    lls_buf_printf(&key, "storage.%s", option);
    return lls_config_raw(config, lls_buf_cstr(&key));
}

/* The path as the file system knows it, as far as it is there. */
static lls_err real_path(const char *path, lls_buf *out, lls_error *err)
{
    LLS_AUTO(lls_buf) plain = {0};

    LLS_TRY(lls_file_expand(lls_str_of(path), &plain, err));
    char *real = realpath(lls_buf_cstr(&plain), NULL);
    lls_buf_add_text(out, real ? real : lls_buf_cstr(&plain));
    free(real);
    return lls_buf_status(out, err);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static lls_err same_place(const lls_config *config, lls_plan_end a, lls_plan_end b, bool *same,
                          lls_error *err)
{
    const char *a_path = a.path ? a.path : configured(config, a.backend, "path");
    const char *b_path = b.path ? b.path : configured(config, b.backend, "path");
    const char *a_conn = a.connection ? a.connection : configured(config, a.backend, "connection");
    const char *b_conn = b.connection ? b.connection : configured(config, b.backend, "connection");
    LLS_AUTO(lls_buf) a_real = {0};
    LLS_AUTO(lls_buf) b_real = {0};

    if (a_path)
        LLS_TRY(real_path(a_path, &a_real, err));
    if (b_path)
        LLS_TRY(real_path(b_path, &b_real, err));
    *same = lls_str_eq(lls_buf_str(&a_real), lls_buf_str(&b_real)) && same_text(a_conn, b_conn);
    return LLS_OK;
}

static lls_err check_port(const lls_config *config, const char *backend, lls_port port,
                          lls_error *err)
{
    const lls_backend_def *def = lls_config_backend_def(config, lls_str_of(backend));

    if (!def || (def->ports & LLS_HAS(port)))
        return LLS_OK;
    return lls_fail(err, LLS_E_UNSUPPORTED, "backend '%s' keeps no %s", backend,
                    lls_port_contents(port));
}

lls_err lls_ends_check(const lls_config *config, const lls_plan *plan, lls_error *err)
{
    const char *source;
    const char *target;
    bool same = false;
    lls_port port;

    LLS_TRY(lls_plan_port(plan, &port, err));
    LLS_TRY(check_port(config, plan->source.backend, port, err));
    LLS_TRY(check_port(config, plan->target.backend, port, err));
    LLS_TRY(lls_config_backend_type(config, plan->source.backend, &source, err));
    LLS_TRY(lls_config_backend_type(config, plan->target.backend, &target, err));
    if (strcmp(source, target) == 0)
        LLS_TRY(same_place(config, plan->source, plan->target, &same, err));
    if (same)
        return lls_fail(err, LLS_E_INVALID, "source and target are the same store");
    return LLS_OK;
}
