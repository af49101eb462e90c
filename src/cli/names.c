/* names.c - comma-separated lists of names. */
#include "cli/args.h"

#include <stdlib.h>

static size_t count_names(const char *list)
{
    size_t count = 1;

    for (; *list; list++)
        count += *list == ',';
    return count;
}

lls_err cli_names_split(const char *list, cli_names *out, lls_error *err)
{
    cli_names made = {0};
    char *rest;

    if (!list)
        return LLS_OK;
    made.memory = strdup(list);
    made.names = calloc(count_names(list), sizeof *made.names);
    if (!made.memory || !made.names) {
        cli_names_fini(&made);
        return lls_fail(err, LLS_E_NOMEM, "read a list of names: out of memory");
    }
    rest = made.memory;
    for (char *name; (name = strsep(&rest, ",")) != NULL;) {
        name += strspn(name, " ");
        name[strcspn(name, " ")] = '\0';
        made.names[made.count++] = name;
    }
    *out = made;
    return LLS_OK;
}

lls_err cli_names_add(cli_names *names, const char *name, lls_error *err)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->names[i], name) == 0)
            return LLS_OK;
    const char **grown = realloc(names->names, (names->count + 1) * sizeof *grown);
    if (!grown)
        return lls_fail(err, LLS_E_NOMEM, "read a list of names: out of memory");
    grown[names->count++] = name;
    names->names = grown;
    return LLS_OK;
}

void cli_names_fini(cli_names *names)
{
    free(names->names);
    free(names->memory);
    *names = (cli_names){0};
}
