/**
 * file.h - files as a storage product needs them: whole or not at all, and on the disk when we
 * say so. Paths are NUL-terminated. Every error names the path.
 */
#ifndef LLS_BASE_FILE_H
#define LLS_BASE_FILE_H

#include <llmspell/bytes.h>

#include <sys/types.h>

/** Create `path` and every missing folder above it, with mode 0700. There already is fine. */
lls_err lls_file_mkdirs(const char *path, lls_error *err) LLS_CHECKED;

/** Append the contents to `out`. Errors: LLS_E_FULL when the file is over `max` bytes. */
lls_err lls_file_read(const char *path, size_t max, lls_buf *out, lls_error *err) LLS_CHECKED;

/**
 * Replace `path` by `contents` in one step: written beside it with `mode`, fsynced, renamed, and
 * the folder fsynced. A reader, or a crash, sees the old or the new file and nothing else.
 */
lls_err lls_file_replace(const char *path, lls_bytes contents, mode_t mode,
                         lls_error *err) LLS_CHECKED;

/** Write all of `bytes` to `fd`, however many calls that takes. `path` is for the message. */
lls_err lls_file_write(int fd, lls_bytes bytes, const char *path, lls_error *err) LLS_CHECKED;

/**
 * Append up to `most` bytes of `fd` to `out`: less only at the end of what it gives. `name` is for
 * the message.
 */
lls_err lls_file_take(int fd, size_t most, const char *name, lls_buf *out,
                      lls_error *err) LLS_CHECKED;

/** fsync the folder that holds `path`, so that a new name in it lasts. */
lls_err lls_file_sync_parent(const char *path, lls_error *err) LLS_CHECKED;

/** Whether something is there. */
bool lls_file_exists(const char *path);

/**
 * Append `text` with a leading `~` replaced by the home folder and a leading `{config}`, `{data}`
 * or `{state}` by the XDG base folder with `/llmspell` behind it.
 *
 * Errors: LLS_E_INVALID when the home folder is not known.
 */
lls_err lls_file_expand(lls_str text, lls_buf *out, lls_error *err) LLS_CHECKED;

/** The same with the variables of `environment` ("NAME=value", …, NULL). */
lls_err lls_file_expand_in(const char *const *environment, lls_str text, lls_buf *out,
                           lls_error *err) LLS_CHECKED;

/** The value of `name` in an environment, or NULL. */
const char *lls_environment_get(const char *const *environment, const char *name);

typedef int lls_fd; /* -1: none. LLS_AUTO(lls_fd) fd = -1; closes it on the way out */
void lls_fd_auto(lls_fd *fd);

#endif
