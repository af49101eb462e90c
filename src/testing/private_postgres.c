#include "testing/private_postgres.h"

#include "base/scope.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCRIPT LLS_SOURCE_DIR "/scripts/private-postgres"

enum { ARGS_MAX = 40 };

/* The child's side: what it prints goes to `out`, and the script's complaints where ours go. */
static void become(const char *const *args, const int pipe_ends[2])
{
    // exec does not change its arguments, only its type says so
    char *const *argv = (char *const *)(uintptr_t)args;

    (void)dup2(pipe_ends[1], STDOUT_FILENO);
    (void)close(pipe_ends[0]);
    (void)close(pipe_ends[1]); // or the server would hold it, and we would wait for its end
    (void)execv(argv[0], argv);
    _exit(127);
}

/* Run the script and keep the last line that it prints, without the newline, in `line`. */
static lls_err run_script(const char *const *args, char *line, size_t size, lls_error *err)
{
    int pipe_ends[2];
    size_t len = 0;
    ssize_t n;
    int status;

    if (pipe(pipe_ends) != 0)
        return lls_fail_sys(err, errno, "pipe");
    pid_t child = fork();
    if (child == 0)
        become(args, pipe_ends);
    (void)close(pipe_ends[1]);
    while ((n = read(pipe_ends[0], line + len, size - 1 - len)) > 0)
        len += (size_t)n;
    (void)close(pipe_ends[0]);
    line[len] = '\0';
    line[strcspn(line, "\n")] = '\0';
    if (child < 0 || waitpid(child, &status, 0) != child)
        return lls_fail_sys(err, errno, "run %s", SCRIPT);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return lls_fail(err, LLS_E_IO, "%s %s failed", SCRIPT, args[1]);
    return LLS_OK;
}

static lls_err run_verb(const char *verb, lls_private_postgres *server, const char *more,
                        lls_error *err)
{
    const char *args[] = {SCRIPT, verb, server->dir, more, NULL};
    char line[256];

    return run_script(args, line, sizeof(line), err);
}

bool lls_private_postgres_is_possible(void)
{
    return system("test -x \"${LLS_POSTGRES_BIN:-none}/initdb\" ||"
                  " ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ||"
                  " test -x \"$(pg_config --bindir 2>/dev/null)/initdb\"") == 0;
}

/* A port that nobody listens on just now. */
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int port = 0;

    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &len) == 0)
        port = ntohs(address.sin_port);
    if (fd >= 0)
        (void)close(fd);
    return port;
}

static size_t add_options(const char **args, size_t at, const char *name, const char *const *values)
{
    for (; values && *values && at + 2 < ARGS_MAX; values++) {
        args[at++] = name;
        args[at++] = *values;
    }
    return at;
}

lls_err lls_private_postgres_start(lls_private_postgres *server,
                                   const lls_private_postgres_options *options, lls_error *err)
{
    static const lls_private_postgres_options plain = {0};
    const char *args[ARGS_MAX + 1] = {SCRIPT, "start", server->dir, "--owner"};
    const char *temp = getenv("TMPDIR");
    char owner[16];
    char port[16];
    size_t at = 4;

    if (!options)
        options = &plain;
    *server = (lls_private_postgres){0};
    (void)snprintf(server->dir, sizeof(server->dir), "%.80s/llmspell-test.XXXXXX",
                   temp ? temp : "/tmp");
    if (!mkdtemp(server->dir))
        return lls_fail_sys(err, errno, "%s", server->dir);
    (void)snprintf(owner, sizeof(owner), "%d", (int)getpid());
    args[at++] = owner;
    if (!options->fsync)
        at = add_options(args, at, "--set", (const char *const[]){"fsync = off", NULL});
    at = add_options(args, at, "--set", options->settings);
    at = add_options(args, at, "--hba", options->hba);
    if (options->tcp) {
        server->port = free_port();
        (void)snprintf(port, sizeof(port), "%d", server->port);
        at = add_options(args, at, "--port", (const char *const[]){port, NULL});
    }
    args[at] = NULL;
    return run_script(args, server->connection, sizeof(server->connection), err);
}

lls_err lls_private_postgres_halt(lls_private_postgres *server, const char *mode, lls_error *err)
{
    return run_verb("halt", server, mode, err);
}

lls_err lls_private_postgres_again(lls_private_postgres *server, lls_error *err)
{
    return run_verb("again", server, NULL, err);
}

lls_err lls_private_postgres_bouncer(lls_private_postgres *server, char connection[256],
                                     lls_error *err)
{
    const char *args[] = {SCRIPT, "bouncer", server->dir, NULL};

    return run_script(args, connection, 256, err);
}

void lls_private_postgres_stop(lls_private_postgres *server)
{
    if (server->dir[0])
        (void)run_verb("stop", server, NULL, NULL);
    server->dir[0] = '\0';
}
