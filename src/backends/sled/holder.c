#include "backends/sled/holder.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* One line: "1: FLOCK  ADVISORY  WRITE 123 08:01:5678 0 EOF". */
static bool is_holder(const char *line, const struct stat *file, int *pid)
{
    unsigned major_number;
    unsigned minor_number;
    unsigned long long inode;

    return sscanf(line, "%*u: FLOCK %*15s %*15s %d %x:%x:%llu", pid, &major_number, &minor_number,
                  &inode) == 4 &&
           major_number == major(file->st_dev) && minor_number == minor(file->st_dev) &&
           inode == (unsigned long long)file->st_ino;
}

static int find_holder(const struct stat *file)
{
    FILE *locks = fopen("/proc/locks", "re");
    char line[256];
    int found = 0;
    int pid = 0;

    if (!locks)
        return 0;
    while (found == 0 && fgets(line, sizeof(line), locks))
        if (is_holder(line, file, &pid))
            found = pid;
    (void)fclose(locks);
    return found;
}

static void name_of(int pid, char out[64])
{
    char path[64];
    FILE *comm;

    out[0] = '\0';
    (void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
    comm = fopen(path, "re");
    if (!comm)
        return;
    if (fgets(out, 64, comm))
        out[strcspn(out, "\n")] = '\0';
    (void)fclose(comm);
}

lls_err sled_holder_fail(int db, const char *path, lls_error *err)
{
    struct stat file;
    char name[64];
    int pid = fstat(db, &file) == 0 ? find_holder(&file) : 0;

    if (pid <= 0) // unknown, or in another container
        return lls_fail(err, LLS_E_BUSY, "'%s' is open in another program", path);
    if (pid == (int)getpid())
        return lls_fail(err, LLS_E_BUSY, "'%s' is open in this process already", path);
    name_of(pid, name);
    return lls_fail(err, LLS_E_BUSY, "'%s' is open in another program: process %d%s%s%s", path, pid,
                    name[0] ? " (" : "", name, name[0] ? ")" : "");
}
