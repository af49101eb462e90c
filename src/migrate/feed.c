#include "migrate/feed.h"

#include "base/alloc.h"
#include "base/scope.h"
#include "ports/record.h"

#include <pthread.h>
#include <signal.h>

enum { SLOTS = 3, ROOM_MIN = 64 };

/* A batch owns its bytes in one buffer. The items get their addresses once it is full: until then
 * the buffer may move. */
typedef struct slot {
    lls_buf bytes;
    lls_kv_item *items;
    lls_digest *digests;
    size_t room;
    size_t count;
} slot;

struct lls_feed {
    lls_kv_iter *scan;
    lls_str coll;
    size_t batch_max;
    slot slots[SLOTS];
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;

    /* under the mutex */
    size_t filled; /* batches that the thread has finished; slot `n % SLOTS` holds batch n */
    size_t taken;  /* batches that the caller has asked for */
    bool stop;
    lls_err status; /* LLS_OK while there is more */

    lls_error error; /* of the thread, set before `status` */
};

static bool make_room(slot *s)
{
    if (s->count < s->room)
        return true;
    size_t room = s->room ? s->room * 2 : ROOM_MIN;

    lls_kv_item *items = lls_resize(s->items, room * sizeof(*items));
    if (!items)
        return false;
    s->items = items;
    lls_digest *digests = lls_resize(s->digests, room * sizeof(*digests));
    if (!digests)
        return false;
    s->digests = digests;
    s->room = room;
    return true;
}

static void point(slot *s)
{
    const uint8_t *at = s->bytes.data;

    for (size_t i = 0; i < s->count; i++) {
        s->items[i].key.data = at;
        at += s->items[i].key.len;
        s->items[i].value.data = at;
        at += s->items[i].value.len;
    }
}

static size_t weight(const slot *s)
{
    return s->bytes.len + s->count * (sizeof(*s->items) + sizeof(*s->digests));
}

/* Fill `s`. LLS_END: this is the last batch, and it may be empty. */
static lls_err fill(lls_feed *feed, slot *s, lls_error *err)
{
    lls_kv_item item;
    lls_err e = LLS_OK;

    if (s->bytes.cap > 2 * LLS_FEED_BYTES)
        lls_buf_fini(&s->bytes); // one huge record need not keep its room for ever
    lls_buf_clear(&s->bytes);
    s->bytes.max = 2 * LLS_VALUE_MAX;
    s->count = 0;
    while (s->count < feed->batch_max && weight(s) < LLS_FEED_BYTES) {
        e = lls_kv_iter_next(feed->scan, &item, err);
        if (e != LLS_OK)
            break;
        if (!make_room(s))
            return lls_fail(err, LLS_E_NOMEM, "out of memory");
        s->digests[s->count] = lls_record_digest(feed->coll, &item);
        s->items[s->count++] = item;
        lls_buf_add(&s->bytes, item.key);
        lls_buf_add(&s->bytes, item.value);
    }
    LLS_TRY(lls_buf_status(&s->bytes, err));
    point(s);
    return e;
}

static void *read_ahead(void *user)
{
    lls_feed *feed = user;
    lls_err e = LLS_OK;

    pthread_mutex_lock(&feed->mutex);
    while (e == LLS_OK) {
        // The caller holds the batch that it took last, so that one slot is never free.
        while (!feed->stop && feed->filled - feed->taken >= SLOTS - 1)
            pthread_cond_wait(&feed->changed, &feed->mutex);
        if (feed->stop)
            break;
        slot *s = &feed->slots[feed->filled % SLOTS];
        pthread_mutex_unlock(&feed->mutex);
        e = fill(feed, s, &feed->error);
        pthread_mutex_lock(&feed->mutex);
        if (e == LLS_OK || (e == LLS_END && s->count > 0))
            feed->filled++;
        feed->status = e;
        pthread_cond_broadcast(&feed->changed);
    }
    pthread_mutex_unlock(&feed->mutex);
    return NULL;
}

/* Signals are for the program's own threads. */
static int start(lls_feed *feed)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int sys = pthread_create(&feed->thread, NULL, read_ahead, feed);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return sys;
}

static void feed_free(lls_feed *feed)
{
    for (size_t i = 0; i < SLOTS; i++) {
        lls_buf_fini(&feed->slots[i].bytes);
        lls_free(feed->slots[i].items);
        lls_free(feed->slots[i].digests);
    }
    pthread_cond_destroy(&feed->changed);
    pthread_mutex_destroy(&feed->mutex);
    lls_free(feed);
}

lls_err lls_feed_open(lls_kv_iter *scan, lls_str coll, size_t batch_max, lls_feed **out,
                      lls_error *err)
{
    lls_feed *feed = lls_alloc(sizeof(*feed));

    if (!feed)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    feed->scan = scan;
    feed->coll = coll;
    feed->batch_max = batch_max;
    pthread_mutex_init(&feed->mutex, NULL);
    pthread_cond_init(&feed->changed, NULL);
    int sys = start(feed);
    if (sys != 0) {
        feed_free(feed);
        return lls_fail_sys(err, sys, "start a thread");
    }
    *out = feed;
    return LLS_OK;
}

lls_err lls_feed_next(lls_feed *feed, lls_feed_batch *out, lls_error *err)
{
    pthread_mutex_lock(&feed->mutex);
    while (feed->filled == feed->taken && feed->status == LLS_OK)
        pthread_cond_wait(&feed->changed, &feed->mutex);
    bool more = feed->filled > feed->taken;
    lls_err status = feed->status;
    size_t number = feed->taken;
    if (more)
        feed->taken++;
    pthread_cond_broadcast(&feed->changed);
    pthread_mutex_unlock(&feed->mutex);

    if (!more) {
        if (err && status != LLS_END)
            *err = feed->error;
        return status;
    }
    const slot *s = &feed->slots[number % SLOTS];
    *out = (lls_feed_batch){s->items, s->digests, s->count};
    return LLS_OK;
}

void lls_feed_close(lls_feed *feed)
{
    if (!feed)
        return;
    pthread_mutex_lock(&feed->mutex);
    feed->stop = true;
    pthread_cond_broadcast(&feed->changed);
    pthread_mutex_unlock(&feed->mutex);
    pthread_join(feed->thread, NULL);
    feed_free(feed);
}
