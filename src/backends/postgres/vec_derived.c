#include "backends/postgres/vec_derived.h"

#include "backends/postgres/value.h"
#include "base/json.h"
#include "base/scope.h"
#include "text/tokenize.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_MAX = 40 /* characters of a number that PostgreSQL is bothered with */ };

static int64_t as_int8(lls_digest d)
{
    return (int64_t)d.low;
}

static lls_bytes digest_bytes(const lls_digest *d)
{
    return (lls_bytes){(const uint8_t *)d, sizeof(*d)};
}

static lls_digest hash_in(lls_kv_space coll, lls_str what, lls_bytes bytes)
{
    lls_bytes parts[] = {lls_bytes_of(what), lls_bytes_of(coll.tenant), lls_bytes_of(coll.coll),
                         bytes};

    return lls_digest_of(parts, LLS_COUNT(parts));
}

int64_t lls_pg_word_hash(lls_kv_space coll, lls_str word)
{
    return as_int8(hash_in(coll, LLS_STR("word"), lls_bytes_of(word)));
}

int64_t lls_pg_facet_anything(lls_kv_space coll)
{
    return as_int8(hash_in(coll, LLS_STR("anything"), (lls_bytes){0}));
}

lls_digest lls_pg_place_root(lls_kv_space coll)
{
    return hash_in(coll, LLS_STR("metadata"), (lls_bytes){0});
}

lls_digest lls_pg_place_below(lls_digest place, lls_str token)
{
    lls_bytes parts[] = {digest_bytes(&place), lls_bytes_of(LLS_STR("/")), lls_bytes_of(token)};

    return lls_digest_of(parts, LLS_COUNT(parts));
}

/* The bytes that two scalars have in common exactly when a filter finds them equal. */
static lls_err comparable(lls_json_value value, lls_buf *out, lls_error *err)
{
    double number;

    lls_buf_clear(out);
    if (value.type == LLS_JSON_STRING) {
        lls_json_unescape(value.text, out);
    } else if (value.type == LLS_JSON_NUMBER) {
        LLS_TRY(lls_json_number(value.text, &number, err));
        if (number == 0)
            number = 0; // minus zero is zero
        lls_buf_add(out, (lls_bytes){(const uint8_t *)&number, sizeof(number)});
    } else {
        lls_buf_add_str(out, value.text); // true, false, null
    }
    return lls_buf_status(out, err);
}

static lls_err facet_of(lls_digest place, lls_filter_op op, const lls_json_value *value,
                        lls_buf *room, int64_t *out, lls_error *err)
{
    uint8_t kind[2] = {(uint8_t)op, value ? (uint8_t)value->type : 0};
    lls_bytes parts[3] = {digest_bytes(&place), {kind, sizeof(kind)}};

    if (value) {
        LLS_TRY(comparable(*value, room, err));
        parts[2] = lls_buf_view(room);
    }
    *out = as_int8(lls_digest_of(parts, LLS_COUNT(parts)));
    return LLS_OK;
}

lls_err lls_pg_facet(lls_digest place, lls_filter_op op, lls_str scalar, int64_t *out,
                     lls_error *err)
{
    LLS_AUTO(lls_buf) room = {0};
    lls_json_value value;

    if (op == LLS_FILTER_EXISTS)
        return facet_of(place, op, NULL, &room, out, err);
    LLS_TRY(lls_json_check(scalar, &value, err));
    return facet_of(place, op == LLS_FILTER_IN ? LLS_FILTER_EQ : op, &value, &room, out, err);
}

void lls_pg_ordered_name(lls_digest place, char out[17])
{
    (void)snprintf(out, 17, "%016llx", (unsigned long long)place.low);
}

/* The first characters, up to a NUL, which no text of PostgreSQL can have. */
static void add_beginning(lls_str text, lls_buf *out)
{
    size_t len = 0;
    int characters = 0;

    while (len < text.len && text.data[len] != '\0') {
        bool begins = ((uint8_t)text.data[len] & 0xc0) != 0x80;
        if (begins && ++characters > LLS_PG_ORDERED_MAX)
            break;
        len++;
    }
    lls_buf_add_str(out, (lls_str){text.data, len});
}

