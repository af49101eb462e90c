/** new_file.h - a file that appears when it is whole, and not before. */
#ifndef CLI_NEW_FILE_H
#define CLI_NEW_FILE_H

#include <llmspell/bytes.h>

/** A zeroed one is closed. */
typedef struct cli_new_file {
    int fd;
    const char *path; /**< Borrowed. */
    lls_buf work;     /**< The name until it is whole; empty for a device or a pipe. */
    bool open;
} cli_new_file;

/** Begin `path`, mode 0600. A device or a pipe is written to directly. */
lls_err cli_new_file_open(const char *path, cli_new_file *file, lls_error *err) LLS_CHECKED;

/** Make it durable, and put it in place of what was there. */
lls_err cli_new_file_keep(cli_new_file *file, lls_error *err) LLS_CHECKED;

/** Let go of it; what was not kept leaves no trace. */
void cli_new_file_auto(cli_new_file *file);

#endif
