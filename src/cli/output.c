#include "cli/output.h"

#include "cli/exit.h"
#include "cli/json.h"

#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The place of `given` among `choices`, or their number. Not given: the first. */
static size_t choose(const char *given, const char *const *choices)
{
    size_t i = 0;

    while (given && choices[i] && strcmp(choices[i], given) != 0)
        i++;
    return i;
}

lls_err cli_output_init(cli_output *out, const cli_args *args, lls_error *err)
{
    static const char *const formats[] = {"text", "json", NULL};
    static const char *const colors[] = {"auto", "always", "never", NULL};
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    bool plain = (no_color && no_color[0]) || (term && strcmp(term, "dumb") == 0);
    size_t format = choose(args->values[CLI_FORMAT], formats);
    size_t color = choose(args->values[CLI_COLOR], colors);

    out->quiet = args->values[CLI_QUIET] != NULL;
    out->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    out->tick = out->utf8 ? "✓" : "ok";
    out->arrow = out->utf8 ? "→" : "->";
    out->micro = out->utf8 ? "μs" : "us";
    out->stdout_is_tty = isatty(STDOUT_FILENO) == 1;
    out->stderr_is_tty = isatty(STDERR_FILENO) == 1 && !(term && strcmp(term, "dumb") == 0);

    out->format = format == 1 ? CLI_JSON : CLI_TEXT;
    out->color = color == 1 || (color == 0 && !plain && out->stderr_is_tty);
    out->color_results = color == 1 || (color == 0 && !plain && out->stdout_is_tty);
    if (!formats[format])
        return lls_fail(err, LLS_E_INVALID, "results are printed as text or json, not as '%s'",
                        args->values[CLI_FORMAT]);
    if (!colors[color])
        return lls_fail(err, LLS_E_INVALID, "--color is auto, always or never, not '%s'",
                        args->values[CLI_COLOR]);
    return LLS_OK;
}

void cli_say(const cli_output *out, const char *fmt, ...)
{
    va_list args;

    if (out->quiet || out->format == CLI_JSON)
        return;
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

void cli_warn(const cli_output *out, const char *fmt, ...)
{
    va_list args;

    if (out->format == CLI_JSON)
        return;
    (void)fputs(out->color ? "\033[33mwarning:\033[0m " : "warning: ", stderr);
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

void cli_complain(const cli_output *out, const lls_error *err, const char *hint)
{
    const char *message = err->msg[0] ? err->msg : lls_err_text(err->code);

    if (out->format == CLI_JSON) {
        json_t *object = json_object();

        cli_json_set(object, "code", json_string(cli_exit_name(err->code)));
        cli_json_set(object, "message", cli_json_text(message));
        if (err->sqlstate[0])
            cli_json_set(object, "sqlstate", json_string(err->sqlstate));
        cli_json_set(object, "hint", hint ? cli_json_text(hint) : json_null());
        object = json_pack("{s:o}", "error", object);
        (void)json_dumpf(object, stderr, JSON_COMPACT);
        json_decref(object);
        (void)fputc('\n', stderr);
        return;
    }
    (void)fprintf(stderr, "%s %s\n",
                  out->color ? "\033[31mllmspell:\033[0m" : "llmspell:", message);
    if (hint)
        (void)fprintf(stderr, "hint: %s\n", hint);
}

void cli_write(lls_bytes bytes)
{
    if (bytes.len > 0)
        (void)fwrite(bytes.data, 1, bytes.len, stdout);
}

/* Why an earlier write failed is not kept by stdio; that a reader went away can still be seen. */
static int why_stdout_failed(void)
{
    struct pollfd wait = {.fd = STDOUT_FILENO, .events = POLLOUT};

    return poll(&wait, 1, 0) == 1 && (wait.revents & POLLERR) ? EPIPE : EIO;
}

lls_err cli_output_finish(lls_error *err)
{
    bool failed = ferror(stdout) != 0;

    if (fflush(stdout) != 0)
        return lls_fail_sys(err, errno, "write to stdout");
    if (failed)
        return lls_fail_sys(err, why_stdout_failed(), "write to stdout");
    return LLS_OK;
}

bool cli_output_failed(void)
{
    return ferror(stdout) != 0;
}
