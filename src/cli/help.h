/** help.h - the usage texts, made from the tables of the commands. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/command.h"

/** Print the help of a command or a group to stdout. */
void cli_help_print(const cli_command *command, const cli_output *out);

#endif
