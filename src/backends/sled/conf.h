/** conf.h - the file `conf`: what a database is made of, as it was when it was created. */
#ifndef LLS_BACKENDS_SLED_CONF_H
#define LLS_BACKENDS_SLED_CONF_H

#include "backends/sled/folder.h"

typedef struct sled_conf {
    uint64_t segment_bytes; /* a power of two */
    bool compressed;
} sled_conf;

/**
 * Read the file.
 *
 * Errors: LLS_E_NOTFOUND when there is none, or too little of one; LLS_E_CORRUPT;
 * LLS_E_UNSUPPORTED for another version of the engine.
 */
lls_err sled_conf_read(const sled_folder *folder, sled_conf *out, lls_error *err) LLS_CHECKED;

/** The same from the bytes of the file. `folder` is for messages. */
lls_err sled_conf_parse(const sled_folder *folder, lls_bytes file, sled_conf *out,
                        lls_error *err) LLS_CHECKED;

#endif
