/* Sessions that have episodes which nobody has processed, by their latest activity. */
#include "base/alloc.h"
#include "base/hash.h"
#include "base/scope.h"
#include "components/episode.h"

#include <stdlib.h>

/* A session and when something last happened in it. The text is at `offset` of the names. */
typedef struct session {
    size_t offset;
    size_t len;
    int64_t last_usec;
} session;

typedef struct pending {
    session *sessions;
    size_t count;
    size_t cap;
    lls_buf names;
    uint32_t *table; /* by hash of the name: 1 + index of the session, or 0; open addressing */
    size_t slots;    /* a power of two, at least twice `count` */
} pending;

static void pending_auto(pending *p)
{
    lls_free(p->sessions);
    lls_free(p->table);
    lls_buf_fini(&p->names);
}

static lls_str name_of(const pending *p, const session *s)
{
    return (lls_str){(const char *)p->names.data + s->offset, s->len};
}

/* The slot that holds `name`, or the free one where it belongs. */
static uint32_t *slot_of(const pending *p, lls_str name)
{
    lls_bytes part = lls_bytes_of(name);
    size_t at = (size_t)lls_digest_of(&part, 1).low & (p->slots - 1);

    while (p->table[at] && !lls_str_eq(name_of(p, &p->sessions[p->table[at] - 1]), name))
        at = (at + 1) & (p->slots - 1);
    return &p->table[at];
}

/* Room for one more session. */
static lls_err grow(pending *p, lls_error *err)
{
    size_t cap = p->cap ? p->cap * 2 : 64;
    session *sessions = lls_resize(p->sessions, cap * sizeof(*sessions));
    if (sessions)
        p->sessions = sessions;
    uint32_t *table = lls_alloc(2 * cap * sizeof(*table));
    if (!sessions || !table) {
        lls_free(table);
        return lls_fail(err, LLS_E_NOMEM, "no memory for the sessions");
    }
    lls_free(p->table);
    p->table = table;
    p->slots = 2 * cap;
    p->cap = cap;
    for (size_t i = 0; i < p->count; i++)
        *slot_of(p, name_of(p, &p->sessions[i])) = (uint32_t)(i + 1);
    return LLS_OK;
}

static lls_err note(pending *p, lls_str name, lls_error *err)
{
    if (p->count == p->cap)
        LLS_TRY(grow(p, err));
    uint32_t *slot = slot_of(p, name);
    if (*slot)
        return LLS_OK;
    size_t offset = p->names.len;
    lls_buf_add_str(&p->names, name);
    LLS_TRY(lls_buf_status(&p->names, err));
    p->sessions[p->count++] = (session){offset, name.len, 0};
    *slot = (uint32_t)p->count;
    return LLS_OK;
}

static lls_err collect(lls_store *store, pending *p, lls_error *err)
{
    LLS_AUTO(lls_buf) last = {0};
    lls_episode_page page = {.abi = LLS_ABI,
                             .filter = {.state = LLS_EPISODE_UNPROCESSED},
                             .newest_first = true,
                             .limit = 1000};
    size_t count;

    do {
        lls_episode_hits found = {0};
        LLS_TRY(lls_episode_list(store, &page, &found, err));
        count = found.count;
        lls_err e = LLS_OK;
        for (size_t i = 0; e == LLS_OK && i < count; i++)
            if (found.hits[i].episode.session_id.len) // others' records belong to none
                e = note(p, found.hits[i].episode.session_id, err);
        lls_buf_clear(&last);
        if (count > 0) {
            lls_buf_add_str(&last, found.hits[count - 1].episode.id);
            page.after_happened_usec = found.hits[count - 1].episode.happened_usec;
        }
        lls_episode_hits_fini(&found);
        LLS_TRY(e);
        LLS_TRY(lls_buf_status(&last, err));
        page.after_id = lls_buf_str(&last);
    } while (count == page.limit);
    return LLS_OK;
}

/* When something last happened in each, processed or not. */
static lls_err date(lls_store *store, pending *p, lls_error *err)
{
    for (size_t i = 0; i < p->count; i++) {
        lls_episode_hits found = {0};
        lls_episode_page page = {.abi = LLS_ABI,
                                 .filter = {.session_id = name_of(p, &p->sessions[i])},
                                 .newest_first = true,
                                 .limit = 1};
        LLS_TRY(lls_episode_list(store, &page, &found, err));
        if (found.count > 0)
            p->sessions[i].last_usec = found.hits[0].episode.happened_usec;
        lls_episode_hits_fini(&found);
    }
    return LLS_OK;
}

static int by_latest(const void *a, const void *b)
{
    const session *x = a;
    const session *y = b;

    if (x->last_usec != y->last_usec)
        return x->last_usec > y->last_usec ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

lls_err lls_episode_pending(lls_store *store, lls_episode_session_fn each, void *user,
                            lls_error *err)
{
    LLS_AUTO(pending) p = {0};

    LLS_TRY(collect(store, &p, err));
    LLS_TRY(date(store, &p, err));
    if (p.count > 1)
        qsort(p.sessions, p.count, sizeof(*p.sessions), by_latest);
    for (size_t i = 0; i < p.count; i++)
        each(user, name_of(&p, &p.sessions[i]), p.sessions[i].last_usec);
    return LLS_OK;
}
