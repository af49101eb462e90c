/** commands.h - the commands, each defined in the file of its name. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

extern const cli_command cli_help_command;
extern const cli_command cli_get;
extern const cli_command cli_put;
extern const cli_command cli_delete;
extern const cli_command cli_list;
extern const cli_command cli_history;
extern const cli_command cli_search;
extern const cli_command cli_import;
extern const cli_command cli_export;
extern const cli_command cli_info;
extern const cli_command cli_validate;
extern const cli_command cli_backends;
extern const cli_command cli_config_show;
extern const cli_command cli_config_check;
extern const cli_command cli_schema_status;
extern const cli_command cli_schema_apply;
extern const cli_command cli_migrate_plan;
extern const cli_command cli_migrate_execute;
extern const cli_command cli_migrate_resume;
extern const cli_command cli_migrate_rollback;
extern const cli_command cli_migrate_status;

#endif
