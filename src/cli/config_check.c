/* config_check.c - llmspell storage config check */
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/json.h"
#include "cli/scope.h"

#include <stdio.h>

static lls_err run(cli_context *context, lls_error *err)
{
    LLS_AUTO(cli_config_ref) config = NULL;
    const char *file;
    json_t *object;

    LLS_TRY(cli_configure(context, NULL, &config, err));
    file = lls_config_file(config);
    if (context->out.format == CLI_TEXT) {
        if (file)
            printf("%s: good\n", file);
        else
            printf("There is no configuration file; defaults and the environment are good\n");
        return LLS_OK;
    }
    object = json_object();
    cli_json_set(object, "file", cli_json_text(file));
    cli_json_set(object, "good", json_true());
    return cli_json_print(object, err);
}

const cli_command cli_config_check = {
    .path = "storage config check",
    .summary = "say whether the configuration is good",
    .description = "Unknown keys and bad values are named with file, line and column; the exit\n"
                   "status is 5 then.",
    .takes_backend = true,
    .examples = "llmspell storage config check -c llmspell.toml\n",
    .run = run,
};
