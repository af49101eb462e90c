/**
 * vec_derived.h - what a row of a vector record has beside the record itself, so that the server
 * can look for it: facets, ordered values and words.
 *
 * A *facet* is a 64-bit hash of one thing that is true of the metadata: a path is there, a path has
 * this value, an array has this element. Tenant and collection are hashed too. Whatever a filter
 * asks for by equality is a facet; a record whose metadata has too many has the facet "anything"
 * instead, which every condition allows. So facets never exclude a record that matches; whether
 * one does is for lls_filter_match to say.
 */
#ifndef LLS_BACKENDS_POSTGRES_VEC_DERIVED_H
#define LLS_BACKENDS_POSTGRES_VEC_DERIVED_H

#include "base/hash.h"
#include "ports/filter.h"
#include "ports/kv.h"

enum {
    LLS_PG_FACETS_MAX = 512,
    LLS_PG_FACET_DEPTH = 16, /* of paths */
    LLS_PG_ORDERED_MAX = 24, /* characters of a text that are compared before the metadata is */
};

/** Zero is empty. Reused from record to record. */
typedef struct lls_pg_derived {
    lls_buf facets;  /* bigint[] in PostgreSQL's binary form, as are the next two */
    lls_buf words;   /* of distinct words */
    lls_buf counts;  /* integer[]: how often each of them is there */
    lls_buf ordered; /* a JSON object as text; empty for none */
    uint32_t total;  /* words of the text */
    lls_buf room;    /* for building */
} lls_pg_derived;

/** Derive what is derived from the metadata: `facets` and `ordered`. */
lls_err lls_pg_derive_metadata(lls_pg_derived *derived, lls_kv_space coll, lls_str metadata,
                               lls_error *err) LLS_CHECKED;

/** Derive `words`, `counts` and `total`. */
lls_err lls_pg_derive_words(lls_pg_derived *derived, lls_kv_space coll, lls_str text,
                            lls_error *err) LLS_CHECKED;

void lls_pg_derived_fini(lls_pg_derived *derived);
static inline void lls_pg_derived_auto(lls_pg_derived *derived)
{
    lls_pg_derived_fini(derived);
}

/** The hash of a word. */
int64_t lls_pg_word_hash(lls_kv_space coll, lls_str word);

/** A place in the metadata of a collection's records: the whole, or what a path leads to. */
lls_digest lls_pg_place_root(lls_kv_space coll);
lls_digest lls_pg_place_below(lls_digest place, lls_str token);

/** The facet of an operation (EXISTS, EQ, CONTAINS) with a scalar of JSON; it was checked. */
lls_err lls_pg_facet(lls_digest place, lls_filter_op op, lls_str scalar, int64_t *out,
                     lls_error *err) LLS_CHECKED;

/** The facet of records that have more than could be kept. */
int64_t lls_pg_facet_anything(lls_kv_space coll);

/** The name of a place in `ordered`: 16 hexadecimal digits and a NUL. */
void lls_pg_ordered_name(lls_digest place, char out[17]);

/**
 * What stands for a number or string in `ordered`, as SQL casts it: rising values give values that
 * do not fall. Append it to `out`, plain. False when there is nothing that may stand for it.
 */
bool lls_pg_ordered_value(lls_str scalar, lls_buf *out);
static inline bool lls_pg_bound_is_text(lls_str scalar)
{
    return memchr(scalar.data, '"', scalar.len) != NULL; // of a number or a string
}

#endif
