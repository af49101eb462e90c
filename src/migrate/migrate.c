#include "base/scope.h"
#include "migrate/ends.h"
#include "migrate/engine.h"
#include "migrate/report.h"

#include <assert.h>

static lls_err check_options(const lls_migrate_options *options, lls_error *err)
{
    if (options && options->abi != LLS_ABI)
        return lls_fail(err, LLS_E_INVALID, "lls_migrate_options.abi is %u: set it to LLS_ABI",
                        options->abi);
    return LLS_OK;
}

/* A report also of what failed, unless there is nothing to report on. */
static lls_err conclude(const lls_run *run, lls_err result, lls_report *report, lls_error *err)
{
    if (!run->plan)
        return result;
    lls_err e = lls_report_make(run, result, report, result == LLS_OK ? err : NULL);

    return result == LLS_OK ? e : result;
}

static lls_err execute(const lls_config *config, lls_run *run, lls_error *err)
{
    LLS_AUTO(lls_backend_ref) source = NULL;
    LLS_AUTO(lls_backend_ref) target = NULL;
    bool dry_run = run->options && run->options->dry_run;

    LLS_TRY(lls_ends_check(config, run->plan, err));
    LLS_TRY(lls_ends_open_source(config, run->plan, &source, err));
    lls_err e = lls_ends_open_target(config, run->plan, dry_run ? LLS_READ_ONLY : LLS_READ_WRITE,
                                     &target, err);
    if (e != LLS_OK && !(dry_run && e == LLS_E_NOTFOUND))
        return e;
    e = lls_run_attach(run, source, target, err);
    if (e == LLS_OK)
        e = lls_run_execute(run, err);
    lls_run_let_go(run); // before the ends are closed
    return e;
}

lls_err lls_migrate_execute(const lls_config *config, const lls_plan *plan,
                            const lls_migrate_options *options, lls_report *report, lls_error *err)
{
    assert(config && plan && report);

    LLS_AUTO(lls_run_scope) run = {0};

    *report = (lls_report){0};
    LLS_TRY(check_options(options, err));
    LLS_TRY(lls_run_init(&run, plan, options, err));
    return conclude(&run, execute(config, &run, err), report, err);
}

static lls_err resume(const lls_config *config, lls_run *run, lls_error *err)
{
    LLS_AUTO(lls_backend_ref) source = NULL;
    LLS_AUTO(lls_backend_ref) target = NULL;

    if (run->phase != LLS_PHASE_DONE) // then the source may be gone by now
        LLS_TRY(lls_ends_open_source(config, run->plan, &source, err));
    LLS_TRY(lls_ends_open_target(config, run->plan, LLS_READ_WRITE, &target, err));
    lls_err e = lls_run_attach(run, source, target, err);
    if (e == LLS_OK)
        e = lls_run_resume(run, err);
    lls_run_let_go(run);
    return e;
}

lls_err lls_migrate_resume(const lls_config *config, const char *folder,
                           const lls_migrate_options *options, lls_report *report, lls_error *err)
{
    assert(config && folder && report);

    LLS_AUTO(lls_run_scope) run = {0};

    *report = (lls_report){0};
    LLS_TRY(check_options(options, err));
    LLS_TRY(lls_run_load(&run, folder, options, err));
    return conclude(&run, resume(config, &run, err), report, err);
}

static lls_err rollback(const lls_config *config, lls_run *run, lls_error *err)
{
    LLS_AUTO(lls_backend_ref) target = NULL;

    LLS_TRY(lls_ends_open_target(config, run->plan, LLS_READ_WRITE, &target, err));
    lls_err e = lls_run_attach(run, NULL, target, err);
    if (e == LLS_OK)
        e = lls_run_rollback(run, err);
    lls_run_let_go(run);
    return e;
}

lls_err lls_migrate_rollback(const lls_config *config, const char *folder,
                             const lls_migrate_options *options, lls_report *report, lls_error *err)
{
    assert(config && folder && report);

    LLS_AUTO(lls_run_scope) run = {0};

    *report = (lls_report){0};
    LLS_TRY(check_options(options, err));
    LLS_TRY(lls_run_load(&run, folder, options, err));
    return conclude(&run, rollback(config, &run, err), report, err);
}
