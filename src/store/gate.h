/**
 * gate.h - writers pass it in any number; whoever closes it is alone behind it.
 *
 * Closing has precedence: a writer that comes while somebody wants to close waits outside. A
 * pthread_rwlock_t lets writers in as long as one of them is inside, and a store that is written
 * to all the time would never be closed.
 */
#ifndef LLS_STORE_GATE_H
#define LLS_STORE_GATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct lls_gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    size_t inside;
    bool closed;
} lls_gate;

void lls_gate_init(lls_gate *gate);
void lls_gate_fini(lls_gate *gate); /**< Nobody is inside any more. */

void lls_gate_enter(lls_gate *gate);
void lls_gate_leave(lls_gate *gate);

/** Return when nobody is inside; nobody gets in until lls_gate_open. One thread at a time. */
void lls_gate_close(lls_gate *gate);
void lls_gate_open(lls_gate *gate);

#endif
