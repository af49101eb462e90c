/**
 * served.h - the backends that a store has open, each once, under the name that the configuration
 * gives it. Two opens of one name would be two stores where a backend keeps its records in memory.
 */
#ifndef LLS_STORE_SERVED_H
#define LLS_STORE_SERVED_H

#include "ports/backend.h"

#include <llmspell/store.h>

#include <pthread.h>
#include <stdatomic.h>

typedef struct lls_served lls_served;

/**
 * All that are open, or about to be. A server that does not answer keeps those waiting who want
 * that server, and nobody else: no lock is held while a backend is opened or closed.
 */
typedef struct lls_served_table {
    pthread_mutex_t lock;
    pthread_cond_t moved; /**< Something was opened, or closed, or could not be opened. */
    lls_served *first;
} lls_served_table;

/** An open backend, shared by the routes and lists that use it; closed with the last of them. */
struct lls_served {
    lls_backend *backend;
    atomic_size_t refs; /**< Goes up, and down to 0, under the table's lock only. */

    /* The rest is the table's business, under its lock. */
    lls_served_table *table;
    lls_served *next;
    enum { LLS_SERVED_OPENING, LLS_SERVED_OPEN, LLS_SERVED_FAILED, LLS_SERVED_CLOSING } state;
    lls_err status; /* of the opening */
    lls_error why;
    char name[]; /**< As the configuration calls it; does not change. */
};

void lls_served_table_init(lls_served_table *table);
void lls_served_table_fini(lls_served_table *table); /**< Everything was dropped. */

/**
 * Take a reference to the backend `name`, opening it if it is not open. Whoever asks while it is
 * being opened waits for that, and is told the same.
 */
lls_err lls_served_open(lls_store *store, const char *name, lls_served **out,
                        lls_error *err) LLS_CHECKED;

void lls_served_drop(lls_served *served); /**< NULL is fine. */

typedef lls_served *lls_served_ref; /* so that LLS_AUTO can name it */
static inline void lls_served_ref_auto(lls_served_ref *served)
{
    lls_served_drop(*served);
}

#endif
