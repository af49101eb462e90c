/** owner.c - one process writes: whoever holds the lock on the file `.lock`, which has its number.
 */
#include "backends/hnsw/store.h"

#include "base/file.h"
#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

enum { TRIES = 10 };

bool hnsw_is_owner(hnsw_store *store)
{
    (void)pthread_mutex_lock(&store->lock);
    bool owner = store->lock_fd >= 0;
    (void)pthread_mutex_unlock(&store->lock);
    return owner;
}

static lls_err busy(const hnsw_store *store, int fd, lls_error *err)
{
    char text[32] = {0};
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

    text[n > 0 ? strcspn(text, "\n") : 0] = '\0';
    return lls_fail(err, LLS_E_BUSY, "'%s' is being written to by process %s", store->path,
                    text[0] ? text : "(unknown)");
}

static lls_err take(hnsw_store *store, lls_error *err)
{
    LLS_AUTO(lls_buf) path = {0};
    char text[32];

    lls_buf_printf(&path, "%s/.lock", store->path);
    LLS_TRY(lls_buf_status(&path, err));
    LLS_AUTO(lls_fd) fd = open(lls_buf_cstr(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return lls_fail_sys(err, errno, "'%s'", lls_buf_cstr(&path));
    // who asks whether somebody writes holds it for a moment
    for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
        if (errno == EWOULDBLOCK && i < TRIES && usleep(2000) == 0)
            continue;
        return errno == EWOULDBLOCK ? busy(store, fd, err)
                                    : lls_fail_sys(err, errno, "lock '%s'", lls_buf_cstr(&path));
    }
    int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    // the number is for messages; without room for it we go on
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) != len)
        (void)ftruncate(fd, 0);
    store->lock_fd = fd;
    fd = -1;
    return LLS_OK;
}

lls_err hnsw_store_own(hnsw_store *store, lls_error *err)
{
    lls_err e = LLS_OK;

    if (!store->writable)
        return lls_fail(err, LLS_E_DENIED, "the store is open for reading only");
    (void)pthread_mutex_lock(&store->lock);
    if (store->lock_fd < 0)
        e = take(store, err);
    (void)pthread_mutex_unlock(&store->lock);
    return e;
}
