/**
 * open.h - from a configuration to an open backend: the one place where names, [storage] keys and
 * option tables meet.
 */
#ifndef LLS_STORE_OPEN_H
#define LLS_STORE_OPEN_H

#include "ports/backend.h"
#include "store/component.h"

#include <llmspell/config.h>

/** Where one backend comes from. All but `name` may be NULL: the configuration decides. */
typedef struct lls_backend_choice {
    const char *name;       /**< A backend, or a [storage.backends.NAME]; NULL: the default. */
    const char *path;       /**< Over the configuration's. */
    const char *connection; /**< Over the configuration's. */
} lls_backend_choice;

/**
 * Open the backend that `choice` and `config` describe.
 *
 * [storage] `path` and `connection` go to the backend that [storage] `backend` names, if its
 * option table has them; every other option comes from [storage.backends.NAME].
 *
 * Errors: LLS_E_INVALID for a name that is neither, or a `path` that the backend does not take.
 */
lls_err lls_config_open_backend(const lls_config *config, const lls_backend_choice *choice,
                                const lls_backend_params *params, lls_backend **out,
                                lls_error *err) LLS_CHECKED;

/** The name of the backend behind `name` ("main" → "lmdb"); NULL `name`: the default one. */
lls_err lls_config_backend_type(const lls_config *config, const char *name, const char **type,
                                lls_error *err) LLS_CHECKED;

/** The name of the backend (or [storage.backends.NAME]) that serves `component`. */
const char *lls_config_route(const lls_config *config, const lls_component_def *component);

/** The tenant: "default" unless configured. */
const char *lls_config_tenant(const lls_config *config);

/** The raw value of `key`, secrets included, or NULL. For opening things only: never shown. */
const char *lls_config_raw(const lls_config *config, const char *key);

#endif
