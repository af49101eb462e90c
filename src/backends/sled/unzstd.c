#include "backends/sled/unzstd.h"

#include <zstd.h>

static lls_err make_room(lls_buf *out, size_t more)
{
    lls_buf_reserve(out, more ? more : 1);
    lls_err e = out->status;
    out->status = LLS_OK; // the caller's buffer is still good
    return e;
}

lls_err sled_unzstd_frame(sled_unzstd *unzstd, lls_bytes frame, lls_buf *out)
{
    unsigned long long size = ZSTD_getFrameContentSize(frame.data, frame.len);

    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR ||
        ZSTD_findFrameCompressedSize(frame.data, frame.len) != frame.len)
        return LLS_E_CORRUPT;
    if (size > SLED_PAYLOAD_MAX)
        return LLS_E_FULL;
    if (!unzstd->context)
        unzstd->context = ZSTD_createDCtx();
    if (!unzstd->context)
        return LLS_E_NOMEM;
    lls_err e = make_room(out, (size_t)size);
    if (e != LLS_OK)
        return e;
    size_t got = ZSTD_decompressDCtx(unzstd->context, out->data + out->len, (size_t)size,
                                     frame.data, frame.len);
    if (ZSTD_isError(got) || got != size)
        return LLS_E_CORRUPT;
    out->len += got;
    return LLS_OK;
}

void sled_unzstd_fini(sled_unzstd *unzstd)
{
    (void)ZSTD_freeDCtx(unzstd->context); // NULL is fine
    unzstd->context = NULL;
}
