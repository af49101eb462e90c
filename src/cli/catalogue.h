/** catalogue.h - every command of the program, and the groups that they are in. */
#ifndef CLI_CATALOGUE_H
#define CLI_CATALOGUE_H

#include "cli/command.h"

/** The `index`th command or group, a group before what is in it; NULL behind the last. */
const cli_command *cli_command_at(size_t index);

/** The command or group called `word` in `group`; NULL when there is none. */
const cli_command *cli_command_find(const cli_command *group, const char *word);

/** Whether `command` is directly in `group`. `*word` is its last word then. */
bool cli_command_is_in(const cli_command *command, const cli_command *group, const char **word);

/** The `index`th option that `command` takes, its own first; NULL behind the last. */
const cli_option *cli_command_option_at(const cli_command *command, size_t index);

#endif