/* What PostgreSQL would refuse as out of range is brought into it. */
static bool add_number(lls_str text, lls_buf *out)
{
    double number;

    if (text.len > NUMBER_MAX || lls_json_number(text, &number, NULL) != LLS_OK)
        return false;
    if (isinf(number))
        lls_buf_add_text(out, number > 0 ? "1.7976931348623157e308" : "-1.7976931348623157e308");
    else if (fabs(number) < DBL_MIN)
        lls_buf_add_text(out, "0");
    else
        lls_buf_add_str(out, text);
    return true;
}

static bool add_ordered(lls_json_value value, lls_buf *out)
{
    LLS_AUTO(lls_buf) plain = {0};

    if (value.type == LLS_JSON_NUMBER)
        return add_number(value.text, out);
    if (value.type != LLS_JSON_STRING)
        return false;
    lls_json_unescape(value.text, &plain);
    add_beginning(lls_buf_str(&plain), out);
    return true;
}

bool lls_pg_ordered_value(lls_str scalar, lls_buf *out)
{
    lls_json_value value;

    return lls_json_check(scalar, &value, NULL) == LLS_OK && add_ordered(value, out);
}

/* A walk over the metadata, deepest first, without recursion. */
typedef struct walker {
    lls_pg_derived *derived;
    size_t count; /* of facets */
    bool over;    /* there is more than is kept */
    int depth;
    lls_json_walk walks[LLS_PG_FACET_DEPTH];
    lls_digest places[LLS_PG_FACET_DEPTH];
    size_t indexes[LLS_PG_FACET_DEPTH];
    bool arrays[LLS_PG_FACET_DEPTH];
    lls_buf token;
    lls_buf room;
} walker;

static void push(walker *w, lls_json_value container, lls_digest place)
{
    if (w->depth == LLS_PG_FACET_DEPTH) {
        w->over = true;
        return;
    }
    w->walks[w->depth] = lls_json_walk_begin(container);
    w->places[w->depth] = place;
    w->indexes[w->depth] = 0;
    w->arrays[w->depth] = container.type == LLS_JSON_ARRAY;
    w->depth++;
}

static lls_err keep(walker *w, lls_digest place, lls_filter_op op, const lls_json_value *value,
                    lls_error *err)
{
    int64_t facet;

    if (w->count == LLS_PG_FACETS_MAX) {
        w->over = true;
        return LLS_OK;
    }
    LLS_TRY(facet_of(place, op, value, &w->room, &facet, err));
    lls_buf_add(&w->derived->room, (lls_bytes){(const uint8_t *)&facet, sizeof(facet)});
    w->count++;
    return LLS_OK;
}

static void keep_ordered(walker *w, lls_digest place, lls_json_value value)
{
    lls_buf *out = &w->derived->ordered;
    char name[17];

    lls_buf_clear(&w->room);
    if (!add_ordered(value, &w->room)) {
        w->over = w->over || value.type == LLS_JSON_NUMBER;
        return;
    }
    lls_pg_ordered_name(place, name);
    lls_buf_printf(out, "%s\"%s\":", out->len ? "," : "{", name);
    if (value.type == LLS_JSON_NUMBER)
        lls_buf_add_str(out, lls_buf_str(&w->room));
    else
        lls_json_quote(lls_buf_str(&w->room), out);
}

static lls_err visit(walker *w, lls_str name, lls_json_value value, lls_error *err)
{
    int top = w->depth - 1;
    lls_digest place;

    lls_buf_clear(&w->token);
    if (w->arrays[top])
        lls_buf_printf(&w->token, "%zu", w->indexes[top]++);
    else
        lls_json_unescape(name, &w->token);
    LLS_TRY(lls_buf_status(&w->token, err));
    place = lls_pg_place_below(w->places[top], lls_buf_str(&w->token));
    LLS_TRY(keep(w, place, LLS_FILTER_EXISTS, NULL, err));
    if (value.type == LLS_JSON_ARRAY || value.type == LLS_JSON_OBJECT) {
        push(w, value, place);
        return LLS_OK;
    }
    if (w->arrays[top])
        LLS_TRY(keep(w, w->places[top], LLS_FILTER_CONTAINS, &value, err));
    keep_ordered(w, place, value);
    return keep(w, place, LLS_FILTER_EQ, &value, err);
}

