/*
 * Scopes, EQ and IN are answered by lists (traits.h), which are brought together as bitmaps; times
 * by what is beside the records; whatever is left is asked of each record that is still in.
 */
#include "backends/hnsw/choose.h"

#include "backends/hnsw/traits.h"
#include "base/alloc.h"
#include "base/scope.h"

/* What is known of a filter. */
typedef struct chooser {
    hnsw_coll *coll;
    const lls_filter *filter;
    int64_t now_usec;
    hnsw_choice choice;
    uint64_t *scratch;
    bool narrowed; /* a list was used: `choice.words` has what it left */
    bool ask;      /* some condition no list can answer */
} chooser;

void hnsw_choice_fini(hnsw_choice *choice)
{
    lls_free(choice->words);
    *choice = (hnsw_choice){0};
}

static size_t word_count(const chooser *c)
{
    return (size_t)c->choice.docs / 64 + 1;
}

static void set(uint64_t *words, hnsw_trait trait)
{
    for (size_t i = 0; i < trait.count; i++)
        words[trait.docs[i] / 64] |= UINT64_C(1) << (trait.docs[i] % 64);
}

/* Keep what is in `scratch` too, and empty that. Odd records stay. */
static void narrow(chooser *c)
{
    set(c->scratch, hnsw_traits_odd(c->coll->traits));
    for (size_t i = 0; i < word_count(c); i++)
        c->choice.words[i] = (c->narrowed ? c->choice.words[i] : c->coll->live[i]) & c->scratch[i];
    memset(c->scratch, 0, word_count(c) * sizeof(*c->scratch));
    c->narrowed = true;
}

static void use_scopes(chooser *c)
{
    hnsw_trait trait;
    bool told = true;

    if (c->filter->scope_count == 0)
        return;
    for (size_t i = 0; told && i < c->filter->scope_count; i++) {
        told = hnsw_traits_scope(c->coll->traits, c->filter->scopes[i], &trait);
        if (told)
            set(c->scratch, trait);
    }
    if (told)
        narrow(c);
    else
        c->ask = true;
}

static void use_term(chooser *c, const lls_filter_term *term)
{
    bool listed = (term->op == LLS_FILTER_EQ || term->op == LLS_FILTER_IN) &&
                  (term->path.len == 0 || term->path.data[0] != '/');
    size_t count = term->op == LLS_FILTER_EQ ? 1 : term->value_count;
    hnsw_trait trait;

    for (size_t i = 0; listed && i < count; i++) {
        listed = hnsw_traits_value(c->coll->traits, term->path, term->values[i], &trait);
        if (listed)
            set(c->scratch, trait);
    }
    if (listed) {
        narrow(c);
        return;
    }
    memset(c->scratch, 0, word_count(c) * sizeof(*c->scratch));
    c->ask = true;
}

static bool in_range(lls_time_range range, int64_t usec)
{
    return (range.from_usec == 0 || usec >= range.from_usec) &&
           (range.to_usec == 0 || usec <= range.to_usec);
}

static bool is_odd(const chooser *c, uint32_t doc)
{
    hnsw_trait odd = c->coll->traits ? hnsw_traits_odd(c->coll->traits) : (hnsw_trait){0};
    size_t low = 0;
    size_t high = odd.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (odd.docs[middle] < doc)
            low = middle + 1;
        else
            high = middle;
    }
    return low < odd.count && odd.docs[low] == doc;
}

/* Whether a record that no list took out is meant. */
static lls_err decide(const chooser *c, uint32_t doc, bool *out, lls_error *err)
{
    const lls_filter *filter = c->filter;
    hnsw_record record;
    lls_vec_item item;

    hnsw_coll_record(c->coll, doc, &record);
    *out = false;
    if (!(filter && filter->include_expired) && lls_kv_expired(&record.meta, c->now_usec))
        return LLS_OK;
    if (filter && (!in_range(filter->event, record.event_usec) ||
                   !in_range(filter->ingestion, record.meta.created_usec)))
        return LLS_OK;
    *out = true;
    if (!filter || !(c->ask || is_odd(c, doc)))
        return LLS_OK;
    LLS_TRY(hnsw_coll_item(c->coll, &record, false, NULL, &item, err));
    lls_filter_subject subject = {item.scope, item.metadata, record.event_usec,
                                  record.meta.created_usec, record.meta.expires_usec};
    return lls_filter_match(filter, &subject, c->now_usec, out, err);
}

