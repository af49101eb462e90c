#include "migrate/yaml_read.h"

#include "base/hash.h"
#include "base/scope.h"
#include "base/time.h"

#include <assert.h>
#include <stdio.h>
#include <yaml.h>

/* Fields that a mapping may have: one bit each. */
enum { FIELDS_MAX = 32 };

typedef struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one; zeroed when there is none */
    const char *name;
    lls_texts *texts;
} reader;

static void reader_auto(reader *r)
{
    yaml_event_delete(&r->event);
    yaml_parser_delete(&r->parser);
}

/* Put "file:line:column: " before what `err` says already. */
static lls_err at_mark(const reader *r, yaml_mark_t mark, lls_err e, lls_error *err)
{
    return lls_wrap(err, e, "%s:%zu:%zu", r->name, mark.line + 1, mark.column + 1);
}

static lls_err not_yaml(const reader *r, lls_error *err)
{
    const yaml_parser_t *p = &r->parser;

    if (p->error == YAML_MEMORY_ERROR)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    (void)lls_fail(err, LLS_E_PARSE, "%s", p->problem ? p->problem : "not a YAML document");
    return at_mark(r, p->problem_mark, LLS_E_PARSE, err);
}

static lls_err next(reader *r, lls_error *err)
{
    yaml_event_delete(&r->event);
    if (!yaml_parser_parse(&r->parser, &r->event))
        return not_yaml(r, err);

    const yaml_event_t *ev = &r->event;
    const char *refused = NULL;
    if (ev->type == YAML_ALIAS_EVENT || (ev->type == YAML_SCALAR_EVENT && ev->data.scalar.anchor) ||
        (ev->type == YAML_MAPPING_START_EVENT && ev->data.mapping_start.anchor) ||
        (ev->type == YAML_SEQUENCE_START_EVENT && ev->data.sequence_start.anchor))
        refused = "anchors and aliases are not accepted here";
    if ((ev->type == YAML_SCALAR_EVENT && ev->data.scalar.tag) ||
        (ev->type == YAML_MAPPING_START_EVENT && ev->data.mapping_start.tag) ||
        (ev->type == YAML_SEQUENCE_START_EVENT && ev->data.sequence_start.tag))
        refused = "tags are not accepted here";
    if (!refused)
        return LLS_OK;
    return at_mark(r, ev->start_mark, lls_fail(err, LLS_E_INVALID, "%s", refused), err);
}

static lls_str scalar_text(const reader *r)
{
    return (lls_str){(const char *)r->event.data.scalar.value, r->event.data.scalar.length};
}

static bool is_null(const reader *r)
{
    lls_str s = scalar_text(r);

    return r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (s.len == 0 || lls_str_eq(s, LLS_STR("~")) || lls_str_eq(s, LLS_STR("null")));
}

static lls_err read_text(reader *r, const lls_yaml_field *field, void *value, lls_error *err)
{
    lls_str s = scalar_text(r);

    if (s.len == 0)
        return lls_fail(err, LLS_E_INVALID, "'%s' must not be empty", field->name);
    if (memchr(s.data, 0, s.len))
        return lls_fail(err, LLS_E_INVALID, "'%s' has a NUL in it", field->name);
    const char *kept = lls_texts_add(r->texts, s);
    if (!kept)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    *(const char **)value = kept;
    return LLS_OK;
}

static lls_err read_count(const reader *r, const lls_yaml_field *field, uint64_t *value,
                          lls_error *err)
{
    lls_str s = scalar_text(r);
    bool good = s.len > 0 && s.len < 20;
    uint64_t n = 0;

    for (size_t i = 0; good && i < s.len; i++) {
        good = s.data[i] >= '0' && s.data[i] <= '9';
        n = n * 10 + (uint64_t)(s.data[i] - '0');
    }
    if (!good || n < field->min || n > field->max)
        return lls_fail(err, LLS_E_INVALID, "'%s' must be a number from %llu to %llu, not '%.40s'",
                        field->name, (unsigned long long)field->min, (unsigned long long)field->max,
                        s.data);
    *value = n;
    return LLS_OK;
}

static lls_err read_bool(const reader *r, const lls_yaml_field *field, bool *value, lls_error *err)
{
    lls_str s = scalar_text(r);
    bool yes = lls_str_eq(s, LLS_STR("true"));

    if (!yes && !lls_str_eq(s, LLS_STR("false")))
        return lls_fail(err, LLS_E_INVALID, "'%s' must be true or false, not '%.40s'", field->name,
                        s.data);
    *value = yes;
    return LLS_OK;
}

static lls_err read_scalar(reader *r, const lls_yaml_field *field, void *value, lls_error *err)
{
    lls_err e = LLS_E_INTERNAL;

    switch (field->type) {
    case LLS_YAML_TEXT:
        return read_text(r, field, value, err);
    case LLS_YAML_COUNT:
        return read_count(r, field, value, err);
    case LLS_YAML_BOOL:
        return read_bool(r, field, value, err);
    case LLS_YAML_TIME:
        e = lls_time_parse(scalar_text(r), value, err);
        break;
    case LLS_YAML_DIGEST:
        e = lls_digest_parse(scalar_text(r), value, err);
        break;
    case LLS_YAML_MAPPING:
    case LLS_YAML_LIST:
        break;
    }
    return e == LLS_OK ? e : lls_wrap(err, LLS_E_INVALID, "'%s'", field->name);
}

static lls_err read_mapping(reader *r, const lls_yaml_field *fields, void *into, lls_error *err);

