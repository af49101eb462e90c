#include "cli/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

// A signal handler has nothing else to reach: the one variable of the program that is not a local.
static volatile int interrupted;

static void on_signal(int number);

static void release(int number)
{
    struct sigaction action = {0};

    if (sigaction(number, NULL, &action) == 0 && action.sa_handler == on_signal)
        (void)signal(number, SIG_DFL);
}

static void on_signal(int number)
{
    static const char message[] =
        "\nllmspell: stopping at a safe point; press Ctrl-C again to end at once\n";
    int kept = errno;

    interrupted = 1;
    // SA_RESETHAND has put the default action back for this signal; the same for the others.
    release(SIGINT);
    release(SIGTERM);
    release(SIGHUP);
    if (number == SIGINT && write(STDERR_FILENO, message, sizeof message - 1) < 0)
        errno = 0; // there is nobody left to tell
    errno = kept;
}

static void watch_for(int number)
{
    struct sigaction action = {0};

    // Whoever started us with the signal ignored, as nohup does, wants it ignored.
    if (sigaction(number, NULL, &action) != 0 || action.sa_handler == SIG_IGN)
        return;
    action = (struct sigaction){0};
    action.sa_handler = on_signal;
    // Without SA_RESTART: a read from a pipe that nobody writes to ends, too.
    action.sa_flags = (int)SA_RESETHAND;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

const volatile int *cli_interrupt_begin(void)
{
    watch_for(SIGINT);
    watch_for(SIGTERM);
    watch_for(SIGHUP);
    return &interrupted;
}
