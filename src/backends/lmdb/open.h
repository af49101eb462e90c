/** open.h - opening the files of an environment, and knowing what they are. */
#ifndef LLS_BACKENDS_LMDB_OPEN_H
#define LLS_BACKENDS_LMDB_OPEN_H

#include "backends/lmdb/env.h"

#include <sys/stat.h>

/** Find the folder, or make it when writing, and say which one it is. */
lls_err lmdb_open_folder(const lmdb_conf *conf, bool write, struct stat *folder,
                         lls_error *err) LLS_CHECKED;

/**
 * Fill `env->raw` and what depends on it, while no other thread uses `env`: open the files, check
 * them, and open or set up the tables. On failure `env->raw` is NULL.
 */
lls_err lmdb_open_raw(lmdb_env *env, const lmdb_conf *conf, bool write, lls_error *err) LLS_CHECKED;

/** Bring a store that was opened for writing to today's format, in one transaction. */
lls_err lmdb_convert(lmdb_env *env, lls_error *err) LLS_CHECKED;

#endif
