#include "cli/new_file.h"

#include "cli/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

lls_err cli_new_file_open(const char *path, cli_new_file *file, lls_error *err)
{
    struct stat there;

    file->path = path;
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) {
        file->fd = open(path, O_WRONLY | O_CLOEXEC);
    } else {
        lls_buf_printf(&file->work, "%s.XXXXXX", path);
        (void)lls_buf_cstr(&file->work);
        LLS_TRY(lls_buf_status(&file->work, err));
        file->fd = mkstemp((char *)file->work.data);
    }
    if (file->fd < 0)
        return lls_fail_sys(err, errno, "create '%s'", path);
    file->open = true;
    return LLS_OK;
}

lls_err cli_new_file_keep(cli_new_file *file, lls_error *err)
{
    if (file->work.len > 0 && fsync(file->fd) != 0)
        return lls_fail_sys(err, errno, "write '%s'", file->path);
    if (file->work.len > 0 && rename(lls_buf_cstr(&file->work), file->path) != 0)
        return lls_fail_sys(err, errno, "replace '%s'", file->path);
    lls_buf_clear(&file->work);
    file->open = false;
    if (close(file->fd) != 0)
        return lls_fail_sys(err, errno, "write '%s'", file->path);
    return LLS_OK;
}

void cli_new_file_auto(cli_new_file *file)
{
    if (file->open) {
        (void)close(file->fd);
        if (file->work.len > 0)
            (void)unlink(lls_buf_cstr(&file->work));
    }
    lls_buf_fini(&file->work);
    *file = (cli_new_file){0};
}
