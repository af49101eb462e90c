/**
 * traits.h - which records of a collection have a scope, or a value in a member of their metadata:
 * lists of numbers, made by the first filter that asks, then kept.
 *
 * Only members of the metadata itself that are scalars are listed, and short ones. A record with
 * something that is not, but that an EQ or IN could ask for, is an *odd* one: it must be looked at.
 */
#ifndef LLS_BACKENDS_HNSW_TRAITS_H
#define LLS_BACKENDS_HNSW_TRAITS_H

#include "backends/hnsw/coll.h"

typedef struct hnsw_traits hnsw_traits;

void hnsw_traits_free(hnsw_traits *traits); /**< NULL is fine. */

/** Keep up with a new record. Does nothing as long as nobody asked. */
lls_err hnsw_traits_learn(hnsw_coll *coll, uint32_t doc, lls_error *err) LLS_CHECKED;

/** Make the lists if there are none. */
lls_err hnsw_traits_ready(hnsw_coll *coll, lls_error *err) LLS_CHECKED;

/** Numbers of records in rising order, those that are gone included. */
typedef struct hnsw_trait {
    const uint32_t *docs;
    size_t count;
} hnsw_trait;

/** Records that were not listed wholly. */
hnsw_trait hnsw_traits_odd(const hnsw_traits *traits);

/** Records of a scope. False when memory is out. */
bool hnsw_traits_scope(const hnsw_traits *traits, lls_str scope, hnsw_trait *out);

/** Records whose member `name` equals a JSON scalar. False when the lists cannot tell. */
bool hnsw_traits_value(const hnsw_traits *traits, lls_str name, lls_str value, hnsw_trait *out);

/** Bytes of memory. */
uint64_t hnsw_traits_bytes(const hnsw_traits *traits);

#endif
