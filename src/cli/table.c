#include "cli/table.h"

#include "cli/scope.h"

#include <libsmartcols.h>
#include <stdio.h>

static lls_err no_memory(lls_error *err)
{
    return lls_fail(err, LLS_E_NOMEM, "print a table: out of memory");
}

static lls_err add_columns(cli_table *table, const cli_column *columns, lls_error *err)
{
    static const int flags[] = {
        [CLI_LEFT] = 0, [CLI_RIGHT] = SCOLS_FL_RIGHT, [CLI_WRAP] = SCOLS_FL_WRAP};

    for (; columns->name; columns++)
        if (!scols_table_new_column(table, columns->name, 0, flags[columns->align]))
            return no_memory(err);
    return LLS_OK;
}

lls_err cli_table_open(const cli_column *columns, const cli_output *out, cli_table **table,
                       lls_error *err)
{
    cli_table *made = scols_new_table();
    lls_err e;

    if (!made)
        return no_memory(err);
    e = add_columns(made, columns, err);
    if (e == LLS_OK && scols_table_set_stream(made, stdout) != 0)
        e = no_memory(err);
    (void)scols_table_enable_ascii(made, !out->utf8);
    if (e == LLS_OK)
        *table = made;
    else
        scols_unref_table(made);
    return e;
}

lls_err cli_table_add(cli_table *table, const char *const *cells, lls_error *err)
{
    struct libscols_line *line = scols_table_new_line(table, NULL);

    if (!line)
        return no_memory(err);
    for (size_t i = 0; i < scols_table_get_ncols(table); i++)
        if (cells[i] && scols_line_set_data(line, i, cells[i]) != 0)
            return no_memory(err);
    return LLS_OK;
}

lls_err cli_table_print(cli_table *table, lls_error *err)
{
    if (scols_table_get_nlines(table) > 0 && scols_print_table(table) != 0 && !ferror(stdout))
        return no_memory(err);
    return LLS_OK;
}

void cli_table_close(cli_table *table)
{
    if (table)
        scols_unref_table(table);
}