static lls_err decide_all(chooser *c, lls_error *err)
{
    uint64_t *words = c->choice.words;

    for (size_t i = 0; i < word_count(c); i++) {
        uint64_t rest = c->narrowed ? words[i] : c->coll->live[i];
        words[i] = 0;
        for (; rest; rest &= rest - 1) {
            unsigned bit = (unsigned)__builtin_ctzll(rest);
            bool meant;
            LLS_TRY(decide(c, (uint32_t)(i * 64 + bit), &meant, err));
            words[i] |= (uint64_t)meant << bit;
            c->choice.count += meant;
        }
    }
    return LLS_OK;
}

/* Whether nothing but being there is asked for. */
static bool is_everything(const hnsw_coll *coll, const lls_filter *filter)
{
    if (!filter)
        return coll->expiring == 0;
    return filter->term_count == 0 && filter->scope_count == 0 && filter->event.from_usec == 0 &&
           filter->event.to_usec == 0 && filter->ingestion.from_usec == 0 &&
           filter->ingestion.to_usec == 0 && (filter->include_expired || coll->expiring == 0);
}

static lls_err choose(chooser *c, lls_error *err)
{
    c->choice.words = lls_alloc(word_count(c) * sizeof(uint64_t));
    c->scratch = lls_alloc(word_count(c) * sizeof(uint64_t));
    if (!c->choice.words || !c->scratch)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    if (c->filter && (c->filter->term_count || c->filter->scope_count)) {
        LLS_TRY(hnsw_traits_ready(c->coll, err));
        use_scopes(c);
        for (size_t i = 0; i < c->filter->term_count; i++)
            use_term(c, &c->filter->terms[i]);
    }
    return decide_all(c, err);
}

lls_err hnsw_choose(hnsw_coll *coll, const lls_filter *filter, int64_t now_usec, hnsw_choice *out,
                    lls_error *err)
{
    chooser c = {.coll = coll,
                 .filter = filter,
                 .now_usec = now_usec,
                 .choice = {.docs = hnsw_coll_docs(coll), .coll = coll}};

    if (is_everything(coll, filter) || c.choice.docs == 0) {
        *out =
            (hnsw_choice){.all = true, .docs = c.choice.docs, .count = coll->count, .coll = coll};
        return LLS_OK;
    }
    lls_err e = choose(&c, err);
    lls_free(c.scratch);
    if (e == LLS_OK)
        *out = c.choice;
    else
        hnsw_choice_fini(&c.choice);
    return e;
}

lls_err hnsw_choice_slots(const hnsw_choice *choice, uint32_t space, uint64_t **words,
                          uint32_t *slots, uint32_t *count, lls_error *err)
{
    const hnsw_coll *coll = choice->coll;
    const hnsw_space *at = coll->spaces[space];
    size_t most = at->base_slots + at->later_cap;
    uint64_t *made = lls_alloc((most / 64 + 1) * sizeof(*made));
    hnsw_record record;

    if (!made)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    *count = 0;
    for (size_t i = 0; i < (size_t)choice->docs / 64 + 1; i++) {
        for (uint64_t rest = choice->words[i]; rest; rest &= rest - 1) {
            hnsw_coll_record(coll, (uint32_t)(i * 64 + (unsigned)__builtin_ctzll(rest)), &record);
            if (record.space != space)
                continue;
            made[record.slot / 64] |= UINT64_C(1) << (record.slot % 64);
            ++*count;
        }
    }
    *words = made;
    *slots = (uint32_t)most;
    return LLS_OK;
}
