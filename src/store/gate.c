#include "store/gate.h"

void lls_gate_init(lls_gate *gate)
{
    *gate = (lls_gate){0};
    (void)pthread_mutex_init(&gate->lock, NULL);
    (void)pthread_cond_init(&gate->moved, NULL);
}

void lls_gate_fini(lls_gate *gate)
{
    (void)pthread_cond_destroy(&gate->moved);
    (void)pthread_mutex_destroy(&gate->lock);
}

void lls_gate_enter(lls_gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    while (gate->closed)
        (void)pthread_cond_wait(&gate->moved, &gate->lock);
    gate->inside++;
    (void)pthread_mutex_unlock(&gate->lock);
}

void lls_gate_leave(lls_gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    gate->inside--;
    if (gate->inside == 0)
        (void)pthread_cond_broadcast(&gate->moved);
    (void)pthread_mutex_unlock(&gate->lock);
}

void lls_gate_close(lls_gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    gate->closed = true;
    while (gate->inside > 0)
        (void)pthread_cond_wait(&gate->moved, &gate->lock);
    (void)pthread_mutex_unlock(&gate->lock);
}

void lls_gate_open(lls_gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    gate->closed = false;
    (void)pthread_cond_broadcast(&gate->moved);
    (void)pthread_mutex_unlock(&gate->lock);
}
