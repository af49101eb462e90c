#include "backends/hnsw/agree.h"

#include "base/alloc.h"
#include "base/scope.h"
#include "ports/vec_record.h"

void hnsw_agreement_fini(hnsw_agreement *a)
{
    lls_free(a->spaces);
    *a = (hnsw_agreement){0};
}

/* Batches write record after record of one space: the last is looked at first. */
static hnsw_touched *find(const hnsw_agreement *a, lls_str coll, const lls_vec_space *space)
{
    for (size_t i = a->count; i > 0; i--) {
        hnsw_touched *t = &a->spaces[i - 1];
        if (lls_str_eq(t->space.model, space->model) &&
            (space->model.len || t->space.dim == space->dim) && lls_str_eq(t->coll, coll))
            return t;
    }
    return NULL;
}

static lls_err add(hnsw_agreement *a, const hnsw_touched *given, hnsw_touched **out, lls_error *err)
{
    if (a->count == a->cap) {
        size_t cap = a->cap ? a->cap * 2 : 4;
        hnsw_touched *grown = lls_resize(a->spaces, cap * sizeof(*grown));
        if (!grown)
            return lls_fail(err, LLS_E_NOMEM, "out of memory");
        a->spaces = grown;
        a->cap = cap;
    }
    a->spaces[a->count] = *given;
    *out = &a->spaces[a->count++];
    return LLS_OK;
}

/* The space of the collection that is touched for the first time. */
static lls_err touch_known(hnsw_agreement *a, const hnsw_coll *coll, uint32_t number,
                           hnsw_touched **out, lls_error *err)
{
    const hnsw_space *known = coll->spaces[number];
    const hnsw_touched fresh = {
        .coll = lls_str_of(coll->name), .known = number, .stay = known->count, known->space};

    return add(a, &fresh, out, err);
}

lls_err hnsw_agree_leave(hnsw_agreement *a, const hnsw_coll *coll, uint32_t number, lls_error *err)
{
    if (number == HNSW_NONE)
        return LLS_OK;
    hnsw_touched *t = find(a, lls_str_of(coll->name), &coll->spaces[number]->space);
    if (!t)
        LLS_TRY(touch_known(a, coll, number, &t, err));
    t->stay--;
    return LLS_OK;
}

static lls_err touch_new(hnsw_agreement *a, lls_str name, const hnsw_coll *coll,
                         const lls_vec_space *space, lls_error *err)
{
    const hnsw_touched fresh = {.coll = name, .known = HNSW_NONE, .stay = 1, .space = *space};
    size_t count = coll ? coll->space_count : 0;
    hnsw_touched *unused;

    for (size_t i = 0; i < a->count; i++)
        count += a->spaces[i].known == HNSW_NONE && lls_str_eq(a->spaces[i].coll, name);
    if (count >= HNSW_SPACES_MAX)
        return lls_fail(err, LLS_E_FULL, "more than %d embedding spaces in a collection",
                        HNSW_SPACES_MAX);
    return add(a, &fresh, &unused, err);
}

lls_err hnsw_agree_come(hnsw_agreement *a, lls_str name, const hnsw_coll *coll,
                        const lls_vec_space *space, lls_error *err)
{
    hnsw_touched *t = space->dim ? find(a, name, space) : NULL;

    if (space->dim == 0)
        return LLS_OK;
    if (!t) {
        uint32_t known = coll ? hnsw_coll_space(coll, space->model, space->dim) : HNSW_NONE;
        if (known == HNSW_NONE)
            return touch_new(a, name, coll, space, err);
        LLS_TRY(touch_known(a, coll, known, &t, err));
    }
    if (t->stay == 0) { // the first to come into what all have left
        t->anew = lls_vec_space_agree(&t->space, space, NULL) != LLS_OK;
        t->space = *space;
    }
    LLS_TRY(lls_vec_space_agree(&t->space, space, err));
    t->stay++;
    return LLS_OK;
}

bool hnsw_agree_anew(const hnsw_agreement *a, lls_str coll, uint32_t number)
{
    for (size_t i = a->count; number != HNSW_NONE && i > 0; i--)
        if (a->spaces[i - 1].known == number && lls_str_eq(a->spaces[i - 1].coll, coll))
            return a->spaces[i - 1].anew;
    return false;
}
