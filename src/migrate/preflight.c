#include "migrate/preflight.h"

#include "base/file.h"
#include "base/plural.h"
#include "base/scope.h"
#include "migrate/engine.h"
#include "ports/record.h"

#include <errno.h>
#include <sys/statvfs.h>

/* Conflicting keys that a warning names. */
enum { NAMED_MAX = 3 };

/* Bytes of a backup's line beside the key and the value, which may both stand as base64. */
enum { LINE_OVERHEAD = 200 };

/* What both ends hold, and what that means. */
typedef struct findings {
    uint64_t source_bytes;
    bool source_bytes_are_shared;
    uint64_t target_count;
    uint64_t conflicts;
    uint64_t backup_bytes; /* that the backup's files may need */
} findings;

static lls_err tell(const lls_run *run, lls_event_type type, const char *component, lls_buf *text,
                    lls_error *err)
{
    LLS_TRY(lls_buf_status(text, err));
    lls_run_tell(run, type, component, lls_buf_cstr(text));
    lls_buf_clear(text);
    return LLS_OK;
}

static lls_err check_estimate(const lls_run *run, const lls_part *part, lls_buf *text,
                              lls_error *err)
{
    uint64_t count = part->source.count;
    uint64_t want = part->want->estimated_count;
    uint64_t off = count > want ? count - want : want - count;

    if (count == 0)
        lls_buf_printf(text, "the source holds no records of %s", part->want->name);
    else if (want > 0 && off > want / 10)
        lls_buf_printf(text, "the source holds %llu record%s of %s, and the plan expects %llu",
                       (unsigned long long)count, lls_plural(count), part->want->name,
                       (unsigned long long)want);
    else
        return LLS_OK;
    return tell(run, LLS_EVENT_WARNING, part->want->name, text, err);
}

static lls_err check_source(lls_run *run, findings *f, lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};

    for (size_t i = 0; i < run->plan->component_count; i++) {
        lls_part *part = &run->parts[i];
        lls_kv_stats stats;
        lls_err e = lls_kv_stats_of(run->from, lls_run_space(run, i), &stats, err);
        if (e != LLS_OK)
            return lls_wrap(err, e, "count %s in the source", part->want->name);
        part->source.count = stats.count;
        f->source_bytes += stats.bytes;
        f->source_bytes_are_shared |= stats.bytes_are_shared;
        lls_buf_printf(&text, "source: %llu record%s of %s", (unsigned long long)stats.count,
                       lls_plural(stats.count), part->want->name);
        LLS_TRY(tell(run, LLS_EVENT_CHECK, part->want->name, &text, err));
        LLS_TRY(check_estimate(run, part, &text, err));
    }
    return LLS_OK;
}

static lls_err check_target(const lls_run *run, const findings *f, lls_error *err)
{
    const lls_backend_def *def = run->target->def;
    lls_lock_claim claim = lls_run_claim(run);

    lls_err e = def && def->ready ? def->ready(run->target, f->source_bytes, err) : LLS_OK;
    if (e == LLS_E_FULL && f->source_bytes_are_shared && err)
        lls_run_tell(run, LLS_EVENT_WARNING, NULL, err->msg); // a guess from above, no finding
    else if (e != LLS_OK)
        return lls_wrap(err, e, "the target is not ready");
    lls_run_tell(run, LLS_EVENT_CHECK, NULL, "target: ready");
    LLS_TRY(lls_lock_probe(run->to, &claim, err));
    lls_run_tell(run, LLS_EVENT_CHECK, NULL, "target: no other migration holds it");
    return LLS_OK;
}

static lls_err name_conflict(const lls_run *run, const lls_part *part, lls_bytes key,
                             lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};

    lls_buf_add_text(&text, "the target has other content under the key '");
    lls_key_show(key, &text);
    lls_buf_add_text(&text, "'");
    return tell(run, LLS_EVENT_WARNING, part->want->name, &text, err);
}

/* The next record, or `*over`. */
static lls_err step(lls_kv_iter *it, lls_kv_item *item, bool *over, lls_error *err)
{
    lls_err e = lls_kv_iter_next(it, item, err);

    *over = e == LLS_END;
    return *over ? LLS_OK : e;
}

