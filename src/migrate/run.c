#include "migrate/run.h"

#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "base/scope.h"
#include "migrate/phase.h"
#include "migrate/process.h"
#include "store/component.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

lls_str lls_run_tenant(const lls_run *run)
{
    return lls_str_of(run->plan->tenant);
}

lls_kv_space lls_run_space(const lls_run *run, size_t part)
{
    return (lls_kv_space){lls_run_tenant(run), run->parts[part].coll};
}

void lls_run_path(const lls_run *run, const char *name, lls_buf *out)
{
    lls_buf_printf(out, "%s/%s", run->folder, name);
}

static lls_err find_parts(lls_run *run, lls_error *err)
{
    for (size_t i = 0; i < run->plan->component_count; i++) {
        const lls_component_def *def;
        LLS_TRY(lls_component_find(lls_str_of(run->plan->components[i].name), &def, err));
        run->parts[i].want = &run->plan->components[i];
        run->parts[i].coll = lls_str_of(def->collection);
    }
    return lls_plan_port(run->plan, &run->port, err);
}

lls_err lls_run_init(lls_run *run, const lls_plan *plan, const lls_migrate_options *options,
                     lls_error *err)
{
    run->options = options;
    run->began_usec = lls_monotonic_usec();
    run->started_usec = lls_clock_now(NULL);
    LLS_TRY(lls_plan_copy(plan, &run->plan, err));
    return find_parts(run, err);
}

lls_err lls_run_attach(lls_run *run, lls_backend *source, lls_backend *target, lls_error *err)
{
    lls_kv *from = NULL;
    lls_kv *to = NULL;

    if (source)
        LLS_TRY(lls_backend_records(source, run->port, &from, err));
    if (target)
        LLS_TRY(lls_backend_records(target, run->port, &to, err));
    run->source = source;
    run->target = target;
    run->from = from;
    run->to = to;
    return LLS_OK;
}

void lls_run_let_go(lls_run *run)
{
    lls_stage_close(run->stage);
    run->stage = NULL;
    run->source = NULL;
    run->target = NULL;
    run->from = NULL;
    run->to = NULL;
}

void lls_run_fini(lls_run *run)
{
    lls_run_let_go(run);
    lls_journal_close(run->journal);
    for (size_t i = 0; i < LLS_PLAN_COMPONENTS; i++)
        lls_buf_fini(&run->parts[i].last);
    lls_plan_free(run->plan);
    lls_texts_fini(&run->texts);
    *run = (lls_run){0};
}

/* The stage's name is the run's, in the letters that a stage may have. */
static lls_err name_stages(lls_run *run, lls_error *err)
{
    enum { LONGEST = LLS_RUN_MAX - 5 }; // room for "_undo"
    size_t len = strlen(run->name);
    bool good = len > 0 && len <= LONGEST;

    for (size_t i = 0; good && i < len; i++) {
        char c = run->name[i];
        good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        run->stage_name[i] = c == '-' ? '_' : c;
    }
    if (!good)
        return lls_fail(err, LLS_E_CORRUPT, "'%.60s' is not the name of a run", run->name);
    run->stage_name[len] = '\0';
    memcpy(run->undo_name, run->stage_name, len);
    memcpy(run->undo_name + len, "_undo", sizeof("_undo"));
    return LLS_OK;
}

/* "migration-20250115-103000-4f2a09c1": sorted by name is sorted by time. */
static lls_err make_name(lls_run *run, lls_error *err)
{
    char id[LLS_ID_TEXT];
    char name[64];
    struct tm tm;
    time_t seconds = (time_t)(run->started_usec / 1000000);

    LLS_TRY(lls_id_make(run->started_usec, id, err));
    if (!gmtime_r(&seconds, &tm))
        return lls_fail(err, LLS_E_INTERNAL, "the time cannot be told");
    (void)snprintf(name, sizeof(name), "migration-%04d%02d%02d-%02d%02d%02d-%.8s",
                   tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                   id + LLS_ID_TEXT - 9);
    LLS_TRY(lls_texts_keep(&run->texts, name, &run->name, err));
    return name_stages(run, err);
}

/* An absolute `path`, since a resume may come from another working folder. */
static lls_err keep_absolute(lls_run *run, const char *path, const char **out, lls_error *err)
{
    char *real = realpath(path, NULL);
    if (!real)
        return lls_fail_sys(err, errno, "open folder '%s'", path);
    lls_err e = lls_utf8_check(lls_bytes_of(lls_str_of(real)))
                    ? lls_texts_keep(&run->texts, real, out, err)
                    : lls_fail(err, LLS_E_INVALID, "the name of folder '%s' is not UTF-8", path);
    free(real);
    return e;
}

