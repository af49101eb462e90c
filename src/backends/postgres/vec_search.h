/**
 * vec_search.h - finding vector records by nearness and by words, and what makes that fast.
 *
 * By nearness there are three ways. With an index of the space, the server walks that: approximate.
 * Without one, or when the index found fewer than asked for, the server compares everything with
 * pgvector's operators. Without pgvector, and for L1, the vectors of the space come here and are
 * compared by lls_vec_distance. In every case distances are computed here, from the vectors, so
 * that they are those of every other backend.
 */
#ifndef LLS_BACKENDS_POSTGRES_VEC_SEARCH_H
#define LLS_BACKENDS_POSTGRES_VEC_SEARCH_H

#include "backends/postgres/vec.h"

lls_err lls_pg_vec_search(lls_vec *vec, lls_kv_space coll, int64_t now_usec,
                          const lls_vec_query *queries, size_t count, lls_vec_hits *out,
                          lls_error *err);

lls_err lls_pg_vec_words(lls_vec *vec, lls_kv_space coll, int64_t now_usec,
                         const lls_vec_words *words, lls_vec_hits *out, lls_error *err);

/** Give each space that is worth it an index, and drop those that are not needed any more. */
lls_err lls_pg_vec_tend(lls_vec *vec, lls_kv_space coll, lls_error *err);

/* ---- vec_index.c: which index a space gets, and how it is asked */

/** What a server has. */
typedef struct lls_pg_extensions {
    int vector; /* version of pgvector: 800 for 0.8.0; 0: not there */
    bool vchord;
} lls_pg_extensions;

/**
 * The kind of index for `count` records of a space, in the words of vector_spaces.indexed; NULL for
 * none: there are too few, or the server has nothing for this metric or dimension. `*lists` gets
 * the partitions of vchordrq; 0: none.
 */
const char *lls_pg_index_choose(const lls_vec_space *space, uint64_t count,
                                lls_pg_extensions extensions, int64_t *lists);

/** How an index is searched. */
typedef struct lls_pg_index_use {
    lls_buf settings; /* SELECT set_config(…) for this transaction; empty: nothing to set */
    lls_buf order;    /* the expression to order by, with the query as $3 */
} lls_pg_index_use;

void lls_pg_index_use_fini(lls_pg_index_use *use);
static inline void lls_pg_index_use_auto(lls_pg_index_use *use)
{
    lls_pg_index_use_fini(use);
}

/** Write both for a space that has an index, to find `want` records with this effort. */
lls_err lls_pg_index_ask(const lls_pg_vec_space *space, int vector_version, uint32_t want,
                         uint32_t effort, lls_pg_index_use *use, lls_error *err) LLS_CHECKED;

/** Append the distance of `r.embedding` to the query, $3, by pgvector's operator. */
void lls_pg_index_distance(const lls_pg_vec_space *space, lls_buf *sql);

#endif
