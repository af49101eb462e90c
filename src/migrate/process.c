#include "migrate/process.h"

#include "base/file.h"
#include "base/scope.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* The 22nd field of /proc/PID/stat; the 2nd is in parentheses and may hold anything. */
static int64_t start_of(int64_t pid)
{
    LLS_AUTO(lls_buf) text = {0};
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
    if (lls_file_read(path, 16384, &text, NULL) != LLS_OK)
        return 0;
    const char *at = strrchr(lls_buf_cstr(&text), ')');
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoll(at + 1, NULL, 10) : 0;
}

void lls_process_self(lls_process *out)
{
    LLS_AUTO(lls_buf) boot = {0};
    lls_process self = {.pid = getpid()};

    if (gethostname(self.host, sizeof(self.host) - 1) != 0 || !self.host[0])
        memcpy(self.host, "localhost", sizeof("localhost"));
    if (lls_file_read("/proc/sys/kernel/random/boot_id", 4096, &boot, NULL) == LLS_OK)
        (void)snprintf(self.boot, sizeof(self.boot), "%.36s", lls_buf_cstr(&boot));
    self.started = start_of(self.pid);
    *out = self;
}

bool lls_process_same_host(const lls_process *a, const lls_process *b)
{
    return strcmp(a->host, b->host) == 0;
}

bool lls_process_lives(const lls_process *process)
{
    lls_process self;

    lls_process_self(&self);
    if (process->boot[0] && self.boot[0] && strcmp(process->boot, self.boot) != 0)
        return false;
    if (process->pid <= 0 || (kill((pid_t)process->pid, 0) != 0 && errno == ESRCH))
        return false;
    int64_t started = start_of(process->pid);
    return started == 0 || process->started == 0 || started == process->started;
}
