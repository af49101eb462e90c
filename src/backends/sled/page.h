/** page.h - the payloads that one page is made of, read from the log and from blobs. */
#ifndef LLS_BACKENDS_SLED_PAGE_H
#define LLS_BACKENDS_SLED_PAGE_H

#include "backends/sled/conf.h"
#include "backends/sled/folder.h"
#include "backends/sled/pages.h"
#include "backends/sled/unzstd.h"

/** What is needed to read pages. */
typedef struct sled_source {
    const sled_folder *folder;
    const sled_conf *conf;
    const sled_pages *pages;
} sled_source;

typedef enum sled_store {
    SLED_STORE_RAW,   /* a message, as it is in the log */
    SLED_STORE_PLAIN, /* what was compressed */
    SLED_STORE_FILE,  /* a blob */
} sled_store;

typedef struct sled_payload {
    const sled_part *part;
    sled_store store;
    size_t file;   /* which */
    size_t offset; /* in the store */
    size_t len;
} sled_payload;

/** Zero is init. Used for one page after the other: what it holds is of the last one. */
typedef struct sled_page {
    uint64_t number;
    sled_payload *items; /* the oldest, which is a base, first */
    size_t count;
    size_t cap;
    lls_buf raw;
    lls_buf plain;
    sled_file *files;
    size_t file_count;
    size_t file_cap;
    sled_unzstd unzstd;
} sled_page;

/**
 * Read all parts of a page and verify them.
 *
 * Errors: LLS_E_NOTFOUND, without a message, when the page is not live; LLS_E_CORRUPT.
 */
lls_err sled_page_load(sled_page *page, const sled_source *source, uint64_t number,
                       lls_error *err) LLS_CHECKED;

/** The payload of part `index`. The view lives until the page is loaded again. */
lls_bytes sled_page_payload(const sled_page *page, size_t index);

/** LLS_E_CORRUPT that names the page, and the file and the byte where its part `index` begins. */
lls_err sled_page_damage(const sled_page *page, const sled_source *source, size_t index,
                         const char *what, lls_error *err);

void sled_page_fini(sled_page *page);

static inline void sled_page_auto(sled_page *page)
{
    sled_page_fini(page);
}

#endif
