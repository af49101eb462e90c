#include "testing/transfer.h"

#include "base/file.h"
#include "base/scope.h"

#include <stdio.h>
#include <unistd.h>

int lls_temporary_file(void)
{
    FILE *file = tmpfile();

    assert_non_null(file);
    int fd = dup(fileno(file));
    (void)fclose(file);
    assert_true(fd >= 0);
    return fd;
}

lls_err lls_import_text(lls_store *store, lls_str component, lls_bytes text,
                        const lls_transfer_options *options, uint64_t *records, lls_error *err)
{
    LLS_AUTO(lls_fd) fd = lls_temporary_file();

    assert_ok(lls_file_write(fd, text, "the test's file", err), *err);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return lls_import(store, component, fd, options, records, err);
}

static void read_back(int fd, lls_buf *out)
{
    ssize_t n = 0;

    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    do {
        lls_buf_reserve(out, 1 << 16);
        n = read(fd, out->data + out->len, 1 << 16);
        assert_true(n >= 0);
        out->len += (size_t)n;
    } while (n > 0);
}

void lls_assert_export(lls_store *store, lls_str component, const lls_transfer_options *options,
                       lls_bytes want)
{
    LLS_AUTO(lls_fd) fd = lls_temporary_file();
    LLS_AUTO(lls_buf) got = {0};
    lls_error err = {0};
    uint64_t records = 0;
    uint64_t lines = 0;

    assert_ok(lls_export(store, component, fd, options, &records, &err), err);
    read_back(fd, &got);
    for (size_t i = 0; i < got.len; i++)
        lines += got.data[i] == '\n';
    assert_int_equal(records, lines);
    assert_int_equal(got.len, want.len);
    if (want.len)
        assert_memory_equal(got.data, want.data, want.len);
}
