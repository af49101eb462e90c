#include <llmspell/inspect.h>

#include "base/scope.h"
#include "store/open.h"

typedef struct listener {
    lls_schema_each each;
    void *user;
} listener;

static lls_err tell(void *user, const lls_schema_step *step, lls_error *err)
{
    const listener *to = user;
    lls_schema_info info = {step->number, step->name, step->state, step->applied_usec};

    (void)err;
    if (to->each)
        to->each(to->user, &info);
    return LLS_OK;
}

// Open `backend`, which must have a schema. Asked before it is opened: opening may take a server.
static lls_err open_backend(const lls_config *config, const char *backend, lls_access access,
                            lls_backend **out, lls_error *err)
{
    lls_backend_choice choice = {.name = backend};
    lls_backend_params params = {.access = access};
    const char *type = NULL;

    LLS_TRY(lls_config_backend_type(config, backend, &type, err));
    const lls_backend_def *def = lls_backend_find(lls_str_of(type));
    if (def && !def->schema)
        return lls_fail(err, LLS_E_UNSUPPORTED,
                        "backend '%s' has no schema: it sets itself up when it is first used",
                        type);
    return lls_config_open_backend(config, &choice, &params, out, err);
}

lls_err lls_schema_status(const lls_config *config, const char *backend, lls_schema_each each,
                          void *user, lls_error *err)
{
    LLS_AUTO(lls_backend_ref) opened = NULL;
    listener to = {each, user};

    LLS_TRY(open_backend(config, backend, LLS_READ_ONLY, &opened, err));
    return opened->def->schema->status(opened, tell, &to, err);
}

lls_err lls_schema_apply(const lls_config *config, const char *backend, lls_schema_each each,
                         void *user, lls_error *err)
{
    LLS_AUTO(lls_backend_ref) opened = NULL;
    listener to = {each, user};

    LLS_TRY(open_backend(config, backend, LLS_READ_WRITE, &opened, err));
    return opened->def->schema->apply(opened, tell, &to, err);
}
