#include "base/file.h"
#include "base/scope.h"
#include "base/time.h"
#include "migrate/plan.h"
#include "migrate/yaml_read.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void add_text(lls_buf *out, const char *name, const char *text)
{
    if (!text)
        return;
    lls_buf_add_text(out, name);
    lls_yaml_quote(lls_str_of(text), out);
    lls_buf_add_text(out, "\n");
}

static void add_end(lls_buf *out, const char *which, lls_plan_end end)
{
    lls_buf_printf(out, "%s:\n", which);
    add_text(out, "  backend: ", end.backend);
    add_text(out, "  path: ", end.path);
    add_text(out, "  connection: ", end.connection);
    lls_buf_add_text(out, "\n");
}

static void add_components(lls_buf *out, const lls_plan *plan)
{
    lls_buf_add_text(out,
                     "# estimated_count is what was counted when the plan was made; batch_size is\n"
                     "# how many records are read and sent at a time.\n"
                     "components:\n");
    for (size_t i = 0; i < plan->component_count; i++) {
        const lls_plan_component *c = &plan->components[i];
        add_text(out, "  - name: ", c->name);
        lls_buf_printf(out, "    estimated_count: %llu\n    batch_size: %llu\n",
                       (unsigned long long)c->estimated_count, (unsigned long long)c->batch_size);
    }
}

void lls_plan_write(const lls_plan *plan, lls_buf *out)
{
    char created[LLS_TIME_TEXT];

    lls_time_format(plan->created_usec, created);
    lls_buf_printf(out,
                   "# A migration plan. Read it, change it, try it without writing anything, and\n"
                   "# carry it out:\n"
                   "#     llmspell storage migrate execute --plan FILE --dry-run\n"
                   "#     llmspell storage migrate execute --plan FILE\n"
                   "version: \"%s\"\ncreated_at: \"%s\"\n\n",
                   plan->version, created);
    lls_buf_add_text(out, "# Whose records are moved.\n");
    add_text(out, "tenant: ", plan->tenant);
    lls_buf_add_text(
        out, "\n# A backend, or the NAME of a [storage.backends.NAME]. 'path' or 'connection'\n"
             "# stand here only when they are not the configuration's. A password never does.\n");
    add_end(out, "source", plan->source);
    add_end(out, "target", plan->target);
    add_components(out, plan);
    lls_buf_printf(
        out,
        "\n# 100: every record is compared with what the target will show. Less: components of\n"
        "# more than full_comparison_threshold records are compared by a sample.\n"
        "validation:\n  checksum_sample_percent: %llu\n  full_comparison_threshold: %llu\n",
        (unsigned long long)plan->sample_percent, (unsigned long long)plan->full_threshold);
    lls_buf_printf(
        out,
        "\n# The backup is what the target held before; 'migrate rollback' puts it back.\n"
        "rollback:\n  backup_enabled: %s\n",
        plan->backup_enabled ? "true" : "false");
    add_text(out, "  backup_path: ", plan->backup_path);
}

lls_err lls_plan_save(const lls_plan *plan, const char *path, lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};

    lls_plan_write(plan, &text);
    LLS_TRY(lls_buf_status(&text, err));
    LLS_AUTO(lls_fd) fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return lls_fail(err, LLS_E_EXISTS, "'%s' is there already and is not replaced", path);
    if (fd < 0)
        return lls_fail_sys(err, errno, "write '%s'", path);

    lls_err e = lls_file_write(fd, lls_buf_view(&text), path, err);
    if (e == LLS_OK && fsync(fd) != 0)
        e = lls_fail_sys(err, errno, "sync '%s'", path);
    if (e == LLS_OK)
        return lls_file_sync_parent(path, err);
    (void)unlink(path); // ours: made above, and of no use
    return e;
}
