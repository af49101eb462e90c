#include "text/terms.h"

#include "base/alloc.h"
#include "base/hash.h"

enum { SLOTS_MIN = 64, POSTINGS_MIN = 2 };

static void term_free(lls_terms *terms, lls_term *term)
{
    terms->bytes -= sizeof(*term) + term->word_len + term->cap * sizeof(lls_posting);
    lls_free(term->postings);
    lls_free(term);
}

void lls_terms_fini(lls_terms *terms)
{
    for (size_t i = 0; i < terms->slot_count; i++)
        if (terms->slots[i])
            term_free(terms, terms->slots[i]);
    lls_free(terms->slots);
    *terms = (lls_terms){0};
}

/* Where the word is in the table, or the free slot where it belongs: an open table with linear
 * probing (Knuth, The Art of Computer Programming 3, 6.4, algorithm L). One slot is always free. */
static size_t slot_of(lls_term *const *slots, size_t slot_count, lls_str word)
{
    const lls_bytes bytes = lls_bytes_of(word);
    size_t at = lls_checksum(&bytes, 1) & (slot_count - 1);

    while (slots[at] && !lls_str_eq((lls_str){slots[at]->word, slots[at]->word_len}, word))
        at = (at + 1) & (slot_count - 1);
    return at;
}

lls_term *lls_terms_find(const lls_terms *terms, lls_str word)
{
    return terms->slots ? terms->slots[slot_of(terms->slots, terms->slot_count, word)] : NULL;
}

/* A new table with room for twice the words that somebody has; those that nobody has are freed. */
static bool make_room(lls_terms *terms)
{
    size_t living = 0;
    for (size_t i = 0; i < terms->slot_count; i++)
        living += terms->slots[i] && terms->slots[i]->live;

    size_t slot_count = SLOTS_MIN;
    while (slot_count < 3 * (living + 1))
        slot_count *= 2;
    lls_term **slots = lls_alloc(slot_count * sizeof(lls_term *));
    if (!slots)
        return false;
    for (size_t i = 0; i < terms->slot_count; i++) {
        lls_term *term = terms->slots[i];
        if (term && term->live)
            slots[slot_of(slots, slot_count, (lls_str){term->word, term->word_len})] = term;
        else if (term)
            term_free(terms, term);
    }
    lls_free(terms->slots);
    terms->bytes -= terms->slot_count * sizeof(lls_term *);
    terms->bytes += slot_count * sizeof(lls_term *);
    terms->slots = slots;
    terms->slot_count = slot_count;
    terms->used = living;
    return true;
}

lls_term *lls_terms_make(lls_terms *terms, lls_str word)
{
    lls_term *found = lls_terms_find(terms, word);

    if (found)
        return found;
    if (2 * (terms->used + 1) > terms->slot_count && !make_room(terms))
        return NULL;
    lls_term *term = lls_alloc(sizeof(*term) + word.len);
    if (!term)
        return NULL;
    term->word_len = word.len;
    memcpy(term->word, word.data, word.len);
    terms->slots[slot_of(terms->slots, terms->slot_count, word)] = term;
    terms->used++;
    terms->bytes += sizeof(*term) + word.len;
    return term;
}

/* Index of the first posting whose document is not less. */
static size_t place_of(const lls_term *term, uint32_t doc)
{
    size_t low = 0;
    size_t high = term->count;

    if (high > 0 && term->postings[high - 1].doc < doc)
        return high; // the usual case: numbers rise
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (term->postings[middle].doc < doc)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool set_cap(lls_terms *terms, lls_term *term, size_t cap)
{
    lls_posting *moved = lls_resize(term->postings, cap * sizeof(*moved));

    if (!moved)
        return false;
    terms->bytes -= term->cap * sizeof(*moved);
    terms->bytes += cap * sizeof(*moved);
    term->postings = moved;
    term->cap = cap;
    return true;
}

bool lls_term_count(lls_terms *terms, lls_term *term, uint32_t doc)
{
    size_t at = place_of(term, doc);

    if (at < term->count && term->postings[at].doc == doc) {
        term->live += term->postings[at].occurrences == 0;
        term->postings[at].occurrences++;
        return true;
    }
    if (term->count == term->cap &&
        !set_cap(terms, term, term->cap ? term->cap + term->cap / 2 + 1 : POSTINGS_MIN))
        return false;
    memmove(&term->postings[at + 1], &term->postings[at],
            (term->count - at) * sizeof(term->postings[0]));
    term->postings[at] = (lls_posting){doc, 1};
    term->count++;
    term->live++;
    return true;
}

/* Take out what was removed, and give back the room if memory lets us. */
static void compact(lls_terms *terms, lls_term *term)
{
    size_t kept = 0;

    for (size_t i = 0; i < term->count; i++)
        if (term->postings[i].occurrences)
            term->postings[kept++] = term->postings[i];
    term->count = kept;
    (void)set_cap(terms, term, kept < POSTINGS_MIN ? POSTINGS_MIN : kept);
}

void lls_term_forget(lls_terms *terms, lls_term *term, uint32_t doc)
{
    size_t at = place_of(term, doc);

    if (at == term->count || term->postings[at].doc != doc || !term->postings[at].occurrences)
        return;
    term->postings[at].occurrences = 0;
    term->live--;
    if (term->count - term->live > term->live + POSTINGS_MIN)
        compact(terms, term);
}
