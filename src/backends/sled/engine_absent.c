/** engine_absent.c - writer.h in a build without the engine: what cannot be, and what can. */
#include "backends/sled/writer.h"

bool sled_writer_is_built(void)
{
    return false;
}

lls_err sled_writer_refuse(const char *path, lls_error *err)
{
    return lls_fail(
        err, LLS_E_UNSUPPORTED,
        "cannot write to '%s': this build reads Sled only; move the data with 'llmspell "
        "storage migrate plan --from sled --to lmdb', or rebuild with "
        "-DLLS_SLED_ENGINE=ON, which needs cargo",
        path);
}

lls_err sled_writer_open(const sled_options *conf, const sled_facts *found, lls_kv **out,
                         lls_error *err)
{
    (void)found;
    (void)out;
    return sled_writer_refuse(conf->path, err);
}

void sled_writer_close(lls_kv *kv)
{
    (void)kv; // there never is one
}