static lls_err walk(walker *w, lls_error *err)
{
    lls_json_value value;
    lls_str name;

    while (w->depth > 0 && !w->over) {
        if (lls_json_walk_next(&w->walks[w->depth - 1], &name, &value))
            LLS_TRY(visit(w, name, value, err));
        else
            w->depth--;
    }
    return LLS_OK;
}

static int compare_int8(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;

    return (*left > *right) - (*left < *right);
}

/* The numbers in `room`, sorted and each once, as an array; with how often each was there. */
static lls_err add_arrays(lls_buf *room, lls_buf *values, lls_buf *counts, lls_error *err)
{
    size_t count = room->len / sizeof(int64_t);
    int64_t *numbers = (int64_t *)(void *)room->data;
    size_t distinct = 0;

    LLS_TRY(lls_buf_status(room, err));
    if (count)
        qsort(numbers, count, sizeof(*numbers), compare_int8);
    for (size_t i = 0; i < count; i++)
        distinct += i == 0 || numbers[i] != numbers[i - 1];
    lls_pg_array(values, LLS_PG_INT8, distinct);
    if (counts)
        lls_pg_array(counts, LLS_PG_INT4, distinct);
    for (size_t i = 0, same; i < count; i += same) {
        for (same = 1; i + same < count && numbers[i + same] == numbers[i];)
            same++;
        lls_pg_field_int8(values, numbers[i]);
        if (!counts)
            continue;
        lls_pg_put_int32(counts, 4);
        lls_pg_put_int32(counts, (int32_t)same);
    }
    if (counts)
        LLS_TRY(lls_buf_status(counts, err));
    return lls_buf_status(values, err);
}

lls_err lls_pg_derive_metadata(lls_pg_derived *derived, lls_kv_space coll, lls_str metadata,
                               lls_error *err)
{
    walker w = {.derived = derived};
    lls_json_value object;

    lls_buf_clear(&derived->facets);
    lls_buf_clear(&derived->ordered);
    lls_buf_clear(&derived->room);
    LLS_TRY(lls_json_check(metadata, &object, err));
    push(&w, object, lls_pg_place_root(coll));
    lls_err e = walk(&w, err);
    lls_buf_fini(&w.token);
    lls_buf_fini(&w.room);
    LLS_TRY(e);
    if (w.over) {
        int64_t anything = lls_pg_facet_anything(coll);
        lls_buf_clear(&derived->room);
        lls_buf_clear(&derived->ordered);
        lls_buf_add(&derived->room, (lls_bytes){(const uint8_t *)&anything, sizeof(anything)});
    }
    if (derived->ordered.len)
        lls_buf_add_text(&derived->ordered, "}");
    LLS_TRY(lls_buf_status(&derived->ordered, err));
    return add_arrays(&derived->room, &derived->facets, NULL, err);
}

lls_err lls_pg_derive_words(lls_pg_derived *derived, lls_kv_space coll, lls_str text,
                            lls_error *err)
{
    lls_text_walk words;
    lls_str word;

    lls_buf_clear(&derived->room);
    lls_buf_clear(&derived->words);
    lls_buf_clear(&derived->counts);
    derived->total = 0;
    derived->room.max = SIZE_MAX / 2; // eight bytes a word: more than the text has
    lls_text_walk_begin(&words, text);
    while (lls_text_walk_next(&words, &word)) {
        int64_t hash = lls_pg_word_hash(coll, word);
        lls_buf_add(&derived->room, (lls_bytes){(const uint8_t *)&hash, sizeof(hash)});
        derived->total++;
    }
    derived->words.max = derived->counts.max = SIZE_MAX / 2;
    return add_arrays(&derived->room, &derived->words, &derived->counts, err);
}

void lls_pg_derived_fini(lls_pg_derived *derived)
{
    lls_buf_fini(&derived->facets);
    lls_buf_fini(&derived->words);
    lls_buf_fini(&derived->counts);
    lls_buf_fini(&derived->ordered);
    lls_buf_fini(&derived->room);
}
