#include "backends/hnsw/tour.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

void hnsw_tell(const hnsw_teller *teller, const char *name, const char *fmt, ...)
{
    char text[LLS_ERROR_MSG_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    teller->each(teller->user, name, text);
}

/* ---- folders ---- */

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The tenant whose folder is called `name`; false when no tenant's is. */
static bool read_name(const char *name, lls_buf *out)
{
    LLS_AUTO(lls_buf) again = {0};

    lls_buf_clear(out);
    for (const char *at = name; *at; at++) {
        char c = *at;
        if (c == '+' && at[1] == '/') { // it goes on in the next folder
            at++;
            continue;
        }
        if (c == '%') {
            int high = nibble(at[1]);
            int low = high < 0 ? -1 : nibble(at[2]);
            if (low < 0)
                return false;
            c = (char)(high << 4 | low);
            at += 2;
        }
        lls_buf_add(out, (lls_bytes){(const uint8_t *)&c, 1});
    }
    hnsw_folder_name(lls_buf_str(out), &again); // each tenant has one name
    return again.status == LLS_OK && lls_str_eq(lls_buf_str(&again), lls_str_of(name));
}

static bool is_folder(const char *above, const char *name)
{
    LLS_AUTO(lls_buf) path = {0};
    struct stat st;

    lls_buf_printf(&path, "%s/%s", above, name);
    return path.status == LLS_OK && stat(lls_buf_cstr(&path), &st) == 0 && S_ISDIR(st.st_mode);
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void free_names(struct dirent **names, int count)
{
    for (int i = 0; i < count; i++)
        free(names[i]); // scandir's
    free(names);
}

/* The longest name takes 765 bytes, in four folders. */
enum { PARTS_MAX = 4 };

typedef struct name_tour {
    const char *above;
    hnsw_tenant_fn each;
    void *user;
} name_tour;

static lls_err tour_part(const name_tour *t, const char *begin, int parts, lls_error *err);

/* `name` is a tenant's folder, below `above`, or begins the names of several. */
static lls_err tour_name(const name_tour *t, lls_buf *name, int parts, lls_error *err)
{
    LLS_AUTO(lls_buf) tenant = {0};

    if (!is_folder(t->above, lls_buf_cstr(name)))
        return LLS_OK;
    if (name->data[name->len - 1] == '+') {
        lls_buf_add_text(name, "/");
        LLS_TRY(lls_buf_status(name, err));
        return parts > 1 ? tour_part(t, lls_buf_cstr(name), parts - 1, err) : LLS_OK;
    }
    return read_name(lls_buf_cstr(name), &tenant) ? t->each(t->user, lls_buf_str(&tenant), err)
                                                  : LLS_OK;
}

static lls_err tour_part(const name_tour *t, const char *begin, int parts, lls_error *err)
{
    LLS_AUTO(lls_buf) folder = {0};
    LLS_AUTO(lls_buf) name = {0};
    struct dirent **names = NULL;
    lls_err e = LLS_OK;

    lls_buf_printf(&folder, "%s/%s", t->above, begin);
    LLS_TRY(lls_buf_status(&folder, err));
    int count = scandir(lls_buf_cstr(&folder), &names, not_hidden, alphasort);
    if (count < 0)
        return errno == ENOENT ? LLS_OK : lls_fail_sys(err, errno, "'%s'", lls_buf_cstr(&folder));
    for (int i = 0; e == LLS_OK && i < count; i++) {
        lls_buf_clear(&name);
        lls_buf_printf(&name, "%s%s", begin, names[i]->d_name);
        e = lls_buf_status(&name, err);
        if (e == LLS_OK)
            e = tour_name(t, &name, parts, err);
    }
    free_names(names, count);
    return e;
}

/* Call `each` for the tenants that have a folder in `above`. */
static lls_err tour(const char *above, hnsw_tenant_fn each, void *user, lls_error *err)
{
    const name_tour t = {above, each, user};

    return tour_part(&t, "", PARTS_MAX, err);
}

lls_err hnsw_tour_tenants(const hnsw_store *store, hnsw_tenant_fn each, void *user, lls_error *err)
{
    return tour(store->path, each, user, err);
}

/* The stages of one run. */
typedef struct run_tour {
    const char *folder;
    lls_str run;
    hnsw_stage_fn each;
    void *user;
} run_tour;

static lls_err tell_stage(void *user, lls_str tenant, lls_error *err)
{
    const run_tour *t = user;
    LLS_AUTO(lls_buf) path = {0};

    lls_buf_printf(&path, "%s/", t->folder);
    hnsw_folder_name(tenant, &path);
    LLS_TRY(lls_buf_status(&path, err));
    return t->each(t->user, t->run, tenant, hnsw_folder_bytes(lls_buf_cstr(&path)), err);
}

lls_err hnsw_tour_stages(const hnsw_store *store, hnsw_stage_fn each, void *user, lls_error *err)
{
    LLS_AUTO(lls_buf) above = {0};
    LLS_AUTO(lls_buf) path = {0};
    struct dirent **names = NULL;
    lls_err e = LLS_OK;

    lls_buf_printf(&above, "%s/" HNSW_STAGES, store->path);
    LLS_TRY(lls_buf_status(&above, err));
    int count = scandir(lls_buf_cstr(&above), &names, not_hidden, alphasort);
    if (count < 0)
        return errno == ENOENT ? LLS_OK : lls_fail_sys(err, errno, "'%s'", lls_buf_cstr(&above));
    for (int i = 0; e == LLS_OK && i < count; i++) {
        lls_buf_clear(&path);
        lls_buf_printf(&path, "%s/%s", (const char *)above.data, names[i]->d_name);
        run_tour t = {lls_buf_cstr(&path), lls_str_of(names[i]->d_name), each, user};
        e = lls_buf_status(&path, err);
        if (e == LLS_OK)
            e = tour(t.folder, tell_stage, &t, err);
    }
    free_names(names, count);
    return e;
}

/* ---- sizes ---- */

enum { DEPTH = 2 + PARTS_MAX }; /* of folders in a store */

static uint64_t bytes_below(const char *folder, int depth)
{
    LLS_AUTO(lls_buf) path = {0};
    struct dirent *entry;
    uint64_t bytes = 0;
    struct stat st;

    DIR *dir = opendir(folder);
    while (dir && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        lls_buf_clear(&path);
        lls_buf_printf(&path, "%s/%s", folder, entry->d_name);
        if (path.status != LLS_OK || lstat(lls_buf_cstr(&path), &st) != 0)
            continue; // it went while we looked
        bytes += (uint64_t)st.st_blocks * 512;
        if (S_ISDIR(st.st_mode) && depth > 0)
            bytes += bytes_below(lls_buf_cstr(&path), depth - 1);
    }
    if (dir)
        (void)closedir(dir);
    return bytes;
}

uint64_t hnsw_folder_bytes(const char *folder)
{
    return bytes_below(folder, DEPTH);
}

/* ---- who writes ---- */

long hnsw_store_writer(hnsw_store *store)
{
    LLS_AUTO(lls_buf) path = {0};
    LLS_AUTO(lls_buf) text = {0};

    if (hnsw_is_owner(store))
        return (long)getpid();
    lls_buf_printf(&path, "%s/.lock", store->path);
    if (path.status != LLS_OK)
        return 0;
    LLS_AUTO(lls_fd) fd = open(lls_buf_cstr(&path), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return 0;
    if (lls_file_take(fd, 20, lls_buf_cstr(&path), &text, NULL) != LLS_OK)
        return 0;
    long pid = strtol(lls_buf_cstr(&text), NULL, 10);
    return pid > 0 ? pid : -1;
}
