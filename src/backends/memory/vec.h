/** vec.h - the vector port of this backend: searches compare with every record, exactly. */
#ifndef LLS_BACKENDS_MEMORY_VEC_H
#define LLS_BACKENDS_MEMORY_VEC_H

#include "backends/memory/memory.h"

typedef struct memory_vec {
    lls_vec base;
    memory_kv records; /* `base.records` leads here */
} memory_vec;

extern const lls_vec_ops memory_vec_ops;

/** The port of this backend; the ops pointer is the type tag. */
memory_vec *memory_vec_downcast(lls_vec *vec);

/** On the vector port: whether the values are canonical. Any other takes any. */
lls_err memory_vec_check_values(const memory_kv *kv, const lls_kv_write *writes, size_t count,
                                lls_error *err) LLS_CHECKED;
lls_err memory_vec_check_items(const memory_kv *kv, const lls_kv_item *items, size_t count,
                               lls_error *err) LLS_CHECKED;

/** The item of a record that is stored; its vector is copied into `floats` if it is wanted. */
lls_err memory_vec_item(const memory_record *record, unsigned fields, lls_buf *floats,
                        lls_vec_item *out, lls_error *err) LLS_CHECKED;

/** Whether the filter lets a record through. */
lls_err memory_vec_match(const memory_record *record, const lls_filter *filter, int64_t now_usec,
                         bool *match, lls_error *err) LLS_CHECKED;

lls_err memory_vec_search(lls_vec *vec, lls_kv_space coll, int64_t now_usec,
                          const lls_vec_query *queries, size_t count, lls_vec_hits *out,
                          lls_error *err) LLS_CHECKED;
lls_err memory_vec_words(lls_vec *vec, lls_kv_space coll, int64_t now_usec,
                         const lls_vec_words *words, lls_vec_hits *out, lls_error *err) LLS_CHECKED;
lls_err memory_vec_list(lls_vec *vec, lls_kv_space coll, int64_t now_usec, const lls_vec_list *list,
                        lls_vec_hits *out, lls_error *err) LLS_CHECKED;

#endif
