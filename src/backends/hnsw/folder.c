/** folder.c - where the files of a store are. docs/formats/hnsw.md has the tree. */
#include "backends/hnsw/store.h"

#include "base/file.h"
#include "base/scope.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { NAME_WHOLE = 255, NAME_PART = 250 }; /* file systems take 255 bytes */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* How many bytes a letter takes in the name of a folder. */
static size_t room_of(char c)
{
    return is_plain(c) ? 1 : 3;
}

void hnsw_folder_name(lls_str tenant, lls_buf *out)
{
    size_t whole = 0;
    size_t part = 0;

    for (size_t i = 0; i < tenant.len; i++)
        whole += room_of(tenant.data[i]);
    for (size_t i = 0; i < tenant.len; i++) {
        char c = tenant.data[i];
        if (whole > NAME_WHOLE && part > NAME_PART - 3) {
            lls_buf_add_text(out, "+/");
            part = 0;
        }
        lls_buf_printf(out, is_plain(c) ? "%c" : "%%%02x", (unsigned char)c);
        part += room_of(c);
    }
}

lls_err hnsw_folder_make(const hnsw_store *store, const char *folder, lls_error *err)
{
    LLS_AUTO(lls_buf) path = {0};
    size_t top = strlen(store->path);

    LLS_TRY(lls_file_mkdirs(folder, err));
    for (size_t len = strlen(folder); len > top; len--) {
        if (folder[len] != '\0' && folder[len] != '/')
            continue;
        lls_buf_clear(&path);
        lls_buf_add_str(&path, (lls_str){folder, len});
        LLS_TRY(lls_buf_status(&path, err));
        LLS_TRY(lls_file_sync_parent(lls_buf_cstr(&path), err));
    }
    return LLS_OK;
}

void hnsw_path_manifest(const hnsw_tenant *tenant, lls_buf *out)
{
    lls_buf_clear(out);
    lls_buf_printf(out, "%s/MANIFEST", tenant->folder);
}

void hnsw_path_log(const hnsw_tenant *tenant, uint64_t number, lls_buf *out)
{
    lls_buf_clear(out);
    lls_buf_printf(out, "%s/log-%" PRIu64, tenant->folder, number);
}

void hnsw_path_base(const hnsw_tenant *tenant, lls_str coll, uint64_t number, lls_buf *out)
{
    lls_buf_clear(out);
    lls_buf_printf(out, "%s/" LLS_FMT "/base-%" PRIu64, tenant->folder, LLS_ARG(coll), number);
}

void hnsw_path_derived(const hnsw_tenant *tenant, lls_str coll, uint64_t number, lls_buf *out)
{
    lls_buf_clear(out);
    lls_buf_printf(out, "%s/" LLS_FMT "/index-%" PRIu64, tenant->folder, LLS_ARG(coll), number);
}

/* Call `spare` for each name in a folder, and remove what it wants to go. */
typedef bool (*spare_fn)(const hnsw_tenant *tenant, lls_str coll, const char *name);

static void tidy(const hnsw_tenant *tenant, lls_str coll, const char *folder, spare_fn spare)
{
    LLS_AUTO(lls_buf) path = {0};
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL) {
        if (spare(tenant, coll, entry->d_name))
            continue;
        lls_buf_clear(&path);
        lls_buf_printf(&path, "%s/%s", folder, entry->d_name);
        if (path.status == LLS_OK)
            (void)unlink(lls_buf_cstr(&path)); // a folder stays
    }
    if (dir)
        (void)closedir(dir);
}

static bool number_behind(const char *name, const char *word, uint64_t *out)
{
    size_t len = strlen(word);
    int used = 0;

    return strncmp(name, word, len) == 0 && sscanf(name + len, "%" SCNu64 "%n", out, &used) == 1 &&
           name[len + (size_t)used] == '\0';
}

static bool spare_in_tenant(const hnsw_tenant *tenant, lls_str coll, const char *name)
{
    uint64_t number;

    (void)coll;
    if (!number_behind(name, "log-", &number))
        return strstr(name, ".new") == NULL;
    return number >= tenant->manifest.first_log && number <= tenant->manifest.last_log;
}

static bool spare_in_coll(const hnsw_tenant *tenant, lls_str coll, const char *name)
{
    const hnsw_manifest_coll *entry = hnsw_manifest_find(&tenant->manifest, coll);
    uint64_t number;

    if (!number_behind(name, "base-", &number) && !number_behind(name, "index-", &number))
        return false;
    return entry && entry->base == number;
}

/* The folder of a collection, which goes too when nothing is left in it. */
static void tidy_coll(const hnsw_tenant *tenant, const char *name)
{
    LLS_AUTO(lls_buf) path = {0};
    struct stat st;

    lls_buf_printf(&path, "%s/%s", tenant->folder, name);
    if (path.status != LLS_OK || stat(lls_buf_cstr(&path), &st) != 0 || !S_ISDIR(st.st_mode))
        return;
    tidy(tenant, lls_str_of(name), lls_buf_cstr(&path), spare_in_coll);
    (void)rmdir(lls_buf_cstr(&path));
}

void hnsw_folder_tidy(hnsw_tenant *tenant)
{
    if (!tenant->loaded)
        return; // there is no manifest that could name anything
    tidy(tenant, (lls_str){0}, tenant->folder, spare_in_tenant);
    DIR *dir = opendir(tenant->folder);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            tidy_coll(tenant, entry->d_name);
    if (dir)
        (void)closedir(dir);
}

void hnsw_tidy_if_idle(hnsw_tenant *tenant)
{
    (void)pthread_mutex_lock(&tenant->commit.lock);
    bool idle = !tenant->compacting;
    (void)pthread_mutex_unlock(&tenant->commit.lock);
    if (idle) // nobody begins without `write`
        hnsw_folder_tidy(tenant);
}
