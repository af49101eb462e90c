/**
 * where.h - conditions on metadata as people write them on the command line:
 *
 *     colour=red,size>=3,tags~new,/deep/flag,kind=a|b
 *
 * A comma stands between conditions. '=' with several values, '|' between them, is "one of"; '~'
 * is "contains"; a path alone is "has". A value is JSON where it can be read as a scalar of it
 * (3, true, null, "a, b"), and text otherwise.
 */
#ifndef CLI_WHERE_H
#define CLI_WHERE_H

#include <llmspell/filter.h>

enum { CLI_WHERE_TERMS = 60, CLI_WHERE_VALUES = 256 };

/** Zeroed, it is empty. Views point into `texts`. */
typedef struct cli_where {
    lls_filter_term terms[CLI_WHERE_TERMS];
    size_t term_count;
    lls_str values[CLI_WHERE_VALUES];
    size_t value_count;
    lls_buf texts;
} cli_where;

/** Read `text`; NULL is no condition. Errors: LLS_E_INVALID with what is wrong. */
lls_err cli_where_parse(const char *text, cli_where *out, lls_error *err) LLS_CHECKED;
void cli_where_fini(cli_where *where);
static inline void cli_where_auto(cli_where *where)
{
    cli_where_fini(where);
}

#endif
