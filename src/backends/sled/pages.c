#include "backends/sled/pages.h"

#include "base/alloc.h"
#include "base/scope.h"

/* The table is in chunks: a page number out of all proportion takes one chunk, and no more. */
enum { CHUNK = 1024, BLOCK = 4096, STATE_FREE = 1, STATE_PARTS = 2 };

typedef struct page {
    uint32_t first; /* 0: unknown; STATE_FREE; or a part's index, which is STATE_PARTS or more */
    uint32_t last;
} page;

/* Parts never move: they are in blocks. Index 0 and 1 are states, and no parts. */
struct sled_pages {
    uint64_t limit;
    page **chunks;
    size_t chunk_count;
    sled_part **blocks;
    size_t block_count;
    uint32_t used;  /* parts that were ever used */
    uint32_t spare; /* the first of those that may be used again; 0: none */
    uint64_t end;   /* one more than the highest page heard of */
};

lls_err sled_pages_new(uint64_t limit, sled_pages **out, lls_error *err)
{
    sled_pages *pages = lls_alloc(sizeof(*pages));

    if (!pages)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    pages->limit = limit;
    pages->used = STATE_PARTS;
    *out = pages;
    return LLS_OK;
}

void sled_pages_free(sled_pages *pages)
{
    if (!pages)
        return;
    for (size_t i = 0; i < pages->chunk_count; i++)
        lls_free(pages->chunks[i]);
    for (size_t i = 0; i < pages->block_count; i++)
        lls_free(pages->blocks[i]);
    lls_free(pages->chunks);
    lls_free(pages->blocks);
    lls_free(pages);
}

static sled_part *part_at(const sled_pages *pages, uint32_t index)
{
    return &pages->blocks[index / BLOCK][index % BLOCK];
}

static lls_err grow_chunks(sled_pages *pages, size_t wanted)
{
    size_t count = pages->chunk_count ? pages->chunk_count : 16;

    if (wanted < pages->chunk_count)
        return LLS_OK;
    while (count <= wanted)
        count *= 2;
    page **moved = lls_resize(pages->chunks, count * sizeof(*moved));
    if (!moved)
        return LLS_E_NOMEM;
    for (size_t i = pages->chunk_count; i < count; i++)
        moved[i] = NULL;
    pages->chunks = moved;
    pages->chunk_count = count;
    return LLS_OK;
}

static lls_err find_or_add(sled_pages *pages, uint64_t number, page **out)
{
    if (number >= pages->limit || number / CHUNK > SIZE_MAX / 4 / sizeof(page *))
        return LLS_E_CORRUPT;
    size_t chunk = (size_t)(number / CHUNK);
    LLS_TRY(grow_chunks(pages, chunk));
    if (!pages->chunks[chunk])
        pages->chunks[chunk] = lls_alloc(CHUNK * sizeof(page));
    if (!pages->chunks[chunk])
        return LLS_E_NOMEM;
    if (number >= pages->end)
        pages->end = number + 1;
    *out = &pages->chunks[chunk][number % CHUNK];
    return LLS_OK;
}

static const page *find(const sled_pages *pages, uint64_t number)
{
    uint64_t chunk = number / CHUNK;

    if (chunk >= pages->chunk_count || !pages->chunks[chunk])
        return NULL;
    return &pages->chunks[chunk][number % CHUNK];
}

static lls_err add_block(sled_pages *pages)
{
    sled_part **moved = lls_resize(pages->blocks, (pages->block_count + 1) * sizeof(*moved));

    if (!moved)
        return LLS_E_NOMEM;
    pages->blocks = moved;
    moved[pages->block_count] = lls_alloc(BLOCK * sizeof(sled_part));
    if (!moved[pages->block_count])
        return LLS_E_NOMEM;
    pages->block_count++;
    return LLS_OK;
}

static lls_err new_part(sled_pages *pages, const sled_part *given, uint32_t *out)
{
    uint32_t index = pages->spare;

    if (index) {
        pages->spare = part_at(pages, index)->next;
    } else {
        if (pages->used == UINT32_MAX)
            return LLS_E_NOMEM;
        if (pages->used / BLOCK >= pages->block_count)
            LLS_TRY(add_block(pages));
        index = pages->used++;
    }
    sled_part *part = part_at(pages, index);
    *part = *given;
    part->next = 0;
    *out = index;
    return LLS_OK;
}

/* Its parts may be used again: the whole chain at once. */
static void empty(sled_pages *pages, page *p)
{
    if (p->first >= STATE_PARTS) {
        part_at(pages, p->last)->next = pages->spare;
        pages->spare = p->first;
    }
    *p = (page){STATE_FREE, 0};
}

lls_err sled_pages_replace(sled_pages *pages, uint64_t number, const sled_part *part)
{
    uint32_t index;
    page *p;

    LLS_TRY(find_or_add(pages, number, &p));
    empty(pages, p);
    LLS_TRY(new_part(pages, part, &index));
    *p = (page){index, index};
    return LLS_OK;
}

lls_err sled_pages_link(sled_pages *pages, uint64_t number, const sled_part *part)
{
    uint32_t index;
    page *p;

    LLS_TRY(find_or_add(pages, number, &p));
    if (p->first < STATE_PARTS || part_at(pages, p->last)->lsn >= part->lsn)
        return LLS_OK;
    LLS_TRY(new_part(pages, part, &index));
    part_at(pages, p->last)->next = index;
    p->last = index;
    return LLS_OK;
}

lls_err sled_pages_release(sled_pages *pages, uint64_t number)
{
    page *p;

    LLS_TRY(find_or_add(pages, number, &p));
    empty(pages, p);
    return LLS_OK;
}

const sled_part *sled_pages_first(const sled_pages *pages, uint64_t number)
{
    const page *p = find(pages, number);

    return p && p->first >= STATE_PARTS ? part_at(pages, p->first) : NULL;
}

const sled_part *sled_pages_next(const sled_pages *pages, const sled_part *part)
{
    return part->next ? part_at(pages, part->next) : NULL;
}

bool sled_pages_begin_in(const sled_pages *pages, uint64_t from, uint64_t len)
{
    for (uint64_t number = 0; number < pages->end; number++) {
        if (!find(pages, number))
            number |= CHUNK - 1; // to the end of the chunk that is not there
        for (const sled_part *part = sled_pages_first(pages, number); part;
             part = sled_pages_next(pages, part))
            if (!sled_kind_is_blob((sled_kind)part->kind) && part->where - from < len)
                return true;
    }
    return false;
}

sled_pages_totals sled_pages_total(const sled_pages *pages)
{
    sled_pages_totals sum = {0};
    uint64_t known = 0;

    sum.first_unknown = pages->end;
    for (uint64_t number = 0; number < pages->end; number++) {
        const page *p = find(pages, number);
        if ((!p || p->first == 0) && sum.first_unknown == pages->end)
            sum.first_unknown = number;
        if (!p)
            number |= CHUNK - 1; // to the end of the chunk that is not there
        if (!p || p->first == 0)
            continue;
        known++;
        sum.free += p->first == STATE_FREE;
        sum.live += p->first != STATE_FREE;
        for (const sled_part *part = sled_pages_first(pages, number); part;
             part = sled_pages_next(pages, part)) {
            sum.parts++;
            sum.blobs += sled_kind_is_blob((sled_kind)part->kind);
        }
    }
    sum.unknown = pages->end - known;
    return sum;
}
