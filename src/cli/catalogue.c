#include "cli/catalogue.h"

#include "cli/commands.h"

static const cli_option program_options[] = {
    {"version", CLI_VERSION, 0, false, NULL, "print the version and exit"},
    {0},
};

static const cli_command program = {
    .path = "",
    .summary = "the storage layer for agents",
    .description = "It keeps the state of agents, of workflows and of sessions in an embedded "
                   "store, looks at\n"
                   "it, and moves it between backends exactly.",
    .options = program_options,
    .examples = "llmspell storage info\n"
                "llmspell help storage migrate\n",
};

static const cli_command storage = {
    .path = "storage",
    .summary = "store, look at, check and migrate what agents remember",
    .examples = "llmspell storage put agent_state agent:chat:1 '{\"mood\": \"good\"}'\n"
                "llmspell storage get agent_state agent:chat:1\n",
};

static const cli_command migrate = {
    .path = "storage migrate",
    .summary = "move components from one backend to another, and prove it",
    .description =
        "plan writes a file for you to read; execute --dry-run tries it without writing anything;\n"
        "execute does it. The target's readers see all of it or nothing. A run that was "
        "interrupted\n"
        "goes on with resume, and rollback puts the target back as it was.",
    .examples = "llmspell storage migrate plan --from lmdb --to postgres \\\n"
                "    --components agent_state --output plan.yaml\n"
                "llmspell storage migrate execute --plan plan.yaml --dry-run\n"
                "llmspell storage migrate execute --plan plan.yaml\n",
};

static const cli_command config = {
    .path = "storage config",
    .summary = "show and check the configuration",
    .examples = "llmspell storage config show --origin\n",
};

static const cli_command schema = {
    .path = "storage schema",
    .summary = "look after the schema of a backend that has one",
    .examples = "llmspell storage schema status --backend postgres\n",
};

static const cli_command *const commands[] = {
    &program,
    &cli_help_command,
    &storage,
    &cli_get,
    &cli_put,
    &cli_delete,
    &cli_list,
    &cli_history,
    &cli_search,
    &cli_import,
    &cli_export,
    &cli_info,
    &cli_validate,
    &cli_backends,
    &config,
    &cli_config_show,
    &cli_config_check,
    &schema,
    &cli_schema_status,
    &cli_schema_apply,
    &migrate,
    &cli_migrate_plan,
    &cli_migrate_execute,
    &cli_migrate_resume,
    &cli_migrate_rollback,
    &cli_migrate_status,
};

const cli_option cli_backend_options[] = {
    {"backend", CLI_BACKEND, 0, false, "BACKEND", "the backend to use, not the configuration's"},
    {"path", CLI_PATH, 0, false, "PATH", "where that backend keeps its files"},
    {"connection", CLI_CONNECTION, 0, false, "CONNECTION",
     "how to reach its server; never with a password"},
    {0},
};

const cli_option cli_global_options[] = {
    {"config", CLI_CONFIG, 'c', false, "FILE", "read this configuration file"},
    {"tenant", CLI_TENANT, 0, false, "TENANT", "whose records these are"},
    {"output", CLI_FORMAT, 0, false, "text|json", "how to print results"},
    {"format", CLI_FORMAT, 0, false, "text|json", "another name for --output"},
    {"quiet", CLI_QUIET, 'q', false, NULL, "say nothing but results, warnings and errors"},
    {"color", CLI_COLOR, 0, false, "auto|always|never", "color messages"},
    {"help", CLI_HELP, 'h', false, NULL, "print this help and exit"},
    {0},
};

const cli_command *cli_command_at(size_t index)
{
    return index < sizeof commands / sizeof commands[0] ? commands[index] : NULL;
}

bool cli_command_is_in(const cli_command *command, const cli_command *group, const char **word)
{
    size_t len = strlen(group->path);
    const char *rest = command->path + len;

    if (command == group || strncmp(command->path, group->path, len) != 0)
        return false;
    if (len > 0 && *rest++ != ' ')
        return false;
    *word = rest;
    return strchr(rest, ' ') == NULL;
}

const cli_command *cli_command_find(const cli_command *group, const char *word)
{
    const cli_command *command;
    const char *last;

    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++)
        if (cli_command_is_in(command, group, &last) && strcmp(last, word) == 0)
            return command;
    return NULL;
}

/* A command's own option of the same name hides a global one. */
static bool is_hidden(const cli_command *command, const cli_option *option)
{
    for (const cli_option *own = command->options; own && own->name; own++)
        if (own != option && strcmp(own->name, option->name) == 0)
            return true;
    return false;
}

const cli_option *cli_command_option_at(const cli_command *command, size_t index)
{
    const cli_option *lists[] = {
        command->options,
        command->takes_backend ? cli_backend_options : NULL,
        cli_global_options,
    };

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (const cli_option *option = lists[i]; option && option->name; option++)
            if (!is_hidden(command, option) && index-- == 0)
                return option;
    return NULL;
}