static lls_err make_folder(lls_run *run, lls_error *err)
{
    LLS_AUTO(lls_buf) base = {0};
    LLS_AUTO(lls_buf) path = {0};

    LLS_TRY(lls_file_expand(lls_str_of(run->plan->backup_path), &base, err));
    LLS_TRY(lls_file_mkdirs(lls_buf_cstr(&base), err));
    lls_buf_printf(&path, "%s/%s", lls_buf_cstr(&base), run->name);
    LLS_TRY(lls_buf_status(&path, err));
    const char *folder = lls_buf_cstr(&path);
    if (mkdir(folder, 0700) != 0)
        return lls_fail_sys(err, errno, "create folder '%s'", folder);
    LLS_TRY(lls_file_sync_parent(folder, err));
    return keep_absolute(run, folder, &run->folder, err);
}

/* "pid 4711 on host": who is at work from here on. */
static lls_err add_holder(lls_run *run, lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};
    lls_process self;

    lls_process_self(&self);
    lls_buf_printf(&text, "pid %lld on %s", (long long)self.pid, self.host);
    LLS_TRY(lls_buf_status(&text, err));
    lls_entry entry = {
        .type = LLS_ENTRY_HOLDER, .at_usec = lls_clock_now(NULL), .text = lls_buf_str(&text)};
    lls_journal_add(run->journal, &entry);
    return lls_journal_commit(run->journal, err);
}

static lls_digest plan_digest(const lls_buf *text)
{
    lls_bytes part = lls_buf_view(text);

    return lls_digest_of(&part, 1);
}

/* A path that a plan means from where it is executed, for whoever resumes from elsewhere. */
static lls_err root_path(lls_run *run, lls_plan_end *end, lls_error *err)
{
    LLS_AUTO(lls_buf) path = {0};

    if (!end->path || strchr("/~{", end->path[0]))
        return LLS_OK;
    char *here = realpath(".", NULL);
    if (!here)
        return lls_fail_sys(err, errno, "find the working folder");
    lls_buf_printf(&path, "%s/%s", here, end->path);
    free(here);
    LLS_TRY(lls_buf_status(&path, err));
    return lls_texts_keep(&run->plan->texts, lls_buf_cstr(&path), &end->path, err);
}

lls_err lls_run_create(lls_run *run, lls_error *err)
{
    LLS_AUTO(lls_buf) plan = {0};
    LLS_AUTO(lls_buf) path = {0};
    LLS_AUTO(lls_buf) journal = {0};

    LLS_TRY(make_name(run, err));
    LLS_TRY(make_folder(run, err));
    LLS_TRY(root_path(run, &run->plan->source, err));
    LLS_TRY(root_path(run, &run->plan->target, err));
    lls_plan_write(run->plan, &plan);
    LLS_TRY(lls_buf_status(&plan, err));
    lls_run_path(run, "plan.yaml", &path);
    lls_run_path(run, "journal", &journal);
    LLS_TRY(lls_buf_status(&path, err));
    LLS_TRY(lls_buf_status(&journal, err));
    LLS_TRY(lls_file_replace(lls_buf_cstr(&path), lls_buf_view(&plan), 0600, err));

    lls_entry first = {.type = LLS_ENTRY_RUN,
                       .at_usec = run->started_usec,
                       .text = lls_str_of(run->name),
                       .digest = plan_digest(&plan)};
    LLS_TRY(lls_journal_create(lls_buf_cstr(&journal), &first, &run->journal, err));
    return add_holder(run, err);
}

void lls_run_remove(lls_run *run)
{
    static const char *const names[] = {"journal", "plan.yaml"};

    if (!run->folder)
        return;
    for (size_t i = 0; i < LLS_COUNT(names); i++) {
        LLS_AUTO(lls_buf) path = {0};
        lls_run_path(run, names[i], &path);
        (void)unlink(lls_buf_cstr(&path));
    }
    (void)rmdir(run->folder);
    run->folder = NULL;
}

/* What is learnt from the journal before the plan is read. */
typedef struct replay {
    lls_run *run;
    int64_t held_usec; /* when the last process began with it */
    lls_digest plan;
} replay;

static lls_err note_sums(lls_run *run, const lls_entry *entry, lls_error *err)
{
    if (entry->component >= LLS_PLAN_COMPONENTS)
        return lls_fail(err, LLS_E_CORRUPT, "the journal tells of a component that is not planned");
    lls_part *part = &run->parts[entry->component];

    if (entry->type == LLS_ENTRY_PROGRESS) {
        part->staged = entry->sum;
        lls_buf_clear(&part->last);
        lls_buf_add_str(&part->last, entry->text);
        return lls_buf_status(&part->last, err);
    }
    part->has_outcome = true;
    part->source = entry->sum;
    part->target = entry->target;
    part->verified = entry->verified;
    part->replaced = entry->replaced;
    return LLS_OK;
}

