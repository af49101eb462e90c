#include "base/file.h"

#include "base/id.h"
#include "base/scope.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

void lls_fd_auto(lls_fd *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

bool lls_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static lls_err make_folder(const char *path, lls_error *err)
{
    struct stat st;

    if (mkdir(path, 0700) == 0)
        return LLS_OK;
    int sys = errno;
    if (sys == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return LLS_OK;
    return lls_fail_sys(err, sys == EEXIST ? ENOTDIR : sys, "create folder '%s'", path);
}

lls_err lls_file_mkdirs(const char *path, lls_error *err)
{
    LLS_AUTO(lls_buf) part = {0};

    for (const char *at = path; *at; at++) {
        if (*at == '/' && part.len > 0 && !lls_file_exists(lls_buf_cstr(&part)))
            LLS_TRY(make_folder(lls_buf_cstr(&part), err));
        lls_buf_add(&part, (lls_bytes){(const uint8_t *)at, 1});
    }
    LLS_TRY(lls_buf_status(&part, err));
    return make_folder(path, err);
}

static lls_err read_all(int fd, const char *path, size_t max, lls_buf *out, lls_error *err)
{
    uint8_t chunk[16384];
    size_t total = 0;

    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lls_fail_sys(err, errno, "read '%s'", path);
        if (n == 0)
            return LLS_OK;
        total += (size_t)n;
        if (total > max)
            return lls_fail(err, LLS_E_FULL, "read '%s': over the limit of %zu bytes", path, max);
        lls_buf_add(out, (lls_bytes){chunk, (size_t)n});
        lls_err e = lls_buf_status(out, err);
        if (e != LLS_OK)
            return lls_wrap(err, e, "read '%s'", path);
    }
}

lls_err lls_file_read(const char *path, size_t max, lls_buf *out, lls_error *err)
{
    LLS_AUTO(lls_fd) fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return lls_fail_sys(err, errno, "read '%s'", path);

    size_t before = out->len;
    lls_err e = read_all(fd, path, max, out, err);
    if (e != LLS_OK)
        out->len = before;
    return e;
}

lls_err lls_file_take(int fd, size_t most, const char *name, lls_buf *out, lls_error *err)
{
    lls_buf_reserve(out, most);
    LLS_TRY(lls_buf_status(out, err));
    while (most > 0) {
        ssize_t got = read(fd, out->data + out->len, most);
        if (got == 0)
            return LLS_OK;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return lls_fail_sys(err, errno, "read %s", name);
        out->len += (size_t)got;
        most -= (size_t)got;
    }
    return LLS_OK;
}

lls_err lls_file_write(int fd, lls_bytes bytes, const char *path, lls_error *err)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.data, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lls_fail_sys(err, errno, "write '%s'", path);
        bytes.data += n;
        bytes.len -= (size_t)n;
    }
    return LLS_OK;
}

lls_err lls_file_sync_parent(const char *path, lls_error *err)
{
    LLS_AUTO(lls_buf) folder = {0};
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;

    if (slash)
        lls_buf_add_str(&folder, (lls_str){path, len ? len : 1});
    else
        lls_buf_add_text(&folder, ".");
    LLS_TRY(lls_buf_status(&folder, err));

    LLS_AUTO(lls_fd) fd = open(lls_buf_cstr(&folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return lls_fail_sys(err, errno, "sync folder '%s'", lls_buf_cstr(&folder));
    return LLS_OK;
}

static lls_err write_whole(const char *path, lls_bytes contents, mode_t mode, lls_error *err)
{
    LLS_AUTO(lls_fd) fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

    if (fd < 0)
        return lls_fail_sys(err, errno, "write '%s'", path);
    if (fchmod(fd, mode) != 0)
        return lls_fail_sys(err, errno, "write '%s'", path);
    LLS_TRY(lls_file_write(fd, contents, path, err));
    if (fsync(fd) != 0)
        return lls_fail_sys(err, errno, "sync '%s'", path);
    return LLS_OK;
}

lls_err lls_file_replace(const char *path, lls_bytes contents, mode_t mode, lls_error *err)
{
    LLS_AUTO(lls_buf) beside = {0};
    char id[LLS_ID_TEXT];

    LLS_TRY(lls_id_make(lls_clock_now(NULL), id, err)); // threads may replace the same file at once
    lls_buf_printf(&beside, "%s.%s.new", path, id);
    LLS_TRY(lls_buf_status(&beside, err));
    const char *fresh = lls_buf_cstr(&beside);

    lls_err e = write_whole(fresh, contents, mode, err);
    if (e == LLS_OK && rename(fresh, path) != 0)
        e = lls_fail_sys(err, errno, "replace '%s'", path);
    if (e != LLS_OK) {
        (void)unlink(fresh);
        return e;
    }
    return lls_file_sync_parent(path, err);
}

const char *lls_environment_get(const char *const *environment, const char *name)
{
    size_t len = strlen(name);

    for (; environment && *environment; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
            return *environment + len + 1;
    return NULL;
}

/* An XDG base folder (XDG Base Directory Specification 0.8): relative values are ignored. */
static lls_err add_base(const char *const *environment, const char *variable,
                        const char *below_home, lls_buf *out, lls_error *err)
{
    const char *set = lls_environment_get(environment, variable);
    const char *home = lls_environment_get(environment, "HOME");

    if (set && set[0] == '/')
        lls_buf_add_text(out, set);
    else if (home && home[0] == '/')
        lls_buf_printf(out, "%s%s", home, below_home);
    else
        return lls_fail(err, LLS_E_INVALID, "the home folder is not known: HOME is not set");
    return LLS_OK;
}

lls_err lls_file_expand(lls_str text, lls_buf *out, lls_error *err)
{
    return lls_file_expand_in((const char *const *)environ, text, out, err);
}

lls_err lls_file_expand_in(const char *const *environment, lls_str text, lls_buf *out,
                           lls_error *err)
{
    static const struct {
        const char *mark;
        const char *variable;
        const char *below_home;
        const char *inside;
    } marks[] = {
        {"{config}", "XDG_CONFIG_HOME", "/.config", "/llmspell"},
        {"{data}", "XDG_DATA_HOME", "/.local/share", "/llmspell"},
        {"{state}", "XDG_STATE_HOME", "/.local/state", "/llmspell"},
        {"~", "LLS_NO_SUCH_VARIABLE", "", ""},
    };

    for (size_t i = 0; i < LLS_COUNT(marks); i++) {
        lls_str mark = lls_str_of(marks[i].mark);
        if (!lls_bytes_has_prefix(lls_bytes_of(text), lls_bytes_of(mark)))
            continue;
        if (text.len > mark.len && text.data[mark.len] != '/')
            continue; // "~name" and "{data}x" are ordinary names
        LLS_TRY(add_base(environment, marks[i].variable, marks[i].below_home, out, err));
        lls_buf_add_text(out, marks[i].inside);
        text.data += mark.len;
        text.len -= mark.len;
        break;
    }
    lls_buf_add_str(out, text);
    return lls_buf_status(out, err);
}
