#include "tools/export_fbin.h"

#include "base/file.h"
#include "base/little.h"
#include "base/scope.h"
#include "ports/vec_record.h"

#include <errno.h>
#include <unistd.h>

enum { WRITE_SIZE = 256 << 10 };

static const char destination[] = "the destination of the export";

typedef lls_store_list *store_list_ref;
static void store_list_ref_auto(store_list_ref *list)
{
    lls_store_list_close(*list);
}

typedef struct writing {
    int fd;
    lls_buf out;
    lls_buf floats;
    uint32_t dim;
    uint64_t rows;
} writing;

static void writing_auto(writing *w)
{
    lls_buf_fini(&w->out);
    lls_buf_fini(&w->floats);
}

static lls_err flush(writing *w, lls_error *err)
{
    LLS_TRY(lls_buf_status(&w->out, err));
    LLS_TRY(lls_file_write(w->fd, lls_buf_view(&w->out), destination, err));
    lls_buf_clear(&w->out);
    return LLS_OK;
}

static lls_err write_row(writing *w, const lls_record *record, lls_str model, lls_error *err)
{
    lls_kv_item item = {.key = record->key, .value = record->value, .meta = {.version = 1}};
    lls_vec_item vector;

    LLS_TRY(lls_vec_record_decode(&item, &w->floats, &vector, err));
    if (vector.space.dim == 0 || !lls_str_eq(vector.space.model, model))
        return LLS_OK;
    if (w->dim == 0)
        w->dim = vector.space.dim;
    if (w->dim != vector.space.dim)
        return lls_fail(err, LLS_E_UNSUPPORTED,
                        "vectors of %u and of %u dimensions do not go into one .fbin file", w->dim,
                        vector.space.dim);
    if (w->rows == UINT32_MAX)
        return lls_fail(err, LLS_E_FULL, "an .fbin file holds at most 4,294,967,295 rows");
    for (uint32_t i = 0; i < vector.space.dim; i++) {
        uint32_t bits;
        memcpy(&bits, &vector.vector[i], sizeof(bits));
        lls_little_add(&w->out, bits, 4);
    }
    w->rows++;
    return w->out.len >= WRITE_SIZE ? flush(w, err) : lls_buf_status(&w->out, err);
}

/* How many rows there are is known at the end only, and stands at the beginning. */
static lls_err write_head(writing *w, off_t at, lls_error *err)
{
    LLS_TRY(flush(w, err));
    if (lseek(w->fd, at, SEEK_SET) < 0)
        return lls_fail_sys(err, errno, "go back in %s", destination);
    lls_little_add(&w->out, (uint32_t)w->rows, 4);
    lls_little_add(&w->out, w->dim, 4);
    LLS_TRY(flush(w, err));
    return lseek(w->fd, 0, SEEK_END) < 0 ? lls_fail_sys(err, errno, "go on in %s", destination)
                                         : LLS_OK;
}

lls_err lls_export_fbin(lls_store *store, lls_str component, int fd,
                        const lls_transfer_options *options, uint64_t *rows, lls_error *err)
{
    LLS_AUTO(store_list_ref) list = NULL;
    LLS_AUTO(writing) w = {.fd = fd};
    lls_record record = {0};
    lls_err e = LLS_OK;

    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at < 0)
        return lls_fail(err, LLS_E_UNSUPPORTED,
                        "an .fbin file begins with how many rows it has: it goes into a file, not "
                        "into a pipe");
    LLS_TRY(lls_store_list_open(store, component, (lls_bytes){0}, (lls_bytes){0}, &list, err));
    lls_little_add(&w.out, 0, 4);
    lls_little_add(&w.out, 0, 4);
    while ((e = lls_store_list_next(list, &record, err)) == LLS_OK) {
        if (options->cancel && *options->cancel)
            return lls_fail(err, LLS_E_CANCELLED, "cancelled");
        LLS_TRY(write_row(&w, &record, options->model, err));
        if (options->progress && w.rows % 1000 == 0)
            options->progress(options->user, w.rows, w.rows * w.dim * sizeof(float));
    }
    if (e != LLS_END)
        return e;
    LLS_TRY(write_head(&w, at, err));
    *rows = w.rows;
    return LLS_OK;
}
