#include "backends/hnsw/keeper.h"

#include "base/alloc.h"
#include "base/scope.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

struct hnsw_keeper {
    hnsw_store *store;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t news;
    bool poked;
    atomic_bool stop;
};

/* The names of a tenant's collections, so that its lock need not be held while one is built. */
typedef struct names {
    char (*names)[LLS_COLL_MAX + 1];
    size_t count;
} names;

static bool list_colls(hnsw_tenant *tenant, names *out)
{
    (void)pthread_rwlock_rdlock(&tenant->lock);
    out->count = tenant->coll_count;
    out->names = lls_alloc((out->count + 1) * sizeof(*out->names));
    for (size_t i = 0; out->names && i < out->count; i++)
        memcpy(out->names[i], tenant->colls[i]->name, sizeof(out->names[i]));
    (void)pthread_rwlock_unlock(&tenant->lock);
    return out->names != NULL;
}

static bool log_is_long(hnsw_tenant *tenant)
{
    uint64_t limit = tenant->store->conf.log_limit;
    uint64_t folded = 0;

    (void)pthread_rwlock_rdlock(&tenant->lock);
    bool owned = tenant->loaded && tenant->owned;
    for (size_t i = 0; i < tenant->coll_count; i++)
        folded += tenant->colls[i]->base ? tenant->colls[i]->base->length : 0;
    // what is folded is written again: in proportion, so that it is never written often
    bool is_long = owned && limit && tenant->log_at > limit && tenant->log_at > folded / 4;
    (void)pthread_rwlock_unlock(&tenant->lock);
    return is_long;
}

/* What fails here is tried again at the next occasion; it costs speed, not data. */
static void keep(hnsw_keeper *keeper, hnsw_tenant *tenant)
{
    names colls;

    if (!list_colls(tenant, &colls))
        return;
    for (size_t i = 0; i < colls.count && !atomic_load(&keeper->stop); i++)
        (void)!hnsw_build(tenant, lls_str_of(colls.names[i]), &keeper->stop, NULL);
    lls_free(colls.names);
    if (!atomic_load(&keeper->stop) && log_is_long(tenant))
        (void)!hnsw_compact(tenant, NULL);
}

static hnsw_tenant *tenant_at(hnsw_store *store, size_t index)
{
    (void)pthread_mutex_lock(&store->lock);
    hnsw_tenant *tenant = index < store->tenant_count ? store->tenants[index] : NULL;
    (void)pthread_mutex_unlock(&store->lock);
    return tenant;
}

/* Wait for news, then a moment more: news come in crowds. False when it is time to end. */
static bool wait_for_news(hnsw_keeper *keeper)
{
    struct timespec moment;

    (void)pthread_mutex_lock(&keeper->lock);
    while (!keeper->poked && !atomic_load(&keeper->stop))
        (void)pthread_cond_wait(&keeper->news, &keeper->lock);
    (void)clock_gettime(CLOCK_REALTIME, &moment);
    moment.tv_nsec += 20000000;
    if (moment.tv_nsec >= 1000000000) {
        moment.tv_nsec -= 1000000000;
        moment.tv_sec++;
    }
    while (!atomic_load(&keeper->stop) &&
           pthread_cond_timedwait(&keeper->news, &keeper->lock, &moment) != ETIMEDOUT)
        continue;
    keeper->poked = false;
    (void)pthread_mutex_unlock(&keeper->lock);
    return !atomic_load(&keeper->stop);
}

static void *run(void *user)
{
    hnsw_keeper *keeper = user;
    hnsw_tenant *tenant;

    while (wait_for_news(keeper))
        for (size_t i = 0; (tenant = tenant_at(keeper->store, i)) != NULL; i++)
            if (!atomic_load(&keeper->stop))
                keep(keeper, tenant);
    return NULL;
}

/* The thread takes no signals: they are for the program. */
static bool start(hnsw_keeper *keeper)
{
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&keeper->thread, NULL, run, keeper);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0;
}

static hnsw_keeper *new_keeper(hnsw_store *store)
{
    hnsw_keeper *keeper = lls_alloc(sizeof(*keeper));

    if (!keeper)
        return NULL;
    keeper->store = store;
    (void)pthread_mutex_init(&keeper->lock, NULL);
    (void)pthread_cond_init(&keeper->news, NULL);
    if (start(keeper))
        return keeper;
    lls_free(keeper);
    return NULL;
}

void hnsw_keeper_poke(hnsw_store *store)
{
    (void)pthread_mutex_lock(&store->lock);
    if (!store->keeper)
        store->keeper = new_keeper(store); // without one, tend is left to the caller
    hnsw_keeper *keeper = store->keeper;
    (void)pthread_mutex_unlock(&store->lock);
    if (!keeper)
        return;
    (void)pthread_mutex_lock(&keeper->lock);
    if (!keeper->poked)
        (void)pthread_cond_signal(&keeper->news);
    keeper->poked = true;
    (void)pthread_mutex_unlock(&keeper->lock);
}

void hnsw_keeper_end(hnsw_keeper *keeper)
{
    if (!keeper)
        return;
    (void)pthread_mutex_lock(&keeper->lock);
    atomic_store(&keeper->stop, true);
    (void)pthread_cond_signal(&keeper->news);
    (void)pthread_mutex_unlock(&keeper->lock);
    (void)pthread_join(keeper->thread, NULL);
    (void)pthread_mutex_destroy(&keeper->lock);
    (void)pthread_cond_destroy(&keeper->news);
    lls_free(keeper);
}
