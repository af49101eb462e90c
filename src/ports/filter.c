#include "ports/filter.h"

#include "base/json.h"
#include "base/scope.h"

/* A scalar of a filter or of a record, ready to be compared. */
typedef struct scalar {
    lls_json_type type;
    double number;
    bool truth;
    lls_str text; /* of a string: unescaped */
} scalar;

/* Read a JSON scalar; strings with escapes are resolved into `room`. */
static lls_err read_scalar(lls_json_value value, lls_buf *room, scalar *out, lls_error *err)
{
    *out = (scalar){.type = value.type};
    switch (value.type) {
    case LLS_JSON_NUMBER:
        return lls_json_number(value.text, &out->number, err);
    case LLS_JSON_BOOL:
        out->truth = value.text.data[0] == 't';
        return LLS_OK;
    case LLS_JSON_STRING:
        if (!memchr(value.text.data, '\\', value.text.len)) {
            out->text = (lls_str){value.text.data + 1, value.text.len - 2};
            return LLS_OK;
        }
        lls_buf_clear(room);
        lls_json_unescape(value.text, room);
        out->text = lls_buf_str(room);
        return lls_buf_status(room, err);
    default:
        return LLS_OK;
    }
}

static bool is_container(lls_json_type type)
{
    return type == LLS_JSON_ARRAY || type == LLS_JSON_OBJECT;
}

static bool equal(const scalar *a, const scalar *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case LLS_JSON_NULL:
        return true;
    case LLS_JSON_BOOL:
        return a->truth == b->truth;
    case LLS_JSON_NUMBER:
        return a->number == b->number;
    case LLS_JSON_STRING:
        return lls_str_eq(a->text, b->text);
    default:
        return false; // containers equal nothing
    }
}

static int compare(const scalar *a, const scalar *b)
{
    if (a->type == LLS_JSON_STRING)
        return lls_bytes_cmp(lls_bytes_of(a->text), lls_bytes_of(b->text));
    return (a->number > b->number) - (a->number < b->number);
}

static lls_err bad(const lls_filter_term *term, const char *what, lls_error *err)
{
    return lls_fail(err, LLS_E_INVALID, "filter on '" LLS_FMT "': %s", LLS_ARG(term->path), what);
}

static lls_err check_value(const lls_filter_term *term, lls_str text, lls_json_value *out,
                           lls_error *err)
{
    lls_error why = {0};

    if (lls_json_check(text, out, &why) != LLS_OK)
        return lls_fail(err, LLS_E_INVALID,
                        "filter on '" LLS_FMT "': '" LLS_FMT "' is not JSON: %s",
                        LLS_ARG(term->path), LLS_ARG(text), why.msg);
    if (is_container(out->type))
        return bad(term, "a value is an array or an object", err);
    return LLS_OK;
}

static lls_err check_values(const lls_filter_term *term, lls_error *err)
{
    size_t most = term->op == LLS_FILTER_IN ? LLS_FILTER_VALUES_MAX : 1;
    lls_json_value value;

    if (term->value_count == 0)
        return bad(term, "a value is missing", err);
    if (term->value_count > most)
        return bad(term, "too many values", err);
    for (size_t i = 0; i < term->value_count; i++)
        LLS_TRY(check_value(term, term->values[i], &value, err));
    return LLS_OK;
}

static lls_err check_bound(const lls_filter_term *term, lls_str bound, lls_json_type *type,
                           lls_error *err)
{
    lls_json_value value;

    LLS_TRY(check_value(term, bound, &value, err));
    if (value.type != LLS_JSON_NUMBER && value.type != LLS_JSON_STRING)
        return bad(term, "a bound is neither a number nor a string", err);
    *type = value.type;
    return LLS_OK;
}

static lls_err check_range(const lls_filter_term *term, lls_error *err)
{
    lls_json_type low = LLS_JSON_NULL;
    lls_json_type high = LLS_JSON_NULL;

    if (term->low.len == 0 && term->high.len == 0)
        return bad(term, "a range without bounds", err);
    if (term->low.len > 0)
        LLS_TRY(check_bound(term, term->low, &low, err));
    if (term->high.len > 0)
        LLS_TRY(check_bound(term, term->high, &high, err));
    if (term->low.len > 0 && term->high.len > 0 && low != high)
        return bad(term, "the bounds are a number and a string", err);
    return LLS_OK;
}

