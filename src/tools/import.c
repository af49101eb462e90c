#include "tools/import.h"

#include "base/scope.h"
#include "store/vectors.h"
#include "tools/abi.h"

#include <inttypes.h>

enum { BATCH_RECORDS = 1000, BATCH_BYTES = 16 << 20 };

static void lls_import_run_auto(lls_import_run *run)
{
    lls_batch_fini(&run->batch);
}

static bool is_full(const lls_import_run *run, size_t more)
{
    uint64_t most = run->options->batch ? run->options->batch : BATCH_RECORDS;

    return run->batch_records == most ||
           (run->batch_records && run->batch.data.len + run->batch.writes.len + more > BATCH_BYTES);
}

lls_err lls_import_flush(lls_import_run *run, lls_error *err)
{
    lls_err e = lls_route_apply(run->store, run->route, lls_batch_writes(&run->batch),
                                run->batch.count, err);
    if (e != LLS_OK)
        return lls_wrap(err, e, "%ss %" PRIu64 " to %" PRIu64, run->unit, run->first, run->last);
    run->stored += run->batch_records;
    run->batch_records = 0;
    lls_batch_clear(&run->batch);
    return LLS_OK;
}

static lls_err check(const lls_import_run *run, const lls_kv_item *item, lls_error *err)
{
    LLS_TRY(run->route->component->check_key(item->key, err));
    LLS_TRY(run->route->component->check_value(item->value, err));
    if (item->meta.version == 0 && (item->meta.created_usec || item->meta.updated_usec))
        return lls_fail(err, LLS_E_PARSE, "members \"created\" and \"updated\" need \"version\"");
    return LLS_OK;
}

static lls_err add(lls_import_run *run, const lls_kv_item *item, lls_error *err)
{
    lls_kv_write write = {
        .coll = lls_str_of(run->route->component->collection),
        .key = item->key,
        .meta = item->meta,
    };

    // With its key created first, a record that is restored replaces none.
    write.verb = LLS_KV_CREATE;
    write.value = item->value;
    if (item->meta.version && run->options->keep_existing)
        LLS_TRY(lls_batch_add(&run->batch, &write, err));
    if (item->meta.version)
        write.verb = LLS_KV_RESTORE;
    else if (!run->options->keep_existing)
        write.verb = LLS_KV_PUT;
    LLS_TRY(lls_batch_add(&run->batch, &write, err));
    if (run->batch_records++ == 0)
        run->first = run->place;
    run->last = run->place;
    return LLS_OK;
}

lls_err lls_import_add(lls_import_run *run, const lls_kv_item *item, lls_error *err)
{
    lls_err e = check(run, item, err);
    if (e != LLS_OK)
        return lls_wrap(err, e, "%s %" PRIu64, run->unit, run->place);
    if (is_full(run, item->key.len + item->value.len))
        LLS_TRY(lls_import_flush(run, err));
    return add(run, item, err);
}

lls_err lls_import_pause(lls_import_run *run, lls_error *err)
{
    const lls_transfer_options *options = run->options;
    uint64_t taken = run->stored + run->batch_records;

    if (options->cancel && *options->cancel)
        return lls_fail(err, LLS_E_CANCELLED, "cancelled behind %s %" PRIu64, run->unit,
                        run->place);
    if (options->progress && lls_pace_due(&run->pace, taken))
        options->progress(options->user, taken, run->bytes);
    return LLS_OK;
}

static lls_err read_all(lls_import_run *run, lls_error *err)
{
    switch (run->options->format) {
    case LLS_FILE_LINES:
        run->unit = "line";
        return lls_import_lines(run, err);
    case LLS_FILE_FBIN:
        run->unit = "row";
        if (run->route->component->port == LLS_PORT_VEC)
            return lls_import_fbin(run, err);
        return lls_fail(err, LLS_E_UNSUPPORTED, "the component keeps no vectors");
    case LLS_FILE_MSGPACK:
        run->unit = "vector";
        if (run->route->component->port == LLS_PORT_VEC && run->route->component->from_json)
            return lls_import_msgpack(run, err);
        return lls_fail(err, LLS_E_UNSUPPORTED, "the component keeps no vectors");
    }
    return lls_fail(err, LLS_E_INVALID, "an unknown format of files");
}

lls_err lls_import(lls_store *store, lls_str component, int fd, const lls_transfer_options *options,
                   uint64_t *records, lls_error *err)
{
    static const lls_transfer_options preset = {.abi = LLS_ABI};
    LLS_AUTO(lls_import_run) r = {.store = store, .options = options ? options : &preset, .fd = fd};

    LLS_TRY(lls_abi_check(r.options->abi, "lls_transfer_options", err));
    LLS_TRY(lls_route_find(store, component, &r.route, err));
    lls_err e = read_all(&r, err);
    if (e == LLS_OK)
        e = lls_import_flush(&r, err);
    if (records)
        *records = r.stored;
    if (e != LLS_OK)
        return lls_wrap(err, e, "import '" LLS_FMT "'", LLS_ARG(component));
    if (r.options->progress)
        r.options->progress(r.options->user, r.stored, r.bytes);
    if (r.route->component->port != LLS_PORT_VEC || r.stored == 0)
        return LLS_OK;
    e = lls_vectors_tend(store, r.route->component, err);
    return e == LLS_OK ? e : lls_wrap(err, e, "all is imported, but its index was not built");
}
