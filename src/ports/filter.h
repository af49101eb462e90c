/**
 * filter.h - which records of the vector port are meant: conditions on metadata, scope and times.
 *
 * All conditions hold together (AND). A filter is plain data that borrows its texts; check it once
 * with lls_filter_check, then it may be asked about any number of records, by any thread.
 */
#ifndef LLS_PORTS_FILTER_H
#define LLS_PORTS_FILTER_H

#include <llmspell/filter.h>

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
