/** port.h - the parts of the vector port that have files of their own. */
#ifndef LLS_BACKENDS_HNSW_PORT_H
#define LLS_BACKENDS_HNSW_PORT_H

#include "backends/hnsw/store.h"

hnsw_store *hnsw_store_of(lls_vec *vec);

lls_err hnsw_port_search(lls_vec *vec, lls_kv_space space, int64_t now_usec,
                         const lls_vec_query *queries, size_t count, lls_vec_hits *out,
                         lls_error *err) LLS_CHECKED;
lls_err hnsw_port_list(lls_vec *vec, lls_kv_space space, int64_t now_usec, const lls_vec_list *list,
                       lls_vec_hits *out, lls_error *err) LLS_CHECKED;

#endif
