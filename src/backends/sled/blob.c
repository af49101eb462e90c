#include "backends/sled/blob.h"

#include "backends/sled/wire.h"
#include "base/scope.h"

#include <inttypes.h>
#include <libdeflate.h>
#include <stdio.h>

void sled_blob_name(int64_t lsn, char out[SLED_BLOB_NAME])
{
    (void)snprintf(out, SLED_BLOB_NAME, "blobs/%" PRId64, lsn);
}

lls_err sled_blob_load(const sled_folder *folder, int64_t lsn, sled_file *out,
                       sled_blob_state *state, lls_error *err)
{
    char name[SLED_BLOB_NAME];
    sled_file file = {0};

    sled_blob_name(lsn, name);
    lls_err e = sled_folder_load(folder, name, &file, err);
    if (e != LLS_OK && e != LLS_E_NOTFOUND)
        return e;
    if (e == LLS_OK && file.bytes.len >= SLED_BLOB_HEADER &&
        libdeflate_crc32(0, file.bytes.data + 4, file.bytes.len - 4) ==
            lls_little_get(file.bytes.data, 4)) {
        *out = file;
        *state = SLED_BLOB_GOOD;
        return LLS_OK;
    }
    sled_file_fini(&file);
    *state = e == LLS_OK ? SLED_BLOB_BAD : SLED_BLOB_ABSENT;
    return LLS_OK;
}