static lls_err read_list(reader *r, const lls_yaml_field *field, void *into, lls_error *err)
{
    size_t *count = (size_t *)(void *)((char *)into + field->count_offset);
    yaml_mark_t start = r->event.start_mark;

    LLS_TRY(next(r, err));
    for (*count = 0; r->event.type != YAML_SEQUENCE_END_EVENT; *count += 1) {
        if (*count == field->max)
            return at_mark(r, r->event.start_mark,
                           lls_fail(err, LLS_E_INVALID, "'%s' has more than %llu entries",
                                    field->name, (unsigned long long)field->max),
                           err);
        char *element = (char *)into + field->offset + *count * field->size;
        LLS_TRY(read_mapping(r, field->fields, element, err));
        LLS_TRY(next(r, err));
    }
    if (*count == 0)
        return at_mark(r, start,
                       lls_fail(err, LLS_E_INVALID, "'%s' must not be empty", field->name), err);
    return LLS_OK;
}

/* Of the event that is current; afterwards, the last event of the value is. */
static lls_err read_value(reader *r, const lls_yaml_field *field, void *into, lls_error *err)
{
    void *value = (char *)into + field->offset;
    yaml_mark_t mark = r->event.start_mark;
    lls_err e;

    if (field->type == LLS_YAML_MAPPING)
        return read_mapping(r, field->fields, value, err);
    if (field->type == LLS_YAML_LIST && r->event.type == YAML_SEQUENCE_START_EVENT) {
        LLS_TRY(read_list(r, field, into, err));
        e = field->check ? field->check(into, err) : LLS_OK;
        return e == LLS_OK ? e : at_mark(r, mark, e, err);
    }
    if (field->type == LLS_YAML_LIST || r->event.type != YAML_SCALAR_EVENT)
        return at_mark(r, mark,
                       lls_fail(err, LLS_E_INVALID, "'%s' must be a %s", field->name,
                                field->type == LLS_YAML_LIST ? "list" : "single value"),
                       err);
    if (field->optional && is_null(r))
        return LLS_OK;
    e = read_scalar(r, field, value, err);
    if (e == LLS_OK && field->check)
        e = field->check(value, err);
    return e == LLS_OK ? e : at_mark(r, mark, e, err);
}

static lls_err unknown_field(const reader *r, const lls_yaml_field *fields, lls_error *err)
{
    LLS_AUTO(lls_buf) known = {0};

    for (const lls_yaml_field *f = fields; f->name; f++)
        lls_buf_printf(&known, "%s%s", f == fields ? "" : ", ", f->name);
    LLS_TRY(lls_buf_status(&known, err));
    (void)lls_fail(err, LLS_E_INVALID, "unknown field '%.60s' (known: %s)", scalar_text(r).data,
                   lls_buf_cstr(&known));
    return at_mark(r, r->event.start_mark, LLS_E_INVALID, err);
}

static lls_err read_field(reader *r, const lls_yaml_field *fields, uint32_t *seen, void *into,
                          lls_error *err)
{
    const lls_yaml_field *field = fields;

    if (r->event.type != YAML_SCALAR_EVENT)
        return at_mark(r, r->event.start_mark,
                       lls_fail(err, LLS_E_INVALID, "the name of a field must be text"), err);
    while (field->name && !lls_str_eq(lls_str_of(field->name), scalar_text(r)))
        field++;
    if (!field->name)
        return unknown_field(r, fields, err);

    uint32_t bit = 1u << (field - fields);
    if (*seen & bit)
        return at_mark(r, r->event.start_mark,
                       lls_fail(err, LLS_E_INVALID, "'%s' stands here twice", field->name), err);
    *seen |= bit;
    LLS_TRY(next(r, err));
    return read_value(r, field, into, err);
}

static lls_err read_mapping(reader *r, const lls_yaml_field *fields, void *into, lls_error *err)
{
    yaml_mark_t start = r->event.start_mark;
    uint32_t seen = 0;

    if (r->event.type != YAML_MAPPING_START_EVENT)
        return at_mark(r, start, lls_fail(err, LLS_E_INVALID, "fields are expected here"), err);
    LLS_TRY(next(r, err));
    while (r->event.type != YAML_MAPPING_END_EVENT) {
        LLS_TRY(read_field(r, fields, &seen, into, err));
        LLS_TRY(next(r, err));
    }
    for (const lls_yaml_field *f = fields; f->name; f++) {
        assert(f - fields < FIELDS_MAX);
        if (!f->optional && !(seen & (1u << (f - fields))))
            return at_mark(r, start, lls_fail(err, LLS_E_INVALID, "'%s' is missing here", f->name),
                           err);
    }
    return LLS_OK;
}

lls_err lls_yaml_read(lls_str text, const char *name, const lls_yaml_field *fields, void *into,
                      lls_texts *texts, lls_error *err)
{
    LLS_AUTO(reader) r = {.name = name, .texts = texts};

    if (!yaml_parser_initialize(&r.parser))
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.data ? text.data : ""),
                                 text.len);
    LLS_TRY(next(&r, err)); // the start of the stream
    LLS_TRY(next(&r, err)); // the start of the document, if there is one
    if (r.event.type == YAML_STREAM_END_EVENT)
        return lls_fail(err, LLS_E_INVALID, "%s: the file is empty", name);
    LLS_TRY(next(&r, err));
    LLS_TRY(read_mapping(&r, fields, into, err));
    LLS_TRY(next(&r, err)); // the end of the document
    LLS_TRY(next(&r, err));
    if (r.event.type != YAML_STREAM_END_EVENT)
        return at_mark(&r, r.event.start_mark,
                       lls_fail(err, LLS_E_INVALID, "a second document is not accepted here"), err);
    return LLS_OK;
}
