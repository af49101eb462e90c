#include <llmspell/transfer.h>

#include "base/file.h"
#include "base/scope.h"
#include "ports/record.h"
#include "store/component.h"
#include "tools/abi.h"
#include "tools/export_fbin.h"
#include "tools/lines.h"
#include "tools/pace.h"

enum { WRITE_SIZE = 256 << 10 };

static const char destination[] = "the destination of the export";

typedef lls_store_list *store_list_ref;
static void store_list_ref_auto(store_list_ref *list)
{
    lls_store_list_close(*list);
}

typedef struct export_run {
    int fd;
    const lls_transfer_options *options;
    const lls_component_def *component;
    lls_pace pace;
    lls_buf json; // the value of the record that is being written
    lls_buf out;
    uint64_t records;
    uint64_t bytes; // of lines, written or about to be
} export_run;

static void export_run_auto(export_run *run)
{
    lls_buf_fini(&run->json);
    lls_buf_fini(&run->out);
}

static lls_err flush(export_run *run, lls_error *err)
{
    LLS_TRY(lls_file_write(run->fd, lls_buf_view(&run->out), destination, err));
    lls_buf_clear(&run->out);
    return LLS_OK;
}

static lls_err write_record(export_run *run, const lls_record *record, lls_error *err)
{
    lls_kv_item item = {
        .key = record->key,
        .value = record->value,
        .meta = {record->version, record->created_usec, record->updated_usec, record->expires_usec},
    };
    size_t before = run->out.len;

    if (run->component->to_json) {
        lls_buf_clear(&run->json);
        LLS_TRY(lls_record_to_json(record, &run->json, err));
        item.value = lls_buf_view(&run->json);
    }
    lls_record_to_line(&item, run->options->full ? LLS_LINE_FULL : LLS_LINE_PLAIN, &run->out);
    LLS_TRY(lls_buf_status(&run->out, err));
    run->records++;
    run->bytes += run->out.len - before;
    return run->out.len >= WRITE_SIZE ? flush(run, err) : LLS_OK;
}

static lls_err write_all(export_run *run, lls_store_list *list, lls_error *err)
{
    const lls_transfer_options *options = run->options;
    lls_record record = {0};
    lls_err e = LLS_OK;

    while ((e = lls_store_list_next(list, &record, err)) == LLS_OK) {
        if (options->cancel && *options->cancel)
            return lls_fail(err, LLS_E_CANCELLED, "cancelled");
        LLS_TRY(write_record(run, &record, err));
        if (options->progress && lls_pace_due(&run->pace, run->records))
            options->progress(options->user, run->records, run->bytes);
    }
    return e == LLS_END ? flush(run, err) : e;
}

lls_err lls_export(lls_store *store, lls_str component, int fd, const lls_transfer_options *options,
                   uint64_t *records, lls_error *err)
{
    static const lls_transfer_options preset = {.abi = LLS_ABI};
    LLS_AUTO(store_list_ref) list = NULL;
    LLS_AUTO(export_run)
    run = {.fd = fd,
           .options = options ? options : &preset,
           .out = {.max = WRITE_SIZE + LLS_LINE_MAX}};

    LLS_TRY(lls_abi_check(run.options->abi, "lls_transfer_options", err));
    LLS_TRY(lls_component_find(component, &run.component, err));
    lls_err e;
    if (run.options->format == LLS_FILE_FBIN && run.component->port == LLS_PORT_VEC) {
        e = lls_export_fbin(store, component, fd, run.options, &run.records, err);
    } else if (run.options->format != LLS_FILE_LINES) {
        e = lls_fail(err, LLS_E_UNSUPPORTED, "it is not written in this format");
    } else {
        e = lls_store_list_open(store, component, (lls_bytes){0}, (lls_bytes){0}, &list, err);
        if (e == LLS_OK)
            e = write_all(&run, list, err);
    }
    if (e != LLS_OK)
        return lls_wrap(err, e, "export '" LLS_FMT "'", LLS_ARG(component));
    if (run.options->progress)
        run.options->progress(run.options->user, run.records, run.bytes);
    if (records)
        *records = run.records;
    return LLS_OK;
}
