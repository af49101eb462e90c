#include "testing/store_folder.h"

#include "base/scope.h"
#include "store/open.h"

#include <stdio.h>
#include <stdlib.h>

bool lls_store_folder_possible(void)
{
    return lls_backend_find(LLS_STR("lmdb")) != NULL;
}

static lls_config *configure(const char *const *flags, size_t count)
{
    static const char *const nothing[] = {"HOME=/nonexistent", NULL};
    lls_config_sources sources = {
        .abi = LLS_ABI, .environment = nothing, .flags = flags, .flag_count = count};
    lls_config *config = NULL;
    lls_error err = {0};

    assert_ok(lls_config_load(&sources, &config, &err), err);
    return config;
}

int lls_store_folder_open(void **state)
{
    LLS_AUTO(lls_buf) flag = {0};
    lls_store_folder *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    memcpy(f->folder, "/tmp/lls-store-XXXXXX", sizeof("/tmp/lls-store-XXXXXX"));
    assert_non_null(mkdtemp(f->folder));
    lls_buf_printf(&f->path, "%s/store", f->folder);
    lls_buf_printf(&flag, "storage.path=%s", lls_buf_cstr(&f->path));
    const char *const flags[] = {"storage.backend=lmdb", lls_buf_cstr(&flag)};
    f->config = configure(flags, LLS_COUNT(flags));
    *state = f;
    return 0;
}

int lls_store_folder_close(void **state)
{
    LLS_AUTO(lls_buf) command = {0};
    lls_store_folder *f = *state;

    lls_buf_printf(&command, "rm -rf '%s'", f->folder);
    assert_int_equal(system(lls_buf_cstr(&command)), 0);
    lls_config_free(f->config);
    lls_buf_fini(&f->path);
    free(f);
    return 0;
}

void lls_store_folder_write(lls_store_folder *folder, const lls_kv_write *writes, size_t count)
{
    LLS_AUTO(lls_backend_ref) backend = NULL;
    lls_backend_choice choice = {0};
    lls_error err = {0};

    assert_ok(lls_config_open_backend(folder->config, &choice, NULL, &backend, &err), err);
    assert_ok(lls_kv_apply(backend->kv, LLS_STR("default"), writes, count, &err), err);
}
