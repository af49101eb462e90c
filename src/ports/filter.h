/**
 * filter.h - which records of the vector port are meant: conditions on metadata, scope and times.
 *
 * All conditions hold together (AND). A filter is plain data that borrows its texts; check it once
 * with lls_filter_check, then it may be asked about any number of records, by any thread.
 */
#ifndef LLS_PORTS_FILTER_H
#define LLS_PORTS_FILTER_H

#include <llmspell/bytes.h>

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

/** Both ends belong to it. 0 in both: any time. */
typedef struct lls_time_range {
    int64_t from_usec; /**< 0: open. */
    int64_t to_usec;   /**< 0: open. */
} lls_time_range;

typedef struct lls_filter {
    const lls_filter_term *terms;
    size_t term_count;
    const lls_str *scopes; /**< Records of any of these; none given: of every scope. */
    size_t scope_count;
    lls_time_range event;     /**< When it happened. */
    lls_time_range ingestion; /**< When it was stored first. */
    bool include_expired;     /**< Otherwise records that have expired are not there. */
} lls_filter;

enum { LLS_FILTER_TERMS_MAX = 64, LLS_FILTER_VALUES_MAX = 1024 };

/** What a filter looks at in one record. */
typedef struct lls_filter_subject {
    lls_str scope;
    lls_str metadata; /**< A JSON object, or empty for {}. */
    int64_t event_usec;
    int64_t ingestion_usec;
    int64_t expires_usec; /**< 0: never. */
} lls_filter_subject;

/** Errors: LLS_E_INVALID naming the path: a value that is no JSON scalar, no bound, too many. */
lls_err lls_filter_check(const lls_filter *filter, lls_error *err) LLS_CHECKED;

/**
 * Whether `subject` is meant at `now_usec`. `filter` NULL: everything that has not expired. The
 * filter was checked. Errors: LLS_E_NOMEM; LLS_E_CORRUPT when the metadata is no JSON object.
 */
lls_err lls_filter_match(const lls_filter *filter, const lls_filter_subject *subject,
                         int64_t now_usec, bool *match, lls_error *err) LLS_CHECKED;

#endif
