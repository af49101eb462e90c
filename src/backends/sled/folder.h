/**
 * folder.h - the files of a database, opened for reading and nothing else.
 *
 * All is read with pread, so that a disk that fails, or a file that is cut meanwhile, is an error
 * and no signal; the smaller files as a whole. The shared lock on `db` keeps the engine out.
 */
#ifndef LLS_BACKENDS_SLED_FOLDER_H
#define LLS_BACKENDS_SLED_FOLDER_H

#include <llmspell/bytes.h>

typedef struct sled_folder {
    char *path;
    int fd;
    int db; /* -1: there is none, which is an empty database */
    uint64_t db_bytes;
} sled_folder;

/** A file in memory. */
typedef struct sled_file {
    lls_bytes bytes;
} sled_file;

/** Owns: closed with sled_folder_close, also after a failure. */
lls_err sled_folder_open(const char *path, sled_folder *out, lls_error *err) LLS_CHECKED;
void sled_folder_close(sled_folder *folder);

/** Exactly `len` bytes of `db` from `offset`. LLS_E_CORRUPT when they are not there. */
lls_err sled_folder_read(const sled_folder *folder, uint64_t offset, uint8_t *out, size_t len,
                         lls_error *err) LLS_CHECKED;

/**
 * The first byte of `db` from `offset` on that may be something else than zero: what is before it
 * is a hole in the file. The file's end when there is none.
 */
uint64_t sled_folder_data_from(const sled_folder *folder, uint64_t offset);

/**
 * Read the file `name` of the folder.
 *
 * Errors: LLS_E_NOTFOUND, without a message, when there is none. Owns: sled_file_fini.
 */
lls_err sled_folder_load(const sled_folder *folder, const char *name, sled_file *out,
                         lls_error *err) LLS_CHECKED;
void sled_file_fini(sled_file *file);

/** Told the name of each file; LLS_OK goes on. */
typedef lls_err (*sled_name_fn)(void *user, const char *name, lls_error *err);
lls_err sled_folder_list(const sled_folder *folder, sled_name_fn each, void *user,
                         lls_error *err) LLS_CHECKED;

/** LLS_E_CORRUPT, with "'PATH/FILE' at byte OFFSET: " before the text. */
lls_err sled_damage(const sled_folder *folder, const char *file, uint64_t offset, lls_error *err,
                    const char *fmt, ...) LLS_PRINTF(5, 6);

static inline void sled_file_auto(sled_file *file)
{
    sled_file_fini(file);
}

#endif
