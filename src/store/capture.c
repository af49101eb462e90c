#include "store/capture.h"

#include "base/alloc.h"

#include <pthread.h>

struct lls_capture {
    pthread_mutex_t lock;
    lls_buf keys;
    bool overflow;
};

lls_capture *lls_capture_new(size_t max)
{
    lls_capture *capture = lls_alloc(sizeof(*capture));

    if (!capture)
        return NULL;
    (void)pthread_mutex_init(&capture->lock, NULL);
    capture->keys.max = max;
    return capture;
}

void lls_capture_free(lls_capture *capture)
{
    if (!capture)
        return;
    (void)pthread_mutex_destroy(&capture->lock);
    lls_buf_fini(&capture->keys);
    lls_free(capture);
}

void lls_capture_write_key(lls_buf *keys, lls_bytes key)
{
    const uint8_t len[2] = {(uint8_t)(key.len >> 8), (uint8_t)key.len};

    lls_buf_reserve(keys, sizeof(len) + key.len);
    lls_buf_add(keys, (lls_bytes){len, sizeof(len)});
    lls_buf_add(keys, key);
}

/* Under the lock. */
static void forget(lls_capture *capture)
{
    lls_buf_clear(&capture->keys);
    capture->overflow = true;
}

void lls_capture_add(lls_capture *capture, lls_bytes key)
{
    (void)pthread_mutex_lock(&capture->lock);
    lls_capture_write_key(&capture->keys, key);
    if (capture->keys.status != LLS_OK)
        forget(capture);
    (void)pthread_mutex_unlock(&capture->lock);
}

void lls_capture_lose(lls_capture *capture)
{
    (void)pthread_mutex_lock(&capture->lock);
    forget(capture);
    (void)pthread_mutex_unlock(&capture->lock);
}

bool lls_capture_take(lls_capture *capture, lls_buf *keys)
{
    (void)pthread_mutex_lock(&capture->lock);
    bool whole = !capture->overflow;
    lls_buf_add(keys, lls_buf_view(&capture->keys));
    lls_buf_clear(&capture->keys);
    capture->overflow = false;
    (void)pthread_mutex_unlock(&capture->lock);
    return whole;
}

size_t lls_capture_size(lls_capture *capture)
{
    (void)pthread_mutex_lock(&capture->lock);
    size_t size = capture->overflow ? capture->keys.max : capture->keys.len;
    (void)pthread_mutex_unlock(&capture->lock);
    return size;
}
