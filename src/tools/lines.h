/**
 * lines.h - reads lines of any length up to a limit from a file, a pipe or a terminal, holding no
 * more than one line and one block.
 */
#ifndef LLS_TOOLS_LINES_H
#define LLS_TOOLS_LINES_H

#include <llmspell/record.h>

/* The longest line: the largest value in base64, and room for a key and the members around it. */
#define LLS_LINE_MAX (LLS_VALUE_MAX / 3 * 4 + 16384)

/** Zeroed but for `fd` and `cancel`. Owns only its memory: lls_lines_fini. */
typedef struct lls_lines {
    int fd;
    const volatile int *cancel; /**< Looked at when a signal interrupts a read. May be NULL. */
    size_t max;                 /**< Longest line in bytes; 0: LLS_LINE_MAX. */
    uint64_t number;            /**< Of the line that was read last, from 1. */
    uint64_t bytes;             /**< Read so far. */
    lls_buf buf;
    size_t begin;   /**< Where in `buf` the next line begins. */
    size_t scanned; /**< Up to where `buf` is known to hold no line break. */
    bool ended;
} lls_lines;

/**
 * The next line, without its "\n" or "\r\n"; the last one may lack it. The view lives until the
 * next call. LLS_END at the end of the file.
 *
 * Errors: LLS_E_PARSE for a byte order mark or a line that is too long, with the line's number;
 * LLS_E_CANCELLED; LLS_E_IO.
 */
lls_err lls_lines_next(lls_lines *lines, lls_str *line, lls_error *err) LLS_CHECKED;

void lls_lines_fini(lls_lines *lines);

static inline void lls_lines_auto(lls_lines *lines)
{
    lls_lines_fini(lines);
}

#endif
