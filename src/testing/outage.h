/**
 * outage.h - a migration whose server goes away in the middle: stopped as a power cut would stop
 * it, and started again.
 */
#ifndef LLS_TESTING_OUTAGE_H
#define LLS_TESTING_OUTAGE_H

#include "testing/migration.h"
#include "testing/private_postgres.h"

#include <pthread.h>
#include <unistd.h>

typedef struct outage {
    lls_private_postgres *server;
    useconds_t after_usec;
    lls_err result;
    lls_error err;
} outage;

static inline void *outage_run(void *user)
{
    outage *o = user;

    (void)usleep(o->after_usec);
    o->result = lls_private_postgres_halt(o->server, "immediate", &o->err);
    if (o->result == LLS_OK)
        o->result = lls_private_postgres_again(o->server, &o->err);
    return NULL;
}

/* Execute while the server goes away and comes back. The run may be quicker than the outage. */
static inline lls_err outage_execute(lls_migration *m, outage *o, lls_error *err)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, outage_run, o), 0);
    lls_err e = lls_migration_execute(m, err);
    (void)pthread_join(thread, NULL);
    assert_code(o->result, LLS_OK, o->err);
    return e;
}

#endif
