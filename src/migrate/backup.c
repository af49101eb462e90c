#include "migrate/backup.h"

#include "base/scope.h"
#include "migrate/backup_file.h"
#include "migrate/yaml_read.h"
#include "ports/record.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { METADATA_MAX = 1024 * 1024, TELL_EVERY = 1000 };

/* The metadata file, in its order. */
typedef struct metadata_component {
    const char *name;
    const char *file;
    uint64_t count;
    uint64_t record_bytes;
    lls_digest digest;
    uint64_t bytes;
    lls_digest checksum;
} metadata_component;

typedef struct metadata {
    const char *version;
    const char *run;
    const char *tenant;
    const char *target;
    int64_t created_usec;
    metadata_component components[LLS_PLAN_COMPONENTS];
    size_t component_count;
} metadata;

static const lls_yaml_field component_fields[] = {
    {.name = "name", .type = LLS_YAML_TEXT, .offset = offsetof(metadata_component, name)},
    {.name = "file", .type = LLS_YAML_TEXT, .offset = offsetof(metadata_component, file)},
    {.name = "count",
     .type = LLS_YAML_COUNT,
     .offset = offsetof(metadata_component, count),
     .max = INT64_MAX},
    {.name = "record_bytes",
     .type = LLS_YAML_COUNT,
     .offset = offsetof(metadata_component, record_bytes),
     .max = INT64_MAX},
    {.name = "digest", .type = LLS_YAML_DIGEST, .offset = offsetof(metadata_component, digest)},
    {.name = "file_bytes",
     .type = LLS_YAML_COUNT,
     .offset = offsetof(metadata_component, bytes),
     .max = INT64_MAX},
    {.name = "file_checksum",
     .type = LLS_YAML_DIGEST,
     .offset = offsetof(metadata_component, checksum)},
    {0},
};

static const lls_yaml_field metadata_fields[] = {
    {.name = "version", .type = LLS_YAML_TEXT, .offset = offsetof(metadata, version)},
    {.name = "run", .type = LLS_YAML_TEXT, .offset = offsetof(metadata, run)},
    {.name = "tenant", .type = LLS_YAML_TEXT, .offset = offsetof(metadata, tenant)},
    {.name = "target", .type = LLS_YAML_TEXT, .offset = offsetof(metadata, target)},
    {.name = "created_at", .type = LLS_YAML_TIME, .offset = offsetof(metadata, created_usec)},
    {.name = "components",
     .type = LLS_YAML_LIST,
     .offset = offsetof(metadata, components),
     .max = LLS_PLAN_COMPONENTS,
     .fields = component_fields,
     .size = sizeof(metadata_component),
     .count_offset = offsetof(metadata, component_count)},
    {0},
};

static lls_err file_path(const lls_run *run, size_t part, lls_buf *path, lls_error *err)
{
    lls_buf_printf(path, "%s/source/%s.jsonl", run->folder, run->parts[part].want->name);
    return lls_buf_status(path, err);
}

/* The first failure of the target is a failure to save: nothing was changed yet. */
static lls_err save_records(lls_run *run, size_t index, lls_backup_file *file, lls_error *err)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_part *part = &run->parts[index];
    lls_sum sum = {0};
    lls_kv_item item;
    lls_err e;

    LLS_TRY(
        lls_kv_scan(run->to, lls_run_space(run, index), (lls_kv_range){0}, LLS_KV_ALL, &it, err));
    while ((e = lls_kv_iter_next(it, &item, err)) == LLS_OK) {
        lls_record_to_line(&item, LLS_LINE_FULL, &file->pending);
        LLS_TRY(lls_backup_file_step(file, err));
        lls_digest_add(&sum.digest, lls_record_digest(part->coll, &item));
        sum.bytes += item.key.len + item.value.len;
        if (++sum.count % TELL_EVERY == 0) {
            LLS_TRY(lls_run_check_cancel(run, err));
            lls_run_tell_progress(run, "backup", part->want->name, sum.count, 0);
        }
    }
    if (e != LLS_END)
        return e;
    LLS_TRY(lls_backup_file_finish(file, err));
    part->backup = sum;
    part->file_sum = file->sum;
    part->file_bytes = file->bytes;
    lls_run_tell_progress(run, "backup", part->want->name, sum.count, sum.count);
    return LLS_OK;
}

static lls_err save_component(lls_run *run, size_t index, lls_error *err)
{
    LLS_AUTO(lls_buf) path = {0};
    LLS_AUTO(lls_backup_file) file = {.fd = -1};

    LLS_TRY(file_path(run, index, &path, err));
    LLS_TRY(lls_backup_file_open(&file, lls_buf_cstr(&path), err));
    lls_err e = save_records(run, index, &file, err);
    return e == LLS_OK ? e : lls_wrap(err, e, "back up %s", run->parts[index].want->name);
}

static void write_component(const lls_part *part, lls_buf *out)
{
    char digest[LLS_DIGEST_TEXT];
    char checksum[LLS_DIGEST_TEXT];

    lls_digest_format(part->backup.digest, digest);
    lls_digest_format(part->file_sum, checksum);
    lls_buf_printf(out,
                   "  - name: %s\n    file: source/%s.jsonl\n    count: %llu\n"
                   "    record_bytes: %llu\n    digest: \"%s\"\n    file_bytes: %llu\n"
                   "    file_checksum: \"%s\"\n",
                   part->want->name, part->want->name, (unsigned long long)part->backup.count,
                   (unsigned long long)part->backup.bytes, digest,
                   (unsigned long long)part->file_bytes, checksum);
}

