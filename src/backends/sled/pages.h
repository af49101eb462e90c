/**
 * pages.h - the page table: of which messages each page is made.
 *
 * Eight bytes a page and 24 a message. Parts that were superseded are used again.
 */
#ifndef LLS_BACKENDS_SLED_PAGES_H
#define LLS_BACKENDS_SLED_PAGES_H

#include "backends/sled/message.h"

typedef struct sled_part {
    int64_t lsn;
    uint64_t where;    /* byte of `db` where the message begins; of a blob: its name */
    uint32_t len : 28; /* bytes of the message; of a blob, or when it is not known: 0 */
    uint32_t kind : 4; /* sled_kind */
    uint32_t next;     /* the part that was added later; 0: none */
} sled_part;

typedef struct sled_pages sled_pages;

typedef struct sled_pages_totals {
    uint64_t live;
    uint64_t free;
    uint64_t unknown; /* below the highest page, and never heard of */
    uint64_t first_unknown;
    uint64_t parts;
    uint64_t blobs;
} sled_pages_totals;

/** `limit` is more than any page's number. Owns: sled_pages_free. */
lls_err sled_pages_new(uint64_t limit, sled_pages **out, lls_error *err) LLS_CHECKED;
void sled_pages_free(sled_pages *pages);

/**
 * The page is now this part alone. Errors: LLS_E_CORRUPT, without a message, for a number over the
 * limit; LLS_E_NOMEM. So with the next two.
 */
lls_err sled_pages_replace(sled_pages *pages, uint64_t page, const sled_part *part) LLS_CHECKED;

/** Add a part, if the page is live; otherwise its base will follow, and has this part in it. */
lls_err sled_pages_link(sled_pages *pages, uint64_t page, const sled_part *part) LLS_CHECKED;

lls_err sled_pages_release(sled_pages *pages, uint64_t page) LLS_CHECKED;

/** The oldest part of a live page, or NULL. */
const sled_part *sled_pages_first(const sled_pages *pages, uint64_t page);

/** The part behind `part`, or NULL. */
const sled_part *sled_pages_next(const sled_pages *pages, const sled_part *part);

/** Whether a message of a live page begins in the `len` bytes of `db` from `from` on. */
bool sled_pages_begin_in(const sled_pages *pages, uint64_t from, uint64_t len);

/** Count everything. */
sled_pages_totals sled_pages_total(const sled_pages *pages);

#endif
