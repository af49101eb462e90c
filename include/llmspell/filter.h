/**
 * filter.h - conditions on the metadata of memories: which of them a search, a list or a removal is
 * about. All conditions hold together.
 */
#ifndef LLMSPELL_FILTER_H
#define LLMSPELL_FILTER_H

#include <llmspell/bytes.h>

LLS_BEGIN_DECLS

typedef enum lls_filter_op {
    LLS_FILTER_EQ,       /**< The member is there and equals `values[0]`. */
    LLS_FILTER_IN,       /**< … equals one of `values`. */
    LLS_FILTER_RANGE,    /**< … is of the bounds' type, and within them: see `low`, `high`. */
    LLS_FILTER_EXISTS,   /**< The member is there, null included. */
    LLS_FILTER_CONTAINS, /**< The member is an array that has an element equal to `values[0]`. */
} lls_filter_op;

/**
 * One condition on the metadata.
 *
 * `path` is the name of a member of the metadata object; one that begins with '/' is a JSON Pointer
 * (RFC 6901). Values are JSON scalars as text: `"user"`, `3`, `true`, `null`. Numbers are equal
 * when their doubles are; strings are equal, and are ordered, byte for byte (UTF-8, unescaped). A
 * value of another type is neither equal nor in a range. Of doubled members the last one counts.
 */
typedef struct lls_filter_term {
    lls_filter_op op;
    lls_str path;
    const lls_str *values; /**< EQ and CONTAINS: one. IN: `value_count`, at least one. */
    size_t value_count;
    lls_str low;    /**< RANGE: a number or a string as JSON; empty: open below. */
    lls_str high;   /**< RANGE: likewise; at least one of the two, of one type. */
    bool low_open;  /**< RANGE: `low` itself does not match. */
    bool high_open; /**< RANGE: `high` itself does not match. */
} lls_filter_term;

/** Microseconds since 1970-01-01 UTC. Both ends belong to it. 0 in both: any time. */
typedef struct lls_time_range {
    int64_t from_usec; /**< 0: open. */
    int64_t to_usec;   /**< 0: open. */
} lls_time_range;

LLS_END_DECLS

#endif
