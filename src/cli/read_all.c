#include "cli/read_all.h"

#include "cli/scope.h"

#include <errno.h>
#include <unistd.h>

lls_err cli_read_all(int fd, const char *name, lls_buf *out, lls_error *err)
{
    uint8_t chunk[16384];

    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return lls_fail_sys(err, errno, "read '%s'", name);
        if (got == 0)
            return LLS_OK;
        lls_buf_add(out, (lls_bytes){chunk, (size_t)got});
        LLS_TRY(lls_buf_status(out, err));
    }
}