static lls_err note(void *user, const lls_entry *entry, lls_error *err)
{
    replay *r = user;

    switch (entry->type) {
    case LLS_ENTRY_RUN:
        r->plan = entry->digest;
        r->run->started_usec = entry->at_usec;
        r->run->name = lls_texts_add(&r->run->texts, entry->text);
        return r->run->name ? name_stages(r->run, err)
                            : lls_fail(err, LLS_E_NOMEM, "out of memory");
    case LLS_ENTRY_HOLDER:
        r->held_usec = entry->at_usec;
        return LLS_OK;
    case LLS_ENTRY_PHASE:
        r->run->took_usec = lls_phase_is_final(entry->phase) && entry->at_usec > r->held_usec
                                ? entry->at_usec - r->held_usec
                                : 0;
        r->run->phase = entry->phase;
        r->run->published = entry->published;
        return LLS_OK;
    case LLS_ENTRY_PROGRESS:
    case LLS_ENTRY_OUTCOME:
        return note_sums(r->run, entry, err);
    }
    return LLS_OK;
}

static lls_err read_plan(lls_run *run, lls_digest want, lls_error *err)
{
    LLS_AUTO(lls_buf) path = {0};
    LLS_AUTO(lls_buf) text = {0};

    lls_run_path(run, "plan.yaml", &path);
    LLS_TRY(lls_buf_status(&path, err));
    LLS_TRY(lls_file_read(lls_buf_cstr(&path), LLS_PLAN_FILE_MAX, &text, err));
    if (!lls_digest_eq(plan_digest(&text), want))
        return lls_fail(err, LLS_E_CORRUPT,
                        "'%s' is not the plan that the run began with: it was edited or damaged",
                        lls_buf_cstr(&path));
    LLS_TRY(lls_plan_parse(lls_buf_str(&text), lls_buf_cstr(&path), &run->plan, err));
    return find_parts(run, err);
}

lls_err lls_run_load(lls_run *run, const char *folder, const lls_migrate_options *options,
                     lls_error *err)
{
    LLS_AUTO(lls_buf) journal = {0};
    replay r = {.run = run};

    run->options = options;
    run->began_usec = lls_monotonic_usec();
    LLS_TRY(keep_absolute(run, folder, &run->folder, err));
    lls_run_path(run, "journal", &journal);
    LLS_TRY(lls_buf_status(&journal, err));
    if (!lls_file_exists(lls_buf_cstr(&journal)))
        return lls_fail(err, LLS_E_NOTFOUND, "'%s' is not the folder of a run: it has no journal",
                        folder);
    LLS_TRY(lls_journal_open(lls_buf_cstr(&journal), note, &r, &run->journal, err));
    if (!run->name)
        return lls_fail(err, LLS_E_CORRUPT, "'%s' does not say which run it is of",
                        lls_buf_cstr(&journal));
    LLS_TRY(read_plan(run, r.plan, err));
    return add_holder(run, err);
}

lls_err lls_run_enter(lls_run *run, lls_phase phase, lls_error *err)
{
    if (!lls_phase_may_follow(run->phase, phase))
        return lls_fail(err, LLS_E_INTERNAL, "a run that is %s cannot become %s",
                        lls_phase_text(run->phase), lls_phase_text(phase));
    lls_entry entry = {.type = LLS_ENTRY_PHASE,
                       .at_usec = lls_clock_now(NULL),
                       .phase = phase,
                       .published = run->published};
    lls_journal_add(run->journal, &entry);
    LLS_TRY(lls_journal_commit(run->journal, err));
    run->phase = phase;
    run->took_usec = 0; // this process goes on with it
    lls_run_tell(run, LLS_EVENT_PHASE, NULL, NULL);
    return LLS_OK;
}

lls_err lls_run_check_cancel(const lls_run *run, lls_error *err)
{
    const volatile int *cancel = run->options ? run->options->cancel : NULL;

    if (cancel && *cancel != 0)
        return lls_fail(err, LLS_E_CANCELLED, "cancelled");
    return LLS_OK;
}

static void tell(const lls_run *run, const lls_event *event)
{
    if (run->options && run->options->event)
        run->options->event(run->options->user, event);
}

void lls_run_tell(const lls_run *run, lls_event_type type, const char *component, const char *text)
{
    tell(run,
         &(lls_event){.type = type, .phase = run->phase, .component = component, .text = text});
}

void lls_run_tell_progress(const lls_run *run, const char *what, const char *component,
                           uint64_t done, uint64_t total)
{
    tell(run, &(lls_event){.type = LLS_EVENT_PROGRESS,
                           .phase = run->phase,
                           .what = what,
                           .component = component,
                           .done = done,
                           .total = total});
}
