/* The hot swap: a component moves to another backend while it is read and written. */
#include "base/alloc.h"
#include "base/id.h"
#include "base/scope.h"
#include "ports/note.h"
#include "store/carry.h"
#include "store/route.h"

/* Keys that are captured before a comparison is cheaper; keys that a closed gate may wait for. */
enum { CAPTURE_MAX = 16 << 20, SMALL = 4 << 10, ROUNDS_MAX = 50 };

#define PROBE_COLL "swap_probe" /* where it is found out whether two backends are one store */

enum { PARTS = 2 }; /* the records, and their earlier versions */

typedef struct swap {
    lls_store *store;
    lls_route *route; /* the leader of both */
    lls_served *from;
    lls_served *to;
    lls_route *routes[PARTS];
    lls_carry parts[PARTS];
    size_t count;
    char run[LLS_ID_TEXT];
    bool published; /* the target holds what must be taken back if the swap fails */
} swap;

/* Two names for one store would make the clearing after a failure a loss. */
static lls_err refuse_same_store(const swap *s, lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};
    const lls_carry *carry = &s->parts[0];
    lls_kv_space space = {carry->space.tenant, LLS_STR(PROBE_COLL)};
    lls_bytes key = lls_bytes_of(lls_str_of(s->run));
    lls_kv_write probe = {.verb = LLS_KV_PUT, .coll = space.coll, .key = key};

    LLS_TRY(lls_note_apply(carry->target, space.tenant, probe, (lls_str){0}, err));
    lls_err seen = lls_note_get(carry->source, space, key, &text, NULL, err);
    LLS_TRY(lls_kv_delete(carry->target, space, key, err));
    if (seen == LLS_OK)
        return lls_fail(err, LLS_E_INVALID, "'%s' and '%s' are the same store", s->from->name,
                        s->to->name);
    return seen == LLS_E_NOTFOUND ? LLS_OK : seen;
}

static lls_err refuse_full(const swap *s, const lls_carry *carry, lls_error *err)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_kv_item item;

    LLS_TRY(lls_kv_scan(carry->target, carry->space, (lls_kv_range){0}, LLS_KV_ALL, &it, err));
    lls_err e = lls_kv_iter_next(it, &item, err);
    if (e == LLS_END)
        return LLS_OK;
    return e != LLS_OK ? e
                       : lls_fail(err, LLS_E_EXISTS, "'%s' holds records of '" LLS_FMT "' already",
                                  s->to->name, LLS_ARG(carry->space.coll));
}

static lls_err copy(swap *s, lls_error *err)
{
    LLS_AUTO(lls_kv_stage_ref) stage = NULL;
    lls_str colls[PARTS];
    lls_stage_spec spec = {
        .tenant = s->parts[0].space.tenant,
        .run = lls_str_of(s->run),
        .colls = colls,
        .coll_count = s->count,
        .mode = LLS_STAGE_MERGE,
    };

    for (size_t i = 0; i < s->count; i++)
        colls[i] = s->parts[i].space.coll;
    LLS_TRY(lls_stage_open(s->parts[0].target, &spec, &stage, err));
    for (size_t i = 0; i < s->count; i++)
        LLS_TRY(lls_carry_all(&s->parts[i], stage, err));
    LLS_TRY(lls_stage_prepare(stage, err));
    s->published = true; // of a lost answer nobody knows whether it was done
    return lls_stage_publish(stage, err);
}

/* Carry what was written so far; everything that differs, when the capture had no room for it. */
static lls_err carry_captured(const swap *s, lls_error *err)
{
    for (size_t i = 0; i < s->count; i++) {
        LLS_AUTO(lls_buf) keys = {.max = CAPTURE_MAX};
        if (lls_capture_take(s->routes[i]->capture, &keys))
            LLS_TRY(lls_carry_keys(&s->parts[i], &keys, err));
        else
            LLS_TRY(lls_carry_differences(&s->parts[i], err));
    }
    return LLS_OK;
}

static size_t waiting(const swap *s)
{
    size_t size = 0;

    for (size_t i = 0; i < s->count; i++)
        size += lls_capture_size(s->routes[i]->capture);
    return size;
}

static lls_err catch_up(const swap *s, lls_error *err)
{
    for (int i = 0; i < ROUNDS_MAX && waiting(s) > SMALL; i++)
        LLS_TRY(carry_captured(s, err));
    return LLS_OK;
}

/* Begin or end to capture while nobody writes, so that no write falls between. */
static void set_captures(const swap *s, lls_capture *const captures[PARTS])
{
    lls_gate_close(&s->route->gate);
    for (size_t i = 0; i < s->count; i++)
        s->routes[i]->capture = captures[i];
    lls_gate_open(&s->route->gate);
}

