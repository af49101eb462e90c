/** table.h - a table on stdout, as lsblk and findmnt print theirs. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "cli/command.h"

typedef struct libscols_table cli_table;

typedef enum cli_align {
    CLI_LEFT,
    CLI_RIGHT,
    CLI_WRAP, /**< On a narrow terminal this column breaks its lines. */
} cli_align;

/** One column; a list of them ends with one that has no name. */
typedef struct cli_column {
    const char *name;
    cli_align align;
} cli_column;

/** Owns: the caller closes `*table` with cli_table_close. */
lls_err cli_table_open(const cli_column *columns, const cli_output *out, cli_table **table,
                       lls_error *err) LLS_CHECKED;

/** Add a row: a text for each column, copied; NULL is an empty cell. */
lls_err cli_table_add(cli_table *table, const char *const *cells, lls_error *err) LLS_CHECKED;

/** Print it; without rows nothing. */
lls_err cli_table_print(cli_table *table, lls_error *err) LLS_CHECKED;

void cli_table_close(cli_table *table); /**< NULL is fine. */

typedef cli_table *cli_table_ref;

static inline void cli_table_ref_auto(cli_table_ref *table)
{
    cli_table_close(*table);
}

#endif
