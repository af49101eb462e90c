#include "cli/exit.h"

#include <stddef.h>

typedef struct exit_row {
    lls_err code;
    int status;
    const char *name;
} exit_row;

static const exit_row rows[] = {
    {LLS_OK, 0, "ok"},
    {LLS_E_IO, 1, "io"},
    {LLS_E_NOMEM, 1, "out_of_memory"},
    {LLS_E_INTERNAL, 1, "internal"},
    // 2 is for calls that could not be understood.
    {LLS_E_NOTFOUND, 3, "not_found"},
    {LLS_E_EXISTS, 4, "exists"},
    {LLS_E_CONFLICT, 4, "conflict"},
    {LLS_E_INVALID, 5, "invalid"},
    {LLS_E_PARSE, 5, "malformed"},
    {LLS_E_UNAVAILABLE, 6, "unavailable"},
    {LLS_E_DENIED, 7, "denied"},
    {LLS_E_FULL, 8, "full"},
    {LLS_E_CORRUPT, 9, "corrupt"},
    {LLS_E_MISMATCH, 10, "mismatch"},
    {LLS_E_BUSY, 11, "busy"},
    {LLS_E_UNSUPPORTED, 12, "unsupported"},
    {LLS_E_NEWER, 12, "newer"},
    {LLS_E_CANCELLED, 130, "cancelled"},
};

static const exit_row *find(lls_err code)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == code)
            return &rows[i];
    return NULL;
}

int cli_exit_status(lls_err code)
{
    const exit_row *row = find(code);

    return row ? row->status : CLI_EXIT_FAILURE;
}

const char *cli_exit_name(lls_err code)
{
    const exit_row *row = find(code);

    return row ? row->name : "failure";
}
