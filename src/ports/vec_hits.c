#include "ports/vec_hits.h"

#include "base/alloc.h"

#include <stdlib.h>

/* Copies are made into blocks that stay where they are while hits are added. */
enum { BLOCK_BYTES = 64 << 10, ALIGN = 16 };

typedef struct block {
    struct block *next;
    size_t used;
    size_t size;
    _Alignas(ALIGN) uint8_t bytes[];
} block;

struct lls_vec_hold {
    block *blocks; /* the newest first */
    size_t cap;    /* of `hits` */
};

static lls_err no_memory(lls_error *err)
{
    return lls_fail(err, LLS_E_NOMEM, "no memory for the hits of a search");
}

static void *room(struct lls_vec_hold *hold, size_t bytes)
{
    size_t rounded = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);

    if (!hold->blocks || hold->blocks->size - hold->blocks->used < rounded) {
        size_t size = rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES;
        block *fresh = lls_resize(NULL, sizeof(block) + size);
        if (!fresh)
            return NULL;
        fresh->next = hold->blocks;
        fresh->size = size;
        fresh->used = 0;
        hold->blocks = fresh;
    }
    void *at = hold->blocks->bytes + hold->blocks->used;
    hold->blocks->used += rounded;
    return at;
}

/* Copy `len` bytes behind each other; an empty view stays empty. */
static bool copy(struct lls_vec_hold *hold, const void *data, size_t len, const void **out)
{
    *out = NULL;
    if (len == 0)
        return true;
    void *at = room(hold, len);
    if (!at)
        return false;
    memcpy(at, data, len);
    *out = at;
    return true;
}

static bool copy_text(struct lls_vec_hold *hold, lls_str *text)
{
    const void *at;

    if (!copy(hold, text->data, text->len, &at))
        return false;
    text->data = at;
    return true;
}

static bool copy_item(struct lls_vec_hold *hold, lls_vec_item *item, unsigned fields)
{
    const void *at;

    if (!copy(hold, item->id.data, item->id.len, &at))
        return false;
    item->id.data = at;
    if (!copy(hold, item->vector, fields & LLS_VEC_VECTOR ? item->space.dim * sizeof(float) : 0,
              &at))
        return false;
    item->vector = at;
    if (!(fields & LLS_VEC_TEXT))
        item->text = (lls_str){0};
    if (!(fields & LLS_VEC_METADATA))
        item->metadata = (lls_str){0};
    return copy_text(hold, &item->space.model) && copy_text(hold, &item->scope) &&
           copy_text(hold, &item->text) && copy_text(hold, &item->metadata);
}

static bool one_more(lls_vec_hits *hits)
{
    struct lls_vec_hold *hold = hits->hold;

    if (!hold) {
        hold = lls_alloc(sizeof(*hold));
        if (!hold)
            return false;
        hits->hold = hold;
    }
    if (hits->count == hold->cap) {
        size_t cap = hold->cap ? hold->cap * 2 : 16;
        lls_vec_hit *grown = lls_resize(hits->hits, cap * sizeof(*grown));
        if (!grown)
            return false;
        hits->hits = grown;
        hold->cap = cap;
    }
    return true;
}

lls_err lls_vec_hits_add(lls_vec_hits *hits, const lls_vec_item *item, unsigned fields,
                         float distance, float score, lls_error *err)
{
    lls_vec_item kept = *item;

    if (!one_more(hits) || !copy_item(hits->hold, &kept, fields))
        return no_memory(err);
    hits->hits[hits->count++] = (lls_vec_hit){kept, distance, score};
    return LLS_OK;
}

static int by_distance_then_id(const void *a, const void *b)
{
    const lls_vec_hit *x = a;
    const lls_vec_hit *y = b;

    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return lls_bytes_cmp(x->item.id, y->item.id);
}

static int by_score_then_id(const void *a, const void *b)
{
    const lls_vec_hit *x = a;
    const lls_vec_hit *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return lls_bytes_cmp(x->item.id, y->item.id);
}

void lls_vec_hits_rank(lls_vec_hits *hits, bool by_distance, size_t k)
{
    if (hits->count > 1)
        qsort(hits->hits, hits->count, sizeof(*hits->hits),
              by_distance ? by_distance_then_id : by_score_then_id);
    if (hits->count > k)
        hits->count = k;
}

void lls_vec_hits_clear(lls_vec_hits *hits)
{
    struct lls_vec_hold *hold = hits->hold;

    hits->count = 0;
    hits->exact = false;
    if (!hold)
        return;
    while (hold->blocks && hold->blocks->next) {
        block *older = hold->blocks->next;
        lls_free(hold->blocks);
        hold->blocks = older;
    }
    if (hold->blocks)
        hold->blocks->used = 0;
}

void lls_vec_hits_fini(lls_vec_hits *hits)
{
    if (hits->hold) {
        lls_vec_hits_clear(hits);
        lls_free(hits->hold->blocks);
        lls_free(hits->hold);
    }
    lls_free(hits->hits);
    *hits = (lls_vec_hits){0};
}
