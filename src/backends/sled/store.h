/** store.h - an open Sled database as a backend: the reader, and what shows its records. */
#ifndef LLS_BACKENDS_SLED_STORE_H
#define LLS_BACKENDS_SLED_STORE_H

#include "backends/sled/reader.h"
#include "ports/backend.h"

typedef struct sled_options {
    const char *path;
    const char *torn_tail; /* "refuse" or "accept" */
    uint64_t cache;        /* bytes of pages that the engine may hold */
    bool compression;      /* of a database that is made */
} sled_options;

typedef struct sled_store {
    lls_backend base;
    sled_db *db; /* NULL where the engine is at work */
    lls_kv *kv;  /* as base.kv */
    void (*close_kv)(lls_kv *kv);
    const char *kind; /* for facts: whose database it is */
} sled_store;

/** For lls_backend_def. */
lls_err sled_store_facts(lls_backend *backend, lls_fact_fn each, void *user, lls_error *err);
lls_err sled_store_check(lls_backend *backend, lls_fact_fn each, void *user, lls_error *err);

#endif