/* RFC 6901: '~' stands before 0 or 1 only. */
static lls_err check_path(const lls_filter_term *term, lls_error *err)
{
    lls_str path = term->path;

    if (!lls_utf8_check(lls_bytes_of(path)))
        return lls_fail(err, LLS_E_INVALID, "filter on a path that is not UTF-8");
    if (path.len == 0 || path.data[0] != '/')
        return LLS_OK;
    for (size_t i = 0; i < path.len; i++)
        if (path.data[i] == '~' &&
            (i + 1 == path.len || (path.data[i + 1] != '0' && path.data[i + 1] != '1')))
            return bad(term, "'~' is followed by neither 0 nor 1", err);
    return LLS_OK;
}

static lls_err check_term(const lls_filter_term *term, lls_error *err)
{
    LLS_TRY(check_path(term, err));
    switch (term->op) {
    case LLS_FILTER_EXISTS:
        return LLS_OK;
    case LLS_FILTER_RANGE:
        return check_range(term, err);
    case LLS_FILTER_EQ:
    case LLS_FILTER_IN:
    case LLS_FILTER_CONTAINS:
        return check_values(term, err);
    }
    return bad(term, "an unknown operation", err);
}

lls_err lls_filter_check(const lls_filter *filter, lls_error *err)
{
    if (!filter)
        return LLS_OK;
    if (filter->term_count > LLS_FILTER_TERMS_MAX)
        return lls_fail(err, LLS_E_INVALID, "filter of %zu conditions; the limit is %d",
                        filter->term_count, LLS_FILTER_TERMS_MAX);
    if (filter->scope_count > LLS_FILTER_VALUES_MAX)
        return lls_fail(err, LLS_E_INVALID, "filter on %zu scopes; the limit is %d",
                        filter->scope_count, LLS_FILTER_VALUES_MAX);
    for (size_t i = 0; i < filter->term_count; i++)
        LLS_TRY(check_term(&filter->terms[i], err));
    return LLS_OK;
}

/* The index that a pointer's token stands for in an array, or false. */
static bool array_index(lls_str token, size_t *out)
{
    size_t index = 0;

    if (token.len == 0 || token.len > 9 || (token.len > 1 && token.data[0] == '0'))
        return false;
    for (size_t i = 0; i < token.len; i++) {
        if (token.data[i] < '0' || token.data[i] > '9')
            return false;
        index = index * 10 + (size_t)(token.data[i] - '0');
    }
    *out = index;
    return true;
}

static bool element(lls_json_value array, lls_str token, lls_json_value *out)
{
    lls_json_walk walk = lls_json_walk_begin(array);
    lls_str name;
    size_t index;

    if (!array_index(token, &index))
        return false;
    while (lls_json_walk_next(&walk, &name, out))
        if (index-- == 0)
            return true;
    return false;
}

static void add_token(lls_str raw, lls_buf *out)
{
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.data[i];
        if (c == '~')
            c = raw.data[++i] == '0' ? '~' : '/';
        lls_buf_add(out, (lls_bytes){(const uint8_t *)&c, 1});
    }
}

/* Follow a JSON Pointer, one token at a time. */
static lls_err follow(lls_json_value from, lls_str pointer, bool *found, lls_json_value *out,
                      lls_error *err)
{
    LLS_AUTO(lls_buf) token = {0};
    const char *at = pointer.data;
    const char *end = at + pointer.len;

    *found = true;
    while (*found && at < end) {
        const char *from_here = at + 1; // behind the '/'
        const char *slash = memchr(from_here, '/', (size_t)(end - from_here));
        at = slash ? slash : end;
        lls_buf_clear(&token);
        add_token((lls_str){from_here, (size_t)(at - from_here)}, &token);
        LLS_TRY(lls_buf_status(&token, err));
        if (from.type == LLS_JSON_ARRAY)
            *found = element(from, lls_buf_str(&token), &from);
        else
            *found = lls_json_member(from, lls_buf_str(&token), &from);
    }
    *out = from;
    return LLS_OK;
}

static lls_err resolve(lls_json_value metadata, lls_str path, bool *found, lls_json_value *out,
                       lls_error *err)
{
    if (path.len > 0 && path.data[0] == '/')
        return follow(metadata, path, found, out, err);
    *found = lls_json_member(metadata, path, out);
    return LLS_OK;
}

