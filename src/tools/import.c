#include <llmspell/transfer.h>

#include "base/scope.h"
#include "ports/batch.h"
#include "ports/record.h"
#include "store/route.h"
#include "tools/abi.h"
#include "tools/lines.h"
#include "tools/pace.h"

#include <inttypes.h>

enum { BATCH_RECORDS = 1000, BATCH_BYTES = 16 << 20 };

typedef struct import_run {
    lls_store *store;
    lls_route *route;
    const lls_transfer_options *options;
    lls_lines lines;
    lls_buf scratch;
    lls_buf value; // of the line, as it is stored
    lls_batch batch;
    uint64_t batch_records; // in the batch
    uint64_t first_line;    // of the batch
    uint64_t last_line;
    uint64_t stored;
    lls_pace pace;
} import_run;

static void import_run_auto(import_run *run)
{
    lls_lines_fini(&run->lines);
    lls_buf_fini(&run->scratch);
    lls_buf_fini(&run->value);
    lls_batch_fini(&run->batch);
}

static bool is_full(const import_run *run, size_t more)
{
    uint64_t most = run->options->batch ? run->options->batch : BATCH_RECORDS;

    return run->batch_records == most ||
           (run->batch_records && run->batch.data.len + run->batch.writes.len + more > BATCH_BYTES);
}

static lls_err flush(import_run *run, lls_error *err)
{
    lls_err e = lls_route_apply(run->store, run->route, lls_batch_writes(&run->batch),
                                run->batch.count, err);
    if (e != LLS_OK)
        return lls_wrap(err, e, "lines %" PRIu64 " to %" PRIu64, run->first_line, run->last_line);
    run->stored += run->batch_records;
    run->batch_records = 0;
    lls_batch_clear(&run->batch);
    return LLS_OK;
}

static lls_err check(const import_run *run, const lls_kv_item *item, lls_error *err)
{
    LLS_TRY(run->route->component->check_key(item->key, err));
    LLS_TRY(run->route->component->check_value(item->value, err));
    if (item->meta.version == 0 && (item->meta.created_usec || item->meta.updated_usec))
        return lls_fail(err, LLS_E_PARSE, "members \"created\" and \"updated\" need \"version\"");
    return LLS_OK;
}

static lls_err add(import_run *run, const lls_kv_item *item, lls_error *err)
{
    lls_kv_write write = {
        .coll = lls_str_of(run->route->component->collection),
        .key = item->key,
        .meta = item->meta,
    };

    // With its key created first, a record that is restored replaces none.
    write.verb = LLS_KV_CREATE;
    if (item->meta.version && run->options->keep_existing)
        LLS_TRY(lls_batch_add(&run->batch, &write, err));
    if (item->meta.version)
        write.verb = LLS_KV_RESTORE;
    else if (!run->options->keep_existing)
        write.verb = LLS_KV_PUT;
    write.value = item->value;
    LLS_TRY(lls_batch_add(&run->batch, &write, err));
    if (run->batch_records++ == 0)
        run->first_line = run->lines.number;
    run->last_line = run->lines.number;
    return LLS_OK;
}

static lls_err read_line(import_run *run, lls_str line, lls_kv_item *item, lls_error *err)
{
    LLS_TRY(lls_record_from_line(line, &run->scratch, item, err));
    if (!run->route->component->from_json)
        return LLS_OK;
    lls_buf_clear(&run->value);
    LLS_TRY(lls_value_from_json(lls_str_of(run->route->component->name), item->value, &run->value,
                                err));
    item->value = lls_buf_view(&run->value);
    return LLS_OK;
}

static lls_err take_line(import_run *run, lls_str line, lls_error *err)
{
    lls_kv_item item = {0};

    lls_err e = read_line(run, line, &item, err);
    if (e == LLS_OK)
        e = check(run, &item, err);
    if (e != LLS_OK)
        return lls_wrap(err, e, "line %" PRIu64, run->lines.number);
    if (is_full(run, item.key.len + item.value.len))
        LLS_TRY(flush(run, err));
    return add(run, &item, err);
}

static lls_err take_all(import_run *run, lls_error *err)
{
    const lls_transfer_options *options = run->options;
    lls_str line = {0};
    lls_err e = LLS_OK;

    while ((e = lls_lines_next(&run->lines, &line, err)) == LLS_OK) {
        if (options->cancel && *options->cancel)
            return lls_fail(err, LLS_E_CANCELLED, "cancelled behind line %" PRIu64,
                            run->lines.number - 1);
        if (line.len)
            LLS_TRY(take_line(run, line, err));
        if (options->progress && lls_pace_due(&run->pace, run->stored + run->batch_records))
            options->progress(options->user, run->stored + run->batch_records, run->lines.bytes);
    }
    return e == LLS_END ? flush(run, err) : e;
}

lls_err lls_import(lls_store *store, lls_str component, int fd, const lls_transfer_options *options,
                   uint64_t *records, lls_error *err)
{
    static const lls_transfer_options preset = {.abi = LLS_ABI};
    LLS_AUTO(import_run)
    run = {
        .store = store,
        .options = options ? options : &preset,
        .lines = {.fd = fd},
    };

    LLS_TRY(lls_abi_check(run.options->abi, "lls_transfer_options", err));
    LLS_TRY(lls_route_find(store, component, &run.route, err));
    run.lines.cancel = run.options->cancel;
    lls_err e = take_all(&run, err);
    if (records)
        *records = run.stored;
    if (e != LLS_OK)
        return lls_wrap(err, e, "import '" LLS_FMT "'", LLS_ARG(component));
    if (run.options->progress)
        run.options->progress(run.options->user, run.stored, run.lines.bytes);
    return LLS_OK;
}
