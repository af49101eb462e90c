/* main.c - find the command, run it, and tell how it went. */
#include "cli/args.h"
#include "cli/exit.h"
#include "cli/help.h"
#include "cli/hint.h"
#include "cli/output.h"
#include "cli/scope.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>

static lls_err print_version(void)
{
    printf("llmspell %s\n", lls_version());
    return LLS_OK;
}

static lls_err dispatch(cli_context *context, lls_error *err)
{
    if (context->args.values[CLI_VERSION])
        return print_version();
    if (context->args.values[CLI_HELP]) {
        cli_help_print(context->command, &context->out);
        return LLS_OK;
    }
    return context->command->run(context, err);
}

static lls_err parse(cli_context *context, int argc, char **argv, lls_error *err)
{
    lls_error output_err = {0};
    lls_err e = cli_args_parse(context, argc, argv, err);
    // Also after a mistake: how to complain depends on what was understood until then.
    lls_err output_e = cli_output_init(&context->out, &context->args, &output_err);

    if (e == LLS_OK && output_e != LLS_OK)
        return cli_misuse(context, err, "%s", output_err.msg);
    return e;
}

static int finish(cli_context *context, lls_err e, lls_error *err)
{
    lls_error write_err = {0};
    int status = context->misused ? CLI_EXIT_USAGE : cli_exit_status(e);

    if (cli_output_finish(&write_err) != LLS_OK && e == LLS_OK) {
        *err = write_err;
        status = CLI_EXIT_FAILURE;
    }
    if (status == 0)
        return 0;
    // Whoever read the results has seen enough: `llmspell storage list … | head`.
    if (write_err.sys == EPIPE || (err->code == LLS_E_IO && err->sys == EPIPE))
        return CLI_EXIT_PIPE;
    cli_complain(&context->out, err, cli_hint(context, err));
    return status;
}

int main(int argc, char **argv)
{
    cli_context context = {0};
    lls_error err = {0};
    lls_err e;
    int status;

    (void)setlocale(LC_CTYPE, "");  // not the others: figures are written the same everywhere
    (void)signal(SIGPIPE, SIG_IGN); // a write then fails, and a migration is not cut in the middle
    (void)signal(SIGXFSZ, SIG_IGN); // likewise: a file size limit reads like a full disk
    e = parse(&context, argc, argv, &err);
    if (e == LLS_OK)
        e = dispatch(&context, &err);
    if (e != LLS_OK)
        err.code = e;
    status = finish(&context, e, &err);
    lls_buf_fini(&context.hint);
    return status;
}