static lls_err equals_any(const lls_filter_term *term, const scalar *subject, bool *match,
                          lls_error *err)
{
    LLS_AUTO(lls_buf) room = {0};
    lls_json_value value;
    scalar wanted;

    for (size_t i = 0; i < term->value_count && !*match; i++) {
        LLS_TRY(lls_json_check(term->values[i], &value, err));
        LLS_TRY(read_scalar(value, &room, &wanted, err));
        *match = equal(&wanted, subject);
    }
    return LLS_OK;
}

/* Whether `subject` is on the right side of `bound`; `sign` is 1 for a lower bound. */
static lls_err within(lls_str bound, bool open, int sign, const scalar *subject, bool *match,
                      lls_error *err)
{
    LLS_AUTO(lls_buf) room = {0};
    lls_json_value value;
    scalar limit;

    if (bound.len == 0)
        return LLS_OK;
    LLS_TRY(lls_json_check(bound, &value, err));
    LLS_TRY(read_scalar(value, &room, &limit, err));
    if (limit.type != subject->type) {
        *match = false;
        return LLS_OK;
    }
    int side = compare(subject, &limit) * sign;
    *match = *match && (open ? side > 0 : side >= 0);
    return LLS_OK;
}

static lls_err contains(const lls_filter_term *term, lls_json_value array, bool *match,
                        lls_error *err)
{
    LLS_AUTO(lls_buf) room = {0};
    lls_json_value value;
    lls_str name;
    scalar subject;

    if (array.type != LLS_JSON_ARRAY)
        return LLS_OK;
    lls_json_walk walk = lls_json_walk_begin(array);
    while (!*match && lls_json_walk_next(&walk, &name, &value)) {
        LLS_TRY(read_scalar(value, &room, &subject, err));
        LLS_TRY(equals_any(term, &subject, match, err));
    }
    return LLS_OK;
}

static lls_err match_term(const lls_filter_term *term, lls_json_value metadata, bool *match,
                          lls_error *err)
{
    LLS_AUTO(lls_buf) room = {0};
    lls_json_value value;
    scalar subject;

    LLS_TRY(resolve(metadata, term->path, match, &value, err));
    if (!*match || term->op == LLS_FILTER_EXISTS)
        return LLS_OK;
    if (term->op == LLS_FILTER_CONTAINS) {
        *match = false;
        return contains(term, value, match, err);
    }
    LLS_TRY(read_scalar(value, &room, &subject, err));
    if (term->op == LLS_FILTER_RANGE) {
        LLS_TRY(within(term->low, term->low_open, 1, &subject, match, err));
        return within(term->high, term->high_open, -1, &subject, match, err);
    }
    *match = false;
    return equals_any(term, &subject, match, err);
}

static bool in_time(lls_time_range range, int64_t usec)
{
    return (range.from_usec == 0 || usec >= range.from_usec) &&
           (range.to_usec == 0 || usec <= range.to_usec);
}

static bool in_scope(const lls_filter *filter, lls_str scope)
{
    for (size_t i = 0; i < filter->scope_count; i++)
        if (lls_str_eq(filter->scopes[i], scope))
            return true;
    return filter->scope_count == 0;
}

lls_err lls_filter_match(const lls_filter *filter, const lls_filter_subject *subject,
                         int64_t now_usec, bool *match, lls_error *err)
{
    static const lls_filter everything = {0};
    lls_json_value metadata;

    if (!filter)
        filter = &everything;
    *match = (filter->include_expired || subject->expires_usec == 0 ||
              subject->expires_usec > now_usec) &&
             in_scope(filter, subject->scope) && in_time(filter->event, subject->event_usec) &&
             in_time(filter->ingestion, subject->ingestion_usec);
    if (!*match || filter->term_count == 0)
        return LLS_OK;

    lls_str text = subject->metadata.len ? subject->metadata : LLS_STR("{}");
    if (lls_json_check(text, &metadata, NULL) != LLS_OK || metadata.type != LLS_JSON_OBJECT)
        return lls_fail(err, LLS_E_CORRUPT, "metadata is not a JSON object");
    for (size_t i = 0; i < filter->term_count && *match; i++)
        LLS_TRY(match_term(&filter->terms[i], metadata, match, err));
    return LLS_OK;
}
