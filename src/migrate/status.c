#include "base/file.h"
#include "base/scope.h"
#include "base/time.h"
#include "migrate/journal.h"
#include "migrate/plan.h"
#include "store/open.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>

static const char prefix[] = "migration-";

/* What the journal of a run tells. */
typedef struct story {
    lls_run_info info;
    uint64_t copied[LLS_PLAN_COMPONENTS];
    lls_texts texts;
} story;

static void story_auto(story *s)
{
    lls_texts_fini(&s->texts);
}

static lls_err note_text(story *s, lls_str text, const char **out, lls_error *err)
{
    const char *kept = lls_texts_add(&s->texts, text);

    if (!kept)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    *out = kept;
    return LLS_OK;
}

static lls_err note(void *user, const lls_entry *entry, lls_error *err)
{
    story *s = user;

    s->info.changed_usec = entry->at_usec;
    switch (entry->type) {
    case LLS_ENTRY_RUN:
        s->info.started_usec = entry->at_usec;
        return note_text(s, entry->text, &s->info.run, err);
    case LLS_ENTRY_HOLDER:
        return note_text(s, entry->text, &s->info.holder, err);
    case LLS_ENTRY_PHASE:
        s->info.phase = entry->phase;
        return LLS_OK;
    case LLS_ENTRY_PROGRESS:
        if (entry->component < LLS_PLAN_COMPONENTS)
            s->copied[entry->component] = entry->sum.count;
        return LLS_OK;
    case LLS_ENTRY_OUTCOME:
        return LLS_OK;
    }
    return LLS_OK;
}

static lls_err read_run(const char *folder, story *s, lls_plan **plan, lls_error *err)
{
    LLS_AUTO(lls_buf) path = {0};

    lls_buf_printf(&path, "%s/journal", folder);
    LLS_TRY(lls_buf_status(&path, err));
    LLS_TRY(lls_journal_read(lls_buf_cstr(&path), note, s, err));
    s->info.running = lls_journal_is_open(lls_buf_cstr(&path));
    lls_buf_clear(&path);
    lls_buf_printf(&path, "%s/plan.yaml", folder);
    LLS_TRY(lls_buf_status(&path, err));
    return lls_plan_load(lls_buf_cstr(&path), plan, err);
}

static void add_plan(story *s, const lls_plan *plan)
{
    s->info.source = plan->source.backend;
    s->info.target = plan->target.backend;
    s->info.tenant = plan->tenant;
    for (size_t i = 0; i < plan->component_count; i++)
        s->info.total += plan->components[i].estimated_count;
    for (size_t i = 0; i < LLS_PLAN_COMPONENTS; i++)
        s->info.copied += s->copied[i];
}

/* A folder that cannot be read is told, with the reason: the others still are. */
static lls_err tell(const char *base, const char *name, lls_run_each each, void *user,
                    lls_error *err)
{
    LLS_AUTO(story) s = {0};
    LLS_AUTO(lls_plan_ref) plan = NULL;
    LLS_AUTO(lls_buf) folder = {0};
    lls_error problem = {0};

    lls_buf_printf(&folder, "%s/%s", base, name);
    LLS_TRY(lls_buf_status(&folder, err));
    s.info.run = name;
    lls_err e = read_run(lls_buf_cstr(&folder), &s, &plan, &problem);
    if (e == LLS_E_NOMEM)
        return lls_fail(err, e, "out of memory");
    if (e == LLS_OK)
        add_plan(&s, plan);
    else
        s.info.problem = problem.msg;
    if (!s.info.running)
        s.info.holder = NULL;
    s.info.folder = lls_buf_cstr(&folder);
    each(user, &s.info);
    return LLS_OK;
}

static int is_run(const struct dirent *entry)
{
    return strncmp(entry->d_name, prefix, sizeof(prefix) - 1) == 0;
}

/* In the order of bytes: alphasort would follow the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

lls_err lls_migrate_status(const lls_config *config, const char *backup_path, lls_run_each each,
                           void *user, lls_error *err)
{
    assert(config && each);

    LLS_AUTO(lls_buf) base = {0};
    struct dirent **names = NULL;
    lls_err e = LLS_OK;

    if (!backup_path)
        backup_path = lls_config_raw(config, "storage.migration.backup_path");
    LLS_TRY(lls_file_expand(lls_str_of(backup_path ? backup_path : "./backups"), &base, err));
    const char *folder = lls_buf_cstr(&base);
    int count = scandir(folder, &names, is_run, by_name);
    if (count < 0 && errno == ENOENT)
        return LLS_OK; // no run was ever made there
    if (count < 0)
        return lls_fail_sys(err, errno, "read folder '%s'", folder);
    for (int i = 0; i < count; i++) {
        if (e == LLS_OK)
            e = tell(folder, names[i]->d_name, each, user, err);
        free(names[i]);
    }
    free(names);
    return e;
}
