#include "migrate/report.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/scope.h"
#include "migrate/phase.h"

/* The texts of a report, one after the other in its one block. */
typedef struct block {
    char *at;
} block;

static const char *put(block *b, const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    char *put_at = memcpy(b->at, text, size);

    b->at += size;
    return put_at;
}

static size_t size_of(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static size_t measure(const lls_run *run)
{
    size_t count = run->plan->component_count;
    size_t size = count * (sizeof(lls_report_component) + LLS_DIGEST_TEXT);

    size += size_of(run->name) + size_of(run->folder) + size_of(run->plan->tenant);
    size += size_of(run->plan->source.backend) + size_of(run->plan->target.backend);
    for (size_t i = 0; i < count; i++)
        size += size_of(run->plan->components[i].name);
    return size;
}

static lls_report_component component(const lls_part *part, bool restored, block *b)
{
    char digest[LLS_DIGEST_TEXT];

    lls_digest_format(part->source.digest, digest);
    return (lls_report_component){
        .name = put(b, part->want->name),
        .source_count = part->source.count,
        .target_count = restored ? part->backup.count : part->target.count,
        .verified = part->verified,
        .replaced = part->replaced,
        .bytes = part->source.bytes,
        .digest = put(b, digest),
        .source_recall = part->source_recall,
        .target_recall = part->target_recall,
        .recall_asked = part->recall_asked,
    };
}

lls_err lls_report_make(const lls_run *run, lls_err result, lls_report *out, lls_error *err)
{
    size_t count = run->plan->component_count;
    bool restored = run->phase == LLS_PHASE_UNDONE && run->published;
    char *memory = lls_alloc(measure(run));

    if (!memory)
        return lls_fail(err, LLS_E_NOMEM, "no memory for the report");
    block b = {memory + count * sizeof(lls_report_component)};
    *out = (lls_report){
        .success = result == LLS_OK,
        .dry_run = run->options && run->options->dry_run,
        .phase = run->phase,
        .run = put(&b, run->name),
        .folder = put(&b, run->folder),
        .source = put(&b, run->plan->source.backend),
        .target = put(&b, run->plan->target.backend),
        .tenant = put(&b, run->plan->tenant),
        .started_usec = run->started_usec,
        .duration_usec = run->took_usec ? run->took_usec : lls_monotonic_usec() - run->began_usec,
        .components = (lls_report_component *)(void *)memory,
        .component_count = count,
        .memory = memory,
    };
    for (size_t i = 0; i < count; i++)
        out->components[i] = component(&run->parts[i], restored, &b);
    return LLS_OK;
}

void lls_report_fini(lls_report *report)
{
    lls_free(report->memory);
    *report = (lls_report){0};
}

static void add_text(lls_buf *out, const char *name, const char *text)
{
    lls_buf_printf(out, "  \"%s\": ", name);
    lls_json_quote(lls_str_of(text), out);
    lls_buf_add_text(out, ",\n");
}

static void add_component(lls_buf *out, const lls_report_component *c)
{
    lls_buf_printf(out,
                   "    {\"name\": \"%s\", \"source_count\": %llu, \"target_count\": %llu, "
                   "\"verified\": %llu, \"replaced\": %llu, \"bytes\": %llu, \"digest\": \"%s\"",
                   c->name, (unsigned long long)c->source_count,
                   (unsigned long long)c->target_count, (unsigned long long)c->verified,
                   (unsigned long long)c->replaced, (unsigned long long)c->bytes, c->digest);
    if (c->recall_asked) // in millionths: the text of a double has a locale
        lls_buf_printf(out, ", \"source_recall_ppm\": %llu, \"target_recall_ppm\": %llu",
                       (unsigned long long)(c->source_recall * 1e6 + 0.5),
                       (unsigned long long)(c->target_recall * 1e6 + 0.5));
    lls_buf_add_text(out, "}");
}

static void write_json(const lls_report *r, lls_buf *out)
{
    char started[LLS_TIME_TEXT];

    lls_time_format(r->started_usec, started);
    lls_buf_printf(out, "{\n  \"success\": %s,\n", r->success ? "true" : "false");
    add_text(out, "phase", lls_phase_text(r->phase));
    add_text(out, "run", r->run);
    add_text(out, "folder", r->folder);
    add_text(out, "source", r->source);
    add_text(out, "target", r->target);
    add_text(out, "tenant", r->tenant);
    add_text(out, "started_at", started);
    lls_buf_printf(out, "  \"duration_usec\": %lld,\n  \"components\": [\n",
                   (long long)r->duration_usec);
    for (size_t i = 0; i < r->component_count; i++) {
        add_component(out, &r->components[i]);
        lls_buf_add_text(out, i + 1 < r->component_count ? ",\n" : "\n");
    }
    lls_buf_add_text(out, "  ]\n}\n");
}

lls_err lls_report_save(const lls_run *run, lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};
    LLS_AUTO(lls_buf) path = {0};
    lls_report report = {0};

    LLS_TRY(lls_report_make(run, run->result, &report, err));
    write_json(&report, &text);
    lls_report_fini(&report);
    LLS_TRY(lls_buf_status(&text, err));
    lls_run_path(run, "report.json", &path);
    LLS_TRY(lls_buf_status(&path, err));
    return lls_file_replace(lls_buf_cstr(&path), lls_buf_view(&text), 0600, err);
}
