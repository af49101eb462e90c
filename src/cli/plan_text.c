#include "cli/plan_text.h"

#include "cli/read_all.h"
#include "cli/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static lls_err save_and_read(const lls_plan *plan, const char *path, lls_buf *yaml, lls_error *err)
{
    lls_err e;
    int fd;

    LLS_TRY(lls_plan_save(plan, path, err));
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        e = lls_fail_sys(err, errno, "open '%s'", path);
    else
        e = cli_read_all(fd, path, yaml, err);
    if (fd >= 0)
        (void)close(fd);
    (void)unlink(path);
    return e;
}

lls_err cli_plan_text(const lls_plan *plan, lls_buf *yaml, lls_error *err)
{
    LLS_AUTO(lls_buf) folder = {0};
    LLS_AUTO(lls_buf) path = {0};
    const char *base = getenv("TMPDIR");
    lls_err e;

    lls_buf_printf(&folder, "%s/llmspell-XXXXXX", base && base[0] ? base : "/tmp");
    (void)lls_buf_cstr(&folder);
    LLS_TRY(lls_buf_status(&folder, err));
    if (!mkdtemp((char *)folder.data))
        return lls_fail_sys(err, errno, "make the folder '%s'", lls_buf_cstr(&folder));
    lls_buf_printf(&path, "%s/plan.yaml", lls_buf_cstr(&folder));
    e = lls_buf_status(&path, err);
    if (e == LLS_OK)
        e = save_and_read(plan, lls_buf_cstr(&path), yaml, err);
    (void)rmdir(lls_buf_cstr(&folder));
    return e;
}