/* Walk both sides in step and find the keys that both have with different content. */
static lls_err walk(const lls_run *run, size_t index, findings *f, uint64_t *held,
                    uint64_t *conflicts, lls_error *err)
{
    LLS_AUTO(lls_kv_iter_ref) source = NULL;
    LLS_AUTO(lls_kv_iter_ref) target = NULL;
    const lls_part *part = &run->parts[index];
    lls_kv_space space = lls_run_space(run, index);
    lls_kv_item from = {0};
    lls_kv_item to = {0};
    bool from_over = false;
    bool to_over = false;

    LLS_TRY(lls_kv_scan(run->to, space, (lls_kv_range){0}, LLS_KV_ALL, &target, err));
    LLS_TRY(step(target, &to, &to_over, err));
    if (to_over)
        return LLS_OK; // nothing there: the source need not be read
    LLS_TRY(lls_kv_scan(run->from, space, (lls_kv_range){0}, LLS_KV_ALL, &source, err));
    LLS_TRY(step(source, &from, &from_over, err));
    while (!to_over) {
        int order = from_over ? 1 : lls_bytes_cmp(from.key, to.key);
        if (order < 0) {
            LLS_TRY(step(source, &from, &from_over, err));
            continue;
        }
        if (order == 0 &&
            !lls_digest_eq(lls_record_digest(part->coll, &from),
                           lls_record_digest(part->coll, &to)) &&
            ++*conflicts <= NAMED_MAX)
            LLS_TRY(name_conflict(run, part, to.key, err));
        f->backup_bytes += (to.key.len + to.value.len) * 4 / 3 + LINE_OVERHEAD;
        if (++*held % 1024 == 0)
            LLS_TRY(lls_run_check_cancel(run, err));
        LLS_TRY(step(target, &to, &to_over, err));
    }
    return LLS_OK;
}

static lls_err check_conflicts(const lls_run *run, findings *f, lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};

    for (size_t i = 0; i < run->plan->component_count; i++) {
        const char *name = run->parts[i].want->name;
        uint64_t held = 0;
        uint64_t conflicts = 0;
        lls_err e = walk(run, i, f, &held, &conflicts, err);
        if (e != LLS_OK)
            return lls_wrap(err, e, "look for conflicts in %s", name);
        f->target_count += held;
        f->conflicts += conflicts;
        lls_buf_printf(&text, "target: %llu record%s of %s", (unsigned long long)held,
                       lls_plural(held), name);
        if (conflicts > 0)
            lls_buf_printf(&text, ", %llu of them will be replaced by others",
                           (unsigned long long)conflicts);
        LLS_TRY(tell(run, conflicts ? LLS_EVENT_WARNING : LLS_EVENT_CHECK, name, &text, err));
    }
    if (f->conflicts > 0 && !run->plan->backup_enabled)
        return lls_fail(err, LLS_E_CONFLICT,
                        "%llu record%s of the target would be replaced, and the plan has "
                        "backup_enabled: false",
                        (unsigned long long)f->conflicts, lls_plural(f->conflicts));
    return LLS_OK;
}

/* The deepest folder of `path` that is there. */
static lls_err find_parent(const char *path, lls_buf *out, lls_error *err)
{
    LLS_TRY(lls_file_expand(lls_str_of(path), out, err));
    while (out->len > 0 && !lls_file_exists(lls_buf_cstr(out))) {
        while (out->len > 0 && out->data[out->len - 1] != '/')
            out->len--;
        while (out->len > 1 && out->data[out->len - 1] == '/')
            out->len--;
    }
    if (out->len == 0)
        lls_buf_add_text(out, ".");
    return lls_buf_status(out, err);
}

static lls_err check_backup(const lls_run *run, const findings *f, lls_error *err)
{
    LLS_AUTO(lls_buf) folder = {0};
    struct statvfs fs;

    if (!run->plan->backup_enabled) {
        lls_run_tell(
            run, LLS_EVENT_WARNING, NULL,
            "the plan has backup_enabled: false: once it is done it cannot be rolled back");
        return LLS_OK;
    }
    LLS_TRY(find_parent(run->plan->backup_path, &folder, err));
    if (statvfs(lls_buf_cstr(&folder), &fs) != 0)
        return lls_fail_sys(err, errno, "look for room in '%s'", lls_buf_cstr(&folder));
    if (f->backup_bytes / (fs.f_frsize ? fs.f_frsize : 1) >= fs.f_bavail)
        return lls_fail(err, LLS_E_FULL,
                        "no room for the backup in '%s': it needs up to %llu bytes",
                        lls_buf_cstr(&folder), (unsigned long long)f->backup_bytes);
    lls_run_tell(run, LLS_EVENT_CHECK, NULL, "backup: there is room for it");
    return LLS_OK;
}

lls_err lls_preflight(lls_run *run, lls_error *err)
{
    findings f = {0};

    LLS_TRY(check_source(run, &f, err));
    if (!run->target) {
        lls_run_tell(run, LLS_EVENT_CHECK, NULL, "target: not there yet, it will be created");
        return check_backup(run, &f, err);
    }
    LLS_TRY(check_target(run, &f, err));
    LLS_TRY(check_conflicts(run, &f, err));
    return check_backup(run, &f, err);
}
