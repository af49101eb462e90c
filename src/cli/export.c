/* export.c - llmspell storage export */
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/file_format.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/new_file.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/scope.h"
#include "cli/units.h"

#include <inttypes.h>
#include <unistd.h>

typedef struct export_watch {
    cli_progress progress;
    const char *component;
} export_watch;

static void on_progress(void *user, uint64_t records, uint64_t bytes)
{
    export_watch *watch = (export_watch *)user;

    (void)bytes;
    cli_progress_update(&watch->progress, "export", watch->component, records, 0);
}

static lls_err export_to(cli_context *context, lls_store *store, int fd, uint64_t *records,
                         lls_error *err)
{
    export_watch watch = {.progress = {.out = &context->out, .begun_usec = cli_monotonic_usec()},
                          .component = context->args.words[0]};
    lls_transfer_options options = {
        .abi = LLS_ABI,
        .full = context->args.values[CLI_FULL] != NULL,
        .progress = on_progress,
        .user = &watch,
        .cancel = cli_interrupt_begin(),
    };
    LLS_TRY(cli_read_file_format(context, &options, err));
    lls_err e = lls_export(store, lls_str_of(watch.component), fd, &options, records, err);

    cli_progress_clear(&watch.progress);
    return e;
}

/* The file is there when it is whole, or as it was before. */
static lls_err export_to_file(cli_context *context, lls_store *store, const char *path,
                              uint64_t *records, lls_error *err)
{
    LLS_AUTO(cli_new_file) file = {0};

    LLS_TRY(cli_new_file_open(path, &file, err));
    LLS_TRY(export_to(context, store, file.fd, records, err));
    return cli_new_file_keep(&file, err);
}

static lls_err run(cli_context *context, lls_error *err)
{
    LLS_AUTO(cli_config_ref) config = NULL;
    LLS_AUTO(cli_store_ref) store = NULL;
    const char *component = context->args.words[0];
    const char *path = context->args.word_count > 1 ? context->args.words[1] : "-";
    uint64_t records = 0;
    json_t *object;

    LLS_TRY(cli_open_store(context, component, LLS_OPEN_READ, &config, &store, err));
    if (strcmp(path, "-") == 0) // then stdout is the records, in JSON mode as well
        return export_to(context, store, STDOUT_FILENO, &records, err);
    LLS_TRY(export_to_file(context, store, path, &records, err));
    cli_say(&context->out, "%s: %" PRIu64 " record%s exported to '%s'", component, records,
            cli_plural(records), path);
    if (context->out.format == CLI_TEXT)
        return LLS_OK;
    object = json_object();
    cli_json_set(object, "component", json_string(component));
    cli_json_set(object, "file", cli_json_text(path));
    cli_json_set(object, "records", cli_json_count(records));
    return cli_json_print(object, err);
}

static const cli_option options[] = {
    {"full", CLI_FULL, 0, false, NULL, "versions and times too, not only keys and values"},
    {"file-format", CLI_FILE_FORMAT, 0, false, "jsonl|fbin", "what FILE is; jsonl unless told"},
    {"model", CLI_MODEL, 0, false, "NAME", "fbin: the vectors of this model"},
    {0},
};

const cli_command cli_export = {
    .path = "storage export",
    .summary = "write the records of a component as JSON lines, or vectors as an .fbin file",
    .description = "The records are of one moment, in the order of their keys. Without FILE, or\n"
                   "with -, they go to stdout. FILE is made or replaced when all of it is written.",
    .words = "COMPONENT [FILE|-]",
    .min_words = 1,
    .max_words = 2,
    .options = options,
    .takes_backend = true,
    .examples = "llmspell storage export sessions sessions.jsonl --full\n"
                "llmspell storage export agent_state | gzip >backup.jsonl.gz\n",
    .run = run,
};
