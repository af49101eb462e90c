/** tour.h - a walk over all that a store has: its tenants, and the stages that wait in it. */
#ifndef LLS_BACKENDS_HNSW_TOUR_H
#define LLS_BACKENDS_HNSW_TOUR_H

#include "backends/hnsw/store.h"

/** A list to tell, entry by entry. */
typedef struct hnsw_teller {
    lls_fact_fn each;
    void *user;
} hnsw_teller;

void hnsw_tell(const hnsw_teller *teller, const char *name, const char *fmt, ...) LLS_PRINTF(3, 4);

/** Told each tenant by its name. */
typedef lls_err (*hnsw_tenant_fn)(void *user, lls_str tenant, lls_error *err);

/** Call `each` for every tenant that has a folder, in the order of their names' bytes. */
lls_err hnsw_tour_tenants(const hnsw_store *store, hnsw_tenant_fn each, void *user,
                          lls_error *err) LLS_CHECKED;

/** A stage that waits, and the bytes of its files. */
typedef lls_err (*hnsw_stage_fn)(void *user, lls_str run, lls_str tenant, uint64_t bytes,
                                 lls_error *err);

/** Call `each` for every stage, run by run. */
lls_err hnsw_tour_stages(const hnsw_store *store, hnsw_stage_fn each, void *user,
                         lls_error *err) LLS_CHECKED;

/** Bytes that the files of a folder take, those in its folders included. */
uint64_t hnsw_folder_bytes(const char *folder);

/** The process that writes, or 0: none. Ourselves, if it is us. */
long hnsw_store_writer(hnsw_store *store);

#endif
