/** store_folder.h - a configuration whose store is a folder of its own below /tmp, for tests. */
#ifndef LLS_TESTING_STORE_FOLDER_H
#define LLS_TESTING_STORE_FOLDER_H

#include "ports/kv.h"
#include "testing/check.h"

#include <llmspell/config.h>

/** What `*state` points to. */
typedef struct lls_store_folder {
    char folder[32];
    lls_buf path; /**< Of the store, below `folder`; not there at first. */
    lls_config *config;
} lls_store_folder;

/** For a test's setup and teardown. The folder and all in it is removed at the end. */
int lls_store_folder_open(void **state);
int lls_store_folder_close(void **state);

/** Whether this build has the backend that these tests need. */
bool lls_store_folder_possible(void);

/** Apply writes for the tenant "default" past the components: nothing looks at keys and values. */
void lls_store_folder_write(lls_store_folder *folder, const lls_kv_write *writes, size_t count);

#endif
