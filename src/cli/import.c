/* import.c - llmspell storage import */
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/file_format.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/scope.h"
#include "cli/units.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

/* How far into the file we are says how far the import is: nobody knows how many lines it has. */
typedef struct import_watch {
    cli_progress progress;
    const char *component;
    int fd;
    uint64_t size; /* bytes of the file; 0 for a pipe */
} import_watch;

static void on_progress(void *user, uint64_t records, uint64_t bytes)
{
    import_watch *watch = (import_watch *)user;
    off_t at = watch->size > 0 ? lseek(watch->fd, 0, SEEK_CUR) : -1;

    (void)bytes;
    if (at > 0 && records > 0) {
        double whole = (double)records * (double)watch->size / (double)at;
        uint64_t total = (uint64_t)whole < records ? records : (uint64_t)whole;

        cli_progress_update(&watch->progress, "import", watch->component, records, total);
    } else {
        cli_progress_update(&watch->progress, "import", watch->component, records, 0);
    }
}

static void on_note(void *user, const char *text)
{
    import_watch *watch = (import_watch *)user;

    cli_progress_clear(&watch->progress);
    cli_warn(watch->progress.out, "%s", text);
}

static lls_err open_input(const char *path, int *fd, lls_error *err)
{
    if (!path || strcmp(path, "-") == 0) {
        *fd = STDIN_FILENO;
        return LLS_OK;
    }
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    return *fd >= 0 ? LLS_OK : lls_fail_sys(err, errno, "open '%s'", path);
}

static lls_err print_result(const cli_context *context, const char *component, uint64_t records,
                            lls_error *err)
{
    json_t *object;

    if (context->out.format == CLI_TEXT) {
        cli_say(&context->out, "%s: %" PRIu64 " record%s imported", component, records,
                cli_plural(records));
        return LLS_OK;
    }
    object = json_object();
    cli_json_set(object, "component", json_string(component));
    cli_json_set(object, "records", cli_json_count(records));
    return cli_json_print(object, err);
}

static lls_err import_from(cli_context *context, lls_store *store, int fd, uint64_t *records,
                           lls_error *err)
{
    struct stat file;
    import_watch watch = {.progress = {.out = &context->out, .begun_usec = cli_monotonic_usec()},
                          .component = context->args.words[0],
                          .fd = fd};
    lls_transfer_options options = {
        .abi = LLS_ABI,
        .keep_existing = context->args.values[CLI_KEEP_EXISTING] != NULL,
        .progress = on_progress,
        .note = on_note,
        .user = &watch,
        .cancel = cli_interrupt_begin(),
    };
    lls_err e;

    LLS_TRY(cli_read_file_format(context, &options, err));
    if (fstat(fd, &file) == 0 && S_ISREG(file.st_mode))
        watch.size = (uint64_t)file.st_size;
    e = lls_import(store, lls_str_of(watch.component), fd, &options, records, err);
    cli_progress_clear(&watch.progress);
    return e;
}

static lls_err run(cli_context *context, lls_error *err)
{
    LLS_AUTO(cli_config_ref) config = NULL;
    LLS_AUTO(cli_store_ref) store = NULL;
    const char *component = context->args.words[0];
    uint64_t records = 0;
    lls_err e;
    int fd;

    LLS_TRY(cli_open_store(context, component, LLS_OPEN_WRITE, &config, &store, err));
    LLS_TRY(open_input(context->args.word_count > 1 ? context->args.words[1] : NULL, &fd, err));
    e = import_from(context, store, fd, &records, err);
    if (fd != STDIN_FILENO)
        (void)close(fd);
    if (e != LLS_OK && records > 0) {
        lls_buf_printf(&context->hint,
                       "%" PRIu64
                       " record%s of the input %s in the store; importing again is harmless",
                       records, cli_plural(records), records == 1 ? "is" : "are");
    }
    LLS_TRY(e);
    return print_result(context, component, records, err);
}

static const cli_option options[] = {
    {"keep-existing", CLI_KEEP_EXISTING, 0, false, NULL, "fail rather than replace a record"},
    {"file-format", CLI_FILE_FORMAT, 0, false, "jsonl|fbin|msgpack",
     "what FILE is; jsonl unless told"},
    {"prefix", CLI_PREFIX, 0, false, "TEXT", "fbin: ids are this and the number of the row"},
    {"model", CLI_MODEL, 0, false, "NAME", "fbin, msgpack: the model that made the vectors"},
    {"metric", CLI_METRIC, 0, false, "cosine|l2|ip|l1", "fbin: how they are compared"},
    {0},
};

const cli_command cli_import = {
    .path = "storage import",
    .summary = "read records from JSON lines, or vectors from an .fbin file",
    .description =
        "FILE has one record a line, as export writes it; - is stdin, which is the\n"
        "default. Whole batches are stored; repeating an import is harmless.\n"
        "An .fbin file has vectors only: the number of rows, the dimension, the floats.\n"
        "msgpack is the vectors.msgpack that rs-llmspell keeps in the folder of each\n"
        "namespace; what had to be mended or left out is told.",
    .words = "COMPONENT [FILE|-]",
    .min_words = 1,
    .max_words = 2,
    .options = options,
    .takes_backend = true,
    .examples = "llmspell storage import sessions sessions.jsonl\n"
                "llmspell storage import episodic_memory --file-format msgpack vectors.msgpack\n"
                "zcat backup.jsonl.gz | llmspell storage import agent_state -\n",
    .run = run,
};
