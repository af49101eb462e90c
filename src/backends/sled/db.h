/** db.h - an open database: what sled_open found out, and every thread then only reads. */
#ifndef LLS_BACKENDS_SLED_DB_H
#define LLS_BACKENDS_SLED_DB_H

#include "backends/sled/page.h"
#include "backends/sled/reader.h"

typedef struct sled_tree {
    lls_bytes name;
    uint64_t root; /* 0: the tree was never written */
} sled_tree;

struct sled_db {
    sled_folder folder;
    sled_conf conf;
    sled_pages *pages;
    sled_source source; /* the three above */
    sled_page meta;     /* the names of the trees are views into it */
    sled_tree *trees;   /* ascending */
    size_t tree_count;
    sled_facts facts;
};

/** Read the list of trees, and the counter. */
lls_err sled_meta_load(sled_db *db, lls_error *err) LLS_CHECKED;

/** The tree of this name, or NULL. */
const sled_tree *sled_tree_find(const sled_db *db, lls_bytes name);

#endif
