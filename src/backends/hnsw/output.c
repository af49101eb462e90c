#include "backends/hnsw/output.h"

#include "backends/hnsw/mapping.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { STREAM_BYTES = 256 << 10 };

struct hnsw_output {
    int fd;
    lls_buf path;
    lls_buf fresh;
};

lls_err hnsw_output_open(const char *path, uint64_t length, hnsw_output **out, lls_error *err)
{
    hnsw_output *made = lls_alloc(sizeof(*made));

    if (!made)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    made->fd = -1;
    lls_buf_printf(&made->path, "%s", path);
    lls_buf_printf(&made->fresh, "%s.new", path);
    lls_err e = lls_buf_status(&made->path, err);
    if (e == LLS_OK)
        e = lls_buf_status(&made->fresh, err);
    if (e == LLS_OK) {
        made->fd = open(lls_buf_cstr(&made->fresh), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (made->fd < 0 || ftruncate(made->fd, (off_t)length) != 0)
            e = lls_fail_sys(err, errno, "write '%s'", lls_buf_cstr(&made->fresh));
    }
    if (e == LLS_OK)
        *out = made;
    else
        hnsw_output_close(made);
    return e;
}

lls_err hnsw_output_write(hnsw_output *output, uint64_t at, lls_bytes bytes, lls_error *err)
{
    while (bytes.len > 0) {
        ssize_t n = pwrite(output->fd, bytes.data, bytes.len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lls_fail_sys(err, errno, "write '%s'", lls_buf_cstr(&output->fresh));
        at += (uint64_t)n;
        bytes.data += n;
        bytes.len -= (size_t)n;
    }
    return LLS_OK;
}

static lls_err write_head(hnsw_output *output, hnsw_sections *head, lls_error *err)
{
    LLS_AUTO(lls_buf) bytes = {0};
    const uint8_t *map;
    size_t length;

    LLS_TRY(hnsw_map(lls_buf_cstr(&output->fresh), HNSW_MAP_SHARED, &map, &length, err));
    hnsw_sections_seal(head, map, &bytes);
    hnsw_unmap(map, length);
    LLS_TRY(lls_buf_status(&bytes, err));
    return hnsw_output_write(output, 0, lls_buf_view(&bytes), err);
}

lls_err hnsw_output_publish(hnsw_output *output, hnsw_sections *head, lls_error *err)
{
    const char *fresh = lls_buf_cstr(&output->fresh);
    const char *path = lls_buf_cstr(&output->path);

    LLS_TRY(write_head(output, head, err));
    if (fsync(output->fd) != 0)
        return lls_fail_sys(err, errno, "sync '%s'", fresh);
    if (rename(fresh, path) != 0)
        return lls_fail_sys(err, errno, "rename '%s'", fresh);
    lls_buf_clear(&output->fresh);
    return lls_file_sync_parent(path, err);
}

void hnsw_output_close(hnsw_output *output)
{
    if (!output)
        return;
    if (output->fd >= 0)
        (void)close(output->fd);
    if (output->fd >= 0 && output->fresh.len)
        (void)unlink(lls_buf_cstr(&output->fresh));
    lls_buf_fini(&output->path);
    lls_buf_fini(&output->fresh);
    lls_free(output);
}

lls_err hnsw_stream_flush(hnsw_stream *stream, hnsw_output *output, lls_error *err)
{
    LLS_TRY(lls_buf_status(&stream->pending, err));
    LLS_TRY(hnsw_output_write(output, stream->at, lls_buf_view(&stream->pending), err));
    stream->at += stream->pending.len;
    lls_buf_clear(&stream->pending);
    return LLS_OK;
}

lls_err hnsw_stream_put(hnsw_stream *stream, hnsw_output *output, lls_bytes bytes, lls_error *err)
{
    lls_buf_add(&stream->pending, bytes);
    if (stream->pending.len >= STREAM_BYTES || stream->pending.status != LLS_OK)
        return hnsw_stream_flush(stream, output, err);
    return LLS_OK;
}

lls_err hnsw_stream_put_at(hnsw_stream *stream, hnsw_output *output, uint64_t at, lls_bytes bytes,
                           lls_error *err)
{
    if (at != stream->at + stream->pending.len) {
        LLS_TRY(hnsw_stream_flush(stream, output, err));
        stream->at = at;
    }
    return hnsw_stream_put(stream, output, bytes, err);
}

void hnsw_stream_fini(hnsw_stream *stream)
{
    lls_buf_fini(&stream->pending);
}