static lls_err write_metadata(const lls_run *run, const char *path, lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};
    char now[LLS_TIME_TEXT];

    lls_time_format(lls_clock_now(NULL), now);
    lls_buf_printf(&text,
                   "# What the target held before the run. This file is written last: that it is\n"
                   "# here means that the backup is whole.\n"
                   "version: \"1.0\"\nrun: %s\ntenant: ",
                   run->name);
    lls_yaml_quote(lls_run_tenant(run), &text);
    lls_buf_add_text(&text, "\ntarget: ");
    lls_yaml_quote(lls_str_of(run->plan->target.backend), &text);
    lls_buf_printf(&text, "\ncreated_at: \"%s\"\ncomponents:\n", now);
    for (size_t i = 0; i < run->plan->component_count; i++)
        write_component(&run->parts[i], &text);
    LLS_TRY(lls_buf_status(&text, err));
    return lls_file_replace(path, lls_buf_view(&text), 0600, err);
}

lls_err lls_backup_make(lls_run *run, lls_error *err)
{
    LLS_AUTO(lls_buf) folder = {0};
    LLS_AUTO(lls_buf) path = {0};

    lls_run_path(run, "source", &folder);
    lls_run_path(run, "rollback-metadata.yaml", &path);
    LLS_TRY(lls_buf_status(&folder, err));
    LLS_TRY(lls_buf_status(&path, err));
    if (unlink(lls_buf_cstr(&path)) != 0 && errno != ENOENT) // of an attempt that was killed
        return lls_fail_sys(err, errno, "remove '%s'", lls_buf_cstr(&path));
    LLS_TRY(lls_file_mkdirs(lls_buf_cstr(&folder), err));
    for (size_t i = 0; i < run->plan->component_count; i++)
        LLS_TRY(save_component(run, i, err));
    return write_metadata(run, lls_buf_cstr(&path), err);
}

static lls_err take_metadata(lls_run *run, const metadata *m, const char *path, lls_error *err)
{
    if (strcmp(m->version, "1.0") != 0)
        return lls_fail(err, LLS_E_NEWER, "'%s' has version '%.20s', and this program knows 1.0",
                        path, m->version);
    bool same = strcmp(m->run, run->name) == 0 && strcmp(m->tenant, run->plan->tenant) == 0 &&
                m->component_count == run->plan->component_count;
    for (size_t i = 0; same && i < m->component_count; i++) {
        const metadata_component *c = &m->components[i];
        lls_part *part = &run->parts[i];
        same = strcmp(c->name, part->want->name) == 0;
        part->backup = (lls_sum){c->count, c->record_bytes, c->digest};
        part->file_bytes = c->bytes;
        part->file_sum = c->checksum;
    }
    if (!same)
        return lls_fail(err, LLS_E_CORRUPT, "'%s' is not of run %s", path, run->name);
    return LLS_OK;
}

lls_err lls_backup_load(lls_run *run, lls_error *err)
{
    LLS_AUTO(lls_buf) path = {0};
    LLS_AUTO(lls_buf) text = {0};
    LLS_AUTO(lls_texts) texts = {0};
    metadata m = {0};

    lls_run_path(run, "rollback-metadata.yaml", &path);
    LLS_TRY(lls_buf_status(&path, err));
    const char *name = lls_buf_cstr(&path);
    if (!lls_file_exists(name))
        return lls_fail(err, LLS_E_CORRUPT, "the backup is not whole: '%s' is missing", name);
    LLS_TRY(lls_file_read(name, METADATA_MAX, &text, err));
    lls_err e = lls_yaml_read(lls_buf_str(&text), name, metadata_fields, &m, &texts, err);
    if (e == LLS_E_PARSE || e == LLS_E_INVALID)
        return lls_wrap(err, LLS_E_CORRUPT, "the backup is damaged");
    LLS_TRY(e);
    return take_metadata(run, &m, name, err);
}

lls_err lls_backup_check(const lls_run *run, lls_error *err)
{
    for (size_t i = 0; i < run->plan->component_count; i++) {
        LLS_AUTO(lls_buf) path = {0};
        const lls_part *part = &run->parts[i];
        uint64_t bytes;
        lls_digest sum;

        LLS_TRY(file_path(run, i, &path, err));
        const char *name = lls_buf_cstr(&path);
        if (!lls_file_exists(name))
            return lls_fail(err, LLS_E_CORRUPT, "the backup is damaged: '%s' is missing", name);
        LLS_TRY(lls_backup_file_sum(name, &bytes, &sum, err));
        if (bytes != part->file_bytes)
            return lls_fail(err, LLS_E_CORRUPT,
                            "the backup is damaged: '%s' has %llu bytes instead of %llu", name,
                            (unsigned long long)bytes, (unsigned long long)part->file_bytes);
        if (!lls_digest_eq(sum, part->file_sum))
            return lls_fail(err, LLS_E_CORRUPT, "the backup is damaged: '%s' has another checksum",
                            name);
    }
    return LLS_OK;
}
