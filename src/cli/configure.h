/** configure.h - from the options of a call to a configuration, a store, and names. */
#ifndef CLI_CONFIGURE_H
#define CLI_CONFIGURE_H

#include "cli/command.h"

/**
 * Load the configuration, this call's options over it. `component` is the one that the command is
 * about, which --backend then routes; NULL: none, or several.
 *
 * Errors: those of lls_config_load; LLS_E_INVALID for a password in --connection.
 */
lls_err cli_configure(cli_context *context, const char *component, lls_config **config,
                      lls_error *err) LLS_CHECKED;

/** Configure, and open the store for `component`. Owns: the caller frees both. */
lls_err cli_open_store(cli_context *context, const char *component, lls_open_mode mode,
                       lls_config **config, lls_store **store, lls_error *err) LLS_CHECKED;

/** Refuse a connection string that holds a password; NULL is fine. */
lls_err cli_check_connection(const char *connection, lls_error *err) LLS_CHECKED;

/** The kind of backend that `name` means: itself, or the type of a [storage.backends.NAME]. */
const char *cli_backend_kind(const lls_config *config, const char *name);

/** Look up a backend. False when there is none of this name. */
bool cli_backend_find(const char *name, lls_backend_info *out);

#endif
