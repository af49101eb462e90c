/**
 * vec.h - what the files of the vector port share: spaces and rows.
 *
 * The tables are those of sql/V3__vector_embeddings.sql. What a search may use is in the spaces of
 * a collection, which every operation reads first, in its own transaction: so nothing about the
 * server is remembered, and another process may change all of it at any time.
 */
#ifndef LLS_BACKENDS_POSTGRES_VEC_H
#define LLS_BACKENDS_POSTGRES_VEC_H

#include "backends/postgres/kv.h"
#include "backends/postgres/vec_where.h"
#include "ports/vec_record.h"

/** The port over the pool of the backend, and the same records as keys and values. */
typedef struct lls_pg_vec {
    lls_vec base;
    lls_kv records;
    lls_pg_pool *pool; /* not owned */
} lls_pg_vec;

typedef struct lls_pg_backend {
    lls_backend base;
    lls_pg_kv kv;
    lls_pg_vec vec;
} lls_pg_backend;

/** Make both ports. */
void lls_pg_vec_init(lls_pg_vec *vec, lls_pg_pool *pool);

/* From the ports' structs to ours. */
lls_pg_vec *lls_pg_vec_downcast(lls_vec *vec);
lls_pg_vec *lls_pg_records_downcast(lls_kv *kv);

/* ---- vec_space.c: the spaces of a collection */

/** One embedding space, and how it is stored. */
typedef struct lls_pg_vec_space {
    int64_t id;
    lls_vec_space space; /* `model` lives as long as the list */
    lls_str indexed;     /* "hnsw", "hnsw halfvec", "vchordrq", or empty: so does this, */
    lls_str type;        /* "public.vector", quoted as SQL wants it, or "pg_catalog._float4", */
    lls_str schema;      /* and "public": where the extension's functions are */
    bool is_vector;      /* the extension's type; otherwise an array */
} lls_pg_vec_space;

/** Zero is empty. */
typedef struct lls_pg_vec_spaces {
    lls_pg_vec_space *all; /* owned */
    size_t count;
    int version; /* of pgvector: 800 for 0.8.0; 0: not in this database */
    PGresult *rows;
} lls_pg_vec_spaces;

/** Add the statement that asks for them. */
lls_err lls_pg_spaces_ask(lls_pg_pipeline *pipeline, lls_kv_space coll, int tag,
                          lls_error *err) LLS_CHECKED;

/** Keep its answer. */
lls_err lls_pg_spaces_keep(lls_pg_vec_spaces *spaces, const PGresult *result,
                           lls_error *err) LLS_CHECKED;

/** The space called `model`, or that of `dim` when it is empty; NULL when there is none. */
const lls_pg_vec_space *lls_pg_spaces_find(const lls_pg_vec_spaces *spaces, lls_str model,
                                           uint32_t dim);
const lls_pg_vec_space *lls_pg_spaces_by_id(const lls_pg_vec_spaces *spaces, int64_t id);

void lls_pg_spaces_fini(lls_pg_vec_spaces *spaces);
static inline void lls_pg_vec_spaces_auto(lls_pg_vec_spaces *spaces)
{
    lls_pg_spaces_fini(spaces);
}

/** Begin a transaction that reads from one snapshot, and read the spaces. */
lls_err lls_pg_vec_begin_read(lls_pg_pool *pool, lls_pg_connection *connection, lls_kv_space coll,
                              lls_pg_vec_spaces *spaces, lls_error *err) LLS_CHECKED;

/* ---- vec_row.c: rows as items */

enum { LLS_PG_ROW_COLUMNS = 13 };

/**
 * Append what stands behind FROM, with alias r. `in` NULL: the table of all dimensions, or, with
 * their vectors, those of each dimension together; otherwise that of this space.
 */
void lls_pg_row_source(const lls_pg_vec_spaces *spaces, const lls_pg_vec_space *in, unsigned fields,
                       lls_buf *sql);

/** Append the columns of such a source, as lls_pg_row_read wants them. */
void lls_pg_row_columns(const lls_pg_vec_space *in, unsigned fields, lls_buf *sql);

/** Append the expression that gives the embedding of alias `r` in a table of `space` as bytea. */
void lls_pg_row_vector(const lls_pg_vec_space *space, const char *alias, lls_buf *sql);

/** Read a row. Views live as long as `result`; the vector is put into `floats`, replaced. */
lls_err lls_pg_row_read(const lls_pg_vec_spaces *spaces, const PGresult *result, int row,
                        lls_buf *floats, lls_vec_item *out, lls_error *err) LLS_CHECKED;

/** Read an embedding as the expression gave it into `floats`, replaced. */
lls_err lls_pg_vector_read(const lls_pg_vec_space *space, lls_bytes bytes, lls_buf *floats,
                           lls_error *err) LLS_CHECKED;

/** Write a vector as a parameter of the type that `space` has, or of float4[], into `out`. */
void lls_pg_vector_write(bool is_vector, const float *vector, uint32_t dim, lls_buf *out);

/** Whether a row is meant, by the filter itself. */
lls_err lls_pg_row_matches(const lls_filter *filter, const lls_vec_item *item, int64_t now_usec,
                           bool *match, lls_error *err) LLS_CHECKED;

/* ---- operations of the port, each in the file of its name */

lls_err lls_pg_vec_get(lls_vec *vec, lls_kv_space coll, int64_t now_usec, const lls_bytes *ids,
                       size_t count, unsigned fields, lls_vec_hits *out, lls_error *err);
lls_err lls_pg_vec_list(lls_vec *vec, lls_kv_space coll, int64_t now_usec, const lls_vec_list *list,
                        lls_vec_hits *out, lls_error *err);
lls_err lls_pg_vec_count(lls_vec *vec, lls_kv_space coll, int64_t now_usec,
                         const lls_filter *filter, uint64_t *out, lls_error *err);
/** `filter` NULL: everything, expired or not; then nothing is counted. */
lls_err lls_pg_vec_remove(lls_vec *vec, lls_kv_space coll, int64_t now_usec,
                          const lls_filter *filter, uint64_t *removed, lls_error *err);
lls_err lls_pg_vec_stats(lls_vec *vec, lls_kv_space coll, lls_vec_stats_fn each, void *user,
                         lls_error *err);

/** One change of a collection: a write of the vector port, or of the records behind it. */
typedef struct lls_pg_change {
    const lls_vec_write *vec; /* either this */
    const lls_kv_write *kv;   /* or this, with a canonical value */
} lls_pg_change;

/**
 * Do changes, all or none: of the collection `only`, or those that name their own. vec_apply.c.
 */
lls_err lls_pg_vec_change(lls_pg_pool *pool, lls_kv_space only, int64_t now_usec,
                          const lls_pg_change *changes, size_t count, lls_error *err) LLS_CHECKED;

#endif