/* The last changes, and the flip, while writers wait and readers go on. */
static lls_err flip(swap *s, lls_error *err)
{
    lls_gate_close(&s->route->gate);
    lls_err e = carry_captured(s, err);
    if (e == LLS_OK) {
        (void)pthread_mutex_lock(&s->store->served.lock);
        lls_served *old = s->route->served;
        s->route->served = s->to;
        (void)pthread_mutex_unlock(&s->store->served.lock);
        s->to = old; // dropped by the caller, as is `from`
    }
    lls_gate_open(&s->route->gate);
    return e;
}

static lls_err move(swap *s, lls_error *err)
{
    LLS_TRY(copy(s, err));
    LLS_TRY(catch_up(s, err));
    // The proof: every record of one side against the other. What was written meanwhile differs,
    // is carried, and read back.
    for (size_t i = 0; i < s->count; i++)
        LLS_TRY(lls_carry_differences(&s->parts[i], err));
    LLS_TRY(catch_up(s, err));
    return flip(s, err);
}

static lls_err undo(const swap *s, lls_err e, lls_error *err)
{
    lls_error why = {0};
    lls_kv *target = s->parts[0].target;
    lls_str tenant = s->parts[0].space.tenant;

    lls_err undone = lls_stage_discard(target, tenant, lls_str_of(s->run), &why);
    for (size_t i = 0; undone == LLS_OK && s->published && i < s->count; i++)
        undone = lls_kv_clear(target, s->parts[i].space, &why);
    if (undone == LLS_OK || !err)
        return e;
    lls_error first = *err;
    return lls_fail(err, e, "%s; and '%s' still holds a part of it: %s", first.msg, s->to->name,
                    why.msg);
}

static lls_err run(swap *s, lls_error *err)
{
    lls_capture *captures[PARTS] = {0};
    lls_capture *const none[PARTS] = {0};
    lls_err e = LLS_OK;

    LLS_TRY(lls_id_make(lls_kv_now(s->parts[0].target), s->run, err));
    LLS_TRY(refuse_same_store(s, err));
    for (size_t i = 0; i < s->count; i++)
        LLS_TRY(refuse_full(s, &s->parts[i], err));
    for (size_t i = 0; i < s->count; i++) {
        captures[i] = lls_capture_new(CAPTURE_MAX);
        if (!captures[i])
            e = lls_fail(err, LLS_E_NOMEM, "out of memory");
    }
    if (e == LLS_OK) {
        set_captures(s, captures);
        e = move(s, err);
        set_captures(s, none);
        if (e != LLS_OK)
            e = undo(s, e, err);
    }
    for (size_t i = 0; i < s->count; i++)
        lls_capture_free(captures[i]);
    return e;
}

static lls_err swap_to(swap *s, lls_error *err)
{
    lls_route *const routes[PARTS] = {s->route, s->route->history};

    for (size_t i = 0; i < PARTS && routes[i]; i++) {
        lls_kv *target = NULL;
        LLS_TRY(lls_backend_records(s->to->backend, routes[i]->component->port, &target, err));
        s->routes[i] = routes[i];
        s->parts[i] = (lls_carry){lls_route_records(routes[i], s->from), target,
                                  lls_route_space(s->store, routes[i])};
        s->count = i + 1;
    }
    return run(s, err);
}

static lls_err swap_route(lls_store *store, lls_route *route, const char *backend, lls_error *err)
{
    swap s = {.store = store, .route = route};

    LLS_TRY(lls_route_hold(store, route, &s.from, err));
    lls_err e = LLS_OK;
    if (strcmp(s.from->name, backend) != 0) {
        e = lls_served_open(store, backend, &s.to, err);
        if (e == LLS_OK)
            e = swap_to(&s, err);
    }
    lls_served_drop(s.to);
    lls_served_drop(s.from);
    return e == LLS_OK ? LLS_OK
                       : lls_wrap(err, e, "move '%s' to '%s'", route->component->name, backend);
}

lls_err lls_store_swap(lls_store *store, lls_str component, const char *backend, lls_error *err)
{
    lls_route *route;

    LLS_TRY(lls_route_find(store, component, &route, err));
    if (route->leader)
        return lls_fail(err, LLS_E_INVALID, "'%s' moves together with '%s'", route->component->name,
                        route->leader->component->name);
    if (store->params.access == LLS_READ_ONLY)
        return lls_fail(err, LLS_E_DENIED, "the store is open for reading");
    (void)pthread_mutex_lock(&route->swap);
    lls_err e = swap_route(store, route, backend, err);
    (void)pthread_mutex_unlock(&route->swap);
    return e;
}
