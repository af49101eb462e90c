/** escape.h - texts from elsewhere, made fit for a terminal or for a shell. */
#ifndef CLI_ESCAPE_H
#define CLI_ESCAPE_H

#include <llmspell/bytes.h>

/** Append `bytes` so that they cannot move a cursor: what is no printable UTF-8 becomes \xHH. */
void cli_escape(lls_bytes bytes, lls_buf *out);

/** The same for a cell of a table, which escapes by itself most of what is no printable UTF-8. */
void cli_escape_cell(lls_bytes bytes, lls_buf *out);

/** Append `word` as a shell takes it: as it is, or in single quotes. */
void cli_shell_quote(const char *word, lls_buf *out);

#endif
