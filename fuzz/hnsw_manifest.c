/* A manifest of any content is refused with a message, or written as the same text again. */
#include "backends/hnsw/manifest.h"

#include "base/hash.h"
#include "base/scope.h"
#include "fuzz.h"

static void decode(lls_str text)
{
    LLS_AUTO(hnsw_manifest) manifest = {0};
    LLS_AUTO(hnsw_manifest) copy = {0};
    LLS_AUTO(lls_buf) again = {0};
    lls_error err = {0};

    if (hnsw_manifest_decode(text, &manifest, &err) != LLS_OK) {
        must(err.msg[0] != '\0');
        return;
    }
    must(manifest.first_log <= manifest.last_log);
    for (size_t i = 0; i < manifest.count; i++)
        must(hnsw_manifest_find(&manifest, lls_str_of(manifest.colls[i].name)) ==
             &manifest.colls[i]);
    must(hnsw_manifest_copy(&manifest, &copy, NULL) == LLS_OK);
    hnsw_manifest_encode(&copy, &again);
    LLS_AUTO(hnsw_manifest) back = {0};
    must(hnsw_manifest_decode(lls_buf_str(&again), &back, NULL) == LLS_OK);
    must(back.count == manifest.count && back.next == manifest.next);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    LLS_AUTO(lls_buf) whole = {0};
    lls_bytes all = {data, size};

    decode(text_of(data, size));
    lls_buf_add(&whole, all); // and with a checksum that fits
    lls_buf_printf(&whole, "checksum %08x\n", lls_checksum(&all, 1));
    decode(lls_buf_str(&whole));
    return 0;
}
