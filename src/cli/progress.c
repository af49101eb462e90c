#include "cli/progress.h"

#include "cli/scope.h"
#include "cli/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_USEC (CLI_SECOND_USEC / 10)
#define LINE_USEC (5 * CLI_SECOND_USEC)
#define LINE_PERCENT 10
#define QUICK_USEC (2 * CLI_SECOND_USEC) /* what is over sooner needs no lines in a log */
#define BAR_MAX 40                       /* columns */

/* Asked at each drawing, so that a window may change its size without a signal being handled. */
static size_t terminal_width(void)
{
    struct winsize size = {0};

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}

static unsigned percent_of(uint64_t done, uint64_t total)
{
    if (total == 0)
        return 0;
    return done >= total ? 100 : (unsigned)((double)done * 100 / (double)total);
}

/* "40 of 100 (40 %), 1200/s, 3.0 s left" */
static void add_figures(const cli_progress *progress, uint64_t done, uint64_t total, lls_buf *text)
{
    int64_t spent_usec = cli_monotonic_usec() - progress->started_usec;
    double rate = spent_usec > 0 ? (double)done * 1e6 / (double)spent_usec : 0;

    lls_buf_printf(text, "%" PRIu64, done);
    if (total > 0)
        lls_buf_printf(text, " of %" PRIu64 " (%u %%)", total, percent_of(done, total));
    if (spent_usec < CLI_SECOND_USEC / 4 || rate <= 0)
        return; // too early for a figure that means something
    lls_buf_printf(text, ", %.0f/s", rate);
    if (total > done) {
        lls_buf_add_text(text, ", ");
        cli_add_duration(text, (int64_t)((double)(total - done) / rate * 1e6));
        lls_buf_add_text(text, " left");
    }
}

static void add_bar(const cli_output *out, size_t columns, uint64_t done, uint64_t total,
                    lls_buf *line)
{
    size_t filled = percent_of(done, total) * columns / 100;

    lls_buf_add_text(line, " [");
    for (size_t i = 0; i < columns; i++) {
        if (out->utf8)
            lls_buf_add_text(line, i < filled ? "█" : "░");
        else
            lls_buf_add_text(line, i < filled ? "#" : "-");
    }
    lls_buf_add_text(line, "]");
}

static void draw(cli_progress *progress, uint64_t done, uint64_t total)
{
    LLS_AUTO(lls_buf) figures = {0};
    LLS_AUTO(lls_buf) line = {0};
    size_t width = terminal_width();
    size_t used;

    add_figures(progress, done, total, &figures);
    lls_buf_add_text(&line, "\r\033[K");
    lls_buf_printf(&line, "%s", progress->label);
    used = strlen(progress->label) + figures.len + 6;
    if (total > 0 && width > used + 8) {
        size_t room = width - used;

        add_bar(progress->out, room < BAR_MAX ? room : BAR_MAX, done, total, &line);
    }
    lls_buf_add_text(&line, " ");
    // A line that is longer than the terminal would wrap, and not be taken away again.
    if (strlen(progress->label) + 1 + figures.len < width)
        lls_buf_add_str(&line, lls_buf_str(&figures));
    if (lls_buf_status(&line, NULL) == LLS_OK)
        (void)fwrite(line.data, 1, line.len, stderr);
    (void)fflush(stderr);
    progress->drawn = true;
}

static void print_line(cli_progress *progress, uint64_t done, uint64_t total)
{
    LLS_AUTO(lls_buf) figures = {0};

    add_figures(progress, done, total, &figures);
    (void)fprintf(stderr, "%s: %s\n", progress->label, lls_buf_cstr(&figures));
}

static bool is_due(const cli_progress *progress, int64_t now, uint64_t done, uint64_t total)
{
    bool complete = total > 0 && done >= total && progress->shown_done < total;

    if (progress->out->stderr_is_tty)
        return complete || now - progress->shown_usec >= REDRAW_USEC;
    if (now - progress->started_usec < QUICK_USEC)
        return false;
    return complete || now - progress->shown_usec >= LINE_USEC ||
           percent_of(done, total) >= progress->shown_percent + LINE_PERCENT;
}

void cli_progress_update(cli_progress *progress, const char *what, const char *component,
                         uint64_t done, uint64_t total)
{
    int64_t now = cli_monotonic_usec();
    char label[sizeof progress->label];

    if (progress->out->quiet)
        return;
    (void)snprintf(label, sizeof label, "%s%s%s", what, component ? " " : "",
                   component ? component : "");
    if (strcmp(label, progress->label) != 0) {
        bool first = progress->label[0] == '\0' && progress->begun_usec != 0;

        cli_progress_clear(progress);
        memcpy(progress->label, label, sizeof label);
        if (first)
            progress->started_usec = progress->begun_usec;
        else
            progress->started_usec = now;
        progress->shown_usec = progress->started_usec;
        progress->shown_percent = 0;
        progress->shown_done = 0;
    }
    if (!is_due(progress, now, done, total))
        return;
    if (progress->out->stderr_is_tty)
        draw(progress, done, total);
    else
        print_line(progress, done, total);
    progress->shown_usec = now;
    progress->shown_percent = percent_of(done, total);
    progress->shown_done = done;
}

void cli_progress_clear(cli_progress *progress)
{
    if (progress->drawn) {
        (void)fputs("\r\033[K", stderr);
        (void)fflush(stderr);
    }
    progress->drawn = false;
}
