#include "store/served.h"

#include "base/alloc.h"
#include "store/open.h"
#include "store/route.h"

void lls_served_table_init(lls_served_table *table)
{
    (void)pthread_mutex_init(&table->lock, NULL);
    (void)pthread_cond_init(&table->moved, NULL);
}

void lls_served_table_fini(lls_served_table *table)
{
    (void)pthread_cond_destroy(&table->moved);
    (void)pthread_mutex_destroy(&table->lock);
}

static lls_served *find(const lls_served_table *table, const char *name)
{
    lls_served *served = table->first;

    while (served && strcmp(served->name, name) != 0)
        served = served->next;
    return served;
}

static void unlink_served(lls_served *served)
{
    lls_served **at = &served->table->first;

    while (*at != served)
        at = &(*at)->next;
    *at = served->next;
}

/* An entry that says that its backend is being opened, with one reference; NULL: out of memory. */
static lls_served *announce(lls_served_table *table, const char *name)
{
    size_t size = strlen(name) + 1;
    lls_served *served = lls_alloc(sizeof(*served) + size);

    if (!served)
        return NULL;
    memcpy(served->name, name, size);
    served->table = table;
    served->refs = 1;
    served->next = table->first;
    table->first = served;
    return served;
}

static lls_err open_backend(const lls_store *store, const char *name, lls_backend **out,
                            lls_error *err)
{
    const lls_backend_choice choice = {.name = name};

    return lls_config_open_backend(store->config, &choice, &store->params, out, err);
}

/* Open what was announced, with the lock let go, and tell those who wait. */
static void open_announced(const lls_store *store, lls_served *served)
{
    lls_served_table *table = served->table;
    lls_backend *backend = NULL;
    lls_error why = {0};

    (void)pthread_mutex_unlock(&table->lock);
    lls_err e = open_backend(store, served->name, &backend, &why);
    (void)pthread_mutex_lock(&table->lock);
    served->backend = backend;
    served->status = e;
    served->why = why;
    served->state = e == LLS_OK ? LLS_SERVED_OPEN : LLS_SERVED_FAILED;
    if (e != LLS_OK)
        unlink_served(served); // who comes now tries again
    (void)pthread_cond_broadcast(&table->moved);
}

/* The opened entry of `name` with a reference, or NULL when memory is out. Under the lock. */
static lls_served *take(lls_store *store, const char *name)
{
    lls_served_table *table = &store->served;
    lls_served *served;

    while ((served = find(table, name)) && served->state == LLS_SERVED_CLOSING)
        (void)pthread_cond_wait(&table->moved, &table->lock);
    if (served) {
        (void)atomic_fetch_add(&served->refs, 1);
        while (served->state == LLS_SERVED_OPENING)
            (void)pthread_cond_wait(&table->moved, &table->lock);
        return served;
    }
    served = announce(table, name);
    if (served)
        open_announced(store, served);
    return served;
}

lls_err lls_served_open(lls_store *store, const char *name, lls_served **out, lls_error *err)
{
    (void)pthread_mutex_lock(&store->served.lock);
    lls_served *served = take(store, name);
    lls_err e = served ? served->status : LLS_E_NOMEM;
    (void)pthread_mutex_unlock(&store->served.lock);
    if (!served)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    if (e == LLS_OK) {
        *out = served;
        return LLS_OK;
    }
    if (err)
        *err = served->why;
    lls_served_drop(served);
    return e;
}

/* Without the lock, as long as others hold it too: reads do this all the time. */
static bool drop_shared(lls_served *served)
{
    size_t refs = served->refs;

    while (refs > 1)
        if (atomic_compare_exchange_weak(&served->refs, &refs, refs - 1))
            return true;
    return false;
}

void lls_served_drop(lls_served *served)
{
    if (!served || drop_shared(served))
        return;
    lls_served_table *table = served->table;
    (void)pthread_mutex_lock(&table->lock);
    bool last = atomic_fetch_sub(&served->refs, 1) == 1;
    if (last && served->state == LLS_SERVED_OPEN) {
        served->state = LLS_SERVED_CLOSING; // who wants the name waits until it is free
        (void)pthread_mutex_unlock(&table->lock);
        lls_backend_close(served->backend);
        (void)pthread_mutex_lock(&table->lock);
        unlink_served(served);
        (void)pthread_cond_broadcast(&table->moved);
    }
    (void)pthread_mutex_unlock(&table->lock);
    if (last)
        lls_free(served);
}
