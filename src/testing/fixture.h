/**
 * fixture.h - a folder for the store of one test, and the children that such a test has.
 */
#ifndef LLS_TESTING_FIXTURE_H
#define LLS_TESTING_FIXTURE_H

#include "base/scope.h"
#include "testing/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* `*state` is the path of a folder that is not there yet, below one that is removed at the end. */
static inline int fixture_setup_below(void **state, const char *root)
{
    char *path = calloc(1, 64);

    assert_non_null(path);
    (void)snprintf(path, 64, "%s/lls-test-XXXXXX", root);
    assert_non_null(mkdtemp(path));
    memcpy(path + strlen(path), "/store", sizeof("/store"));
    *state = path;
    return 0;
}

/* Run a command of the shell, in which % stands for the path. It must succeed. */
static inline void fixture_run(const char *form, const char *path)
{
    LLS_AUTO(lls_buf) command = {0};

    for (; *form; form++)
        if (*form == '%')
            lls_buf_printf(&command, "'%s'", path);
        else
            lls_buf_printf(&command, "%c", *form);
    assert_int_equal(system(lls_buf_cstr(&command)), 0);
}

static inline int fixture_teardown(void **state)
{
    char *path = *state;

    *strrchr(path, '/') = '\0';
    fixture_run("chmod -R u+w %; rm -rf %", path);
    free(path);
    return 0;
}

/* Wait for a child; what it returned, or 1000 and the signal. */
static inline int fixture_wait(pid_t pid)
{
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

#endif
