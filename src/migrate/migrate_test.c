/* The public functions, over a configuration of two embedded stores. */
#include <llmspell/migrate.h>

#include "base/file.h"
#include "base/scope.h"
#include "store/open.h"
#include "testing/migration.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORDS = 30, SKIP = 77 };

typedef struct fixture {
    lls_migration m; /* for its folder */
    lls_config *config;
    lls_plan *plan;
    lls_report report;
    lls_buf told; /* what status said, a line a run */
    size_t runs;
} fixture;

static void load_config(fixture *f)
{
    static const char *const nothing[] = {"HOME=/nonexistent", NULL};
    LLS_AUTO(lls_buf) toml = {0};
    LLS_AUTO(lls_buf) path = {0};
    lls_error err = {0};

    lls_buf_printf(&toml,
                   "[storage]\nbackend = \"lmdb\"\npath = \"%s/one\"\ntenant = \"acme\"\n"
                   "[storage.migration]\nbackup_path = \"%s/backups\"\nbatch_size = 12\n"
                   "[storage.backends.two]\ntype = \"lmdb\"\npath = \"%s/two\"\n"
                   "[storage.backends.three]\ntype = \"lmdb\"\npath = \"%s/x/../one\"\n",
                   f->m.folder, f->m.folder, f->m.folder, f->m.folder);
    lls_buf_printf(&path, "%s/llmspell.toml", f->m.folder);
    assert_ok(lls_file_replace(lls_buf_cstr(&path), lls_buf_view(&toml), 0600, &err), err);
    lls_config_sources from = {.abi = LLS_ABI, .file = lls_buf_cstr(&path), .environment = nothing};
    assert_ok(lls_config_load(&from, &f->config, &err), err);
}

static lls_backend *open_store(const fixture *f, const char *name)
{
    lls_backend_choice choice = {.name = name};
    lls_backend *out = NULL;
    lls_error err = {0};

    assert_ok(lls_config_open_backend(f->config, &choice, NULL, &out, &err), err);
    return out;
}

static lls_err make_plan(fixture *f, const char *to, lls_error *err)
{
    static const char *const components[] = {"agent_state", "sessions"};
    lls_plan_request request = {.abi = LLS_ABI,
                                .source = {.backend = "lmdb"},
                                .target = {.backend = to},
                                .components = components,
                                .component_count = 2};

    return lls_plan_make(f->config, &request, &f->plan, err);
}

static void setup(fixture *f)
{
    lls_error err = {0};
    LLS_AUTO(lls_buf) folder = {0};

    *f = (fixture){0};
    lls_migration_init(&f->m, NULL, NULL);
    lls_buf_printf(&folder, "%s/x", f->m.folder);
    assert_ok(lls_file_mkdirs(lls_buf_cstr(&folder), &err), err);
    load_config(f);
    lls_backend *source = open_store(f, "lmdb");
    lls_migration_fill(source->kv, 1, RECORDS);
    lls_backend_close(source);
    assert_ok(make_plan(f, "two", &err), err);
}

static void teardown(fixture *f)
{
    lls_report_fini(&f->report);
    lls_plan_free(f->plan);
    lls_config_free(f->config);
    lls_buf_fini(&f->told);
    lls_migration_fini(&f->m);
}

static lls_err execute(fixture *f, const lls_migrate_options *options, lls_error *err)
{
    lls_report_fini(&f->report);
    return lls_migrate_execute(f->config, f->plan, options, &f->report, err);
}

static void tell(void *user, const lls_run_info *run)
{
    fixture *f = user;

    f->runs++;
    lls_buf_printf(&f->told, "%s %s %s %llu/%llu %s\n", lls_phase_text(run->phase),
                   run->source ? run->source : "-", run->target ? run->target : "-",
                   (unsigned long long)run->copied, (unsigned long long)run->total,
                   run->problem ? run->problem : "fine");
}

static const char *status(fixture *f)
{
    lls_error err = {0};

    f->runs = 0;
    lls_buf_clear(&f->told);
    assert_ok(lls_migrate_status(f->config, NULL, tell, f, &err), err);
    return lls_buf_cstr(&f->told);
}

static void a_plan_counts_the_source_and_takes_the_configuration(void **state)
{
    fixture f;
    lls_plan_component c;

    (void)state;
    setup(&f);
    assert_string_equal(lls_plan_tenant(f.plan), "acme");
    assert_string_equal(lls_plan_source(f.plan).backend, "lmdb");
    assert_null(lls_plan_source(f.plan).path);
    assert_true(lls_plan_component_at(f.plan, 1, &c));
    assert_string_equal(c.name, "sessions");
    assert_int_equal(c.estimated_count, RECORDS);
    assert_int_equal(c.batch_size, 12);
    teardown(&f);
}

static void what_cannot_be_planned_is_named(void **state)
{
    static const char *const unknown[] = {"agent_states"};
    static const char *const doubled[] = {"sessions", "sessions"};
    lls_plan_request request = {.abi = LLS_ABI,
                                .source = {.backend = "lmdb"},
                                .target = {.backend = "two"},
                                .components = unknown,
                                .component_count = 1};
    fixture f;
    lls_error err = {0};
    lls_plan *plan = NULL;

    (void)state;
    setup(&f);
    assert_code(lls_plan_make(f.config, &request, &plan, &err), LLS_E_INVALID, err);
    assert_non_null(strstr(err.msg, "'agent_states'"));
    request.components = doubled;
    request.component_count = 2;
    assert_code(lls_plan_make(f.config, &request, &plan, &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "component 'sessions' is listed twice");
    request.component_count = 1;
    request.source.backend = "two";
    request.target.backend = "lmdb";
    assert_code(lls_plan_make(f.config, &request, &plan, &err), LLS_E_NOTFOUND, err);
    request.source.backend = "nothing";
    assert_code(lls_plan_make(f.config, &request, &plan, &err), LLS_E_INVALID, err);
    request.abi = 0;
    assert_code(lls_plan_make(f.config, &request, &plan, &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "lls_plan_request.abi is 0: set it to LLS_ABI");
    teardown(&f);
}

static void one_store_by_two_names_is_refused(void **state)
{
    fixture f;
    lls_error err = {0};

    (void)state;
    setup(&f);
    lls_plan_free(f.plan);
    f.plan = NULL;
    assert_code(make_plan(&f, "three", &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "source and target are the same store");
    teardown(&f);
}

static void earlier_versions_come_along(void **state)
{
    fixture f;
    lls_error err = {0};
    lls_plan_component component;

    (void)state;
    setup(&f);
    lls_backend *one = open_store(&f, "lmdb");
    lls_kv_space history = {LLS_STR("acme"), LLS_STR("agent_state_history")};
    assert_ok(lls_kv_put(one->kv, history, B("agent:a:1@00000000000000000001"), B("{}"), &err),
              err);
    lls_backend_close(one);

    lls_plan_free(f.plan);
    f.plan = NULL;
    assert_ok(make_plan(&f, "two", &err), err);
    assert_true(lls_plan_component_at(f.plan, 2, &component)); // behind the two that were asked for
    assert_string_equal(component.name, "agent_state_history");
    assert_int_equal(component.estimated_count, 1);
    assert_false(lls_plan_component_at(f.plan, 3, &component));
    assert_ok(execute(&f, NULL, &err), err);

    LLS_AUTO(lls_buf) value = {0};
    lls_backend *two = open_store(&f, "two");
    assert_ok(lls_kv_get(two->kv, history, B("agent:a:1@00000000000000000001"), &value, NULL, &err),
              err);
    assert_bytes(lls_buf_view(&value), "{}");
    lls_backend_close(two);
    teardown(&f);
}

static void a_dry_run_creates_nothing(void **state)
{
    fixture f;
    lls_error err = {0};
    lls_migrate_options options = {.abi = LLS_ABI, .dry_run = true};
    LLS_AUTO(lls_buf) path = {0};

    (void)state;
    setup(&f);
    assert_ok(execute(&f, &options, &err), err);
    assert_true(f.report.success && f.report.dry_run);
    assert_null(f.report.folder);
    lls_buf_printf(&path, "%s/two", f.m.folder);
    assert_false(lls_file_exists(lls_buf_cstr(&path)));
    lls_buf_clear(&path);
    lls_buf_printf(&path, "%s/backups", f.m.folder);
    assert_false(lls_file_exists(lls_buf_cstr(&path)));
    assert_string_equal(status(&f), "");
    teardown(&f);
}

/* Twice to the microsecond the same, so it is read and not measured. */
static void a_finished_run_took_what_the_journal_says(fixture *f)
{
    lls_report first = {0};
    lls_report second = {0};
    lls_error err = {0};

    assert_ok(lls_migrate_resume(f->config, f->report.folder, NULL, &first, &err), err);
    assert_ok(lls_migrate_resume(f->config, f->report.folder, NULL, &second, &err), err);
    assert_true(first.duration_usec > 0);
    assert_int_equal(first.duration_usec, second.duration_usec);
    lls_report_fini(&first);
    lls_report_fini(&second);
}

static void from_plan_to_rollback(void **state)
{
    fixture f;
    lls_error err = {0};
    lls_report again = {0};

    (void)state;
    setup(&f);
    assert_ok(execute(&f, NULL, &err), err);
    assert_true(f.report.success);
    assert_int_equal(f.report.phase, LLS_PHASE_DONE);
    assert_string_equal(f.report.target, "two");
    assert_string_equal(status(&f), "done lmdb two 60/60 fine\n");

    lls_backend *one = open_store(&f, "lmdb");
    lls_backend *two = open_store(&f, "two");
    lls_sum from = lls_migration_sum(one->kv);
    lls_sum to = lls_migration_sum(two->kv);
    assert_memory_equal(&from, &to, sizeof(from));
    lls_backend_close(one);
    lls_backend_close(two);

    assert_ok(lls_migrate_resume(f.config, f.report.folder, NULL, &again, &err), err);
    lls_report_fini(&again);
    a_finished_run_took_what_the_journal_says(&f);
    assert_ok(lls_migrate_rollback(f.config, f.report.folder, NULL, &again, &err), err);
    lls_report_fini(&again);
    assert_ok(lls_migrate_rollback(f.config, f.report.folder, NULL, &again, &err), err);
    lls_report_fini(&again);
    two = open_store(&f, "two");
    assert_int_equal(lls_migration_sum(two->kv).count, 0);
    lls_backend_close(two);
    assert_string_equal(status(&f), "undone lmdb two 60/60 fine\n");
    teardown(&f);
}

static void a_run_folder_is_private_and_has_all_its_files(void **state)
{
    static const char *const names[] = {"",
                                        "plan.yaml",
                                        "journal",
                                        "rollback-metadata.yaml",
                                        "report.json",
                                        "source",
                                        "source/agent_state.jsonl",
                                        "source/sessions.jsonl"};
    fixture f;
    lls_error err = {0};

    (void)state;
    setup(&f);
    assert_ok(execute(&f, NULL, &err), err);
    for (size_t i = 0; i < LLS_COUNT(names); i++) {
        LLS_AUTO(lls_buf) path = {0};
        struct stat st;
        lls_buf_printf(&path, "%s/%s", f.report.folder, names[i]);
        assert_int_equal(stat(lls_buf_cstr(&path), &st), 0);
        assert_int_equal(st.st_mode & 0777, S_ISDIR(st.st_mode) ? 0700 : 0600);
    }
    teardown(&f);
}

static void a_damaged_run_is_told_with_its_problem(void **state)
{
    fixture f;
    lls_error err = {0};
    lls_report again = {0};
    LLS_AUTO(lls_buf) path = {0};

    (void)state;
    setup(&f);
    assert_ok(execute(&f, NULL, &err), err);
    lls_buf_printf(&path, "%s/journal", f.report.folder);
    assert_int_equal(truncate(lls_buf_cstr(&path), 5), 0);
    assert_non_null(strstr(status(&f), "is cut off: the run never began"));
    assert_int_equal(f.runs, 1);
    assert_code(lls_migrate_resume(f.config, f.report.folder, NULL, &again, &err), LLS_E_CORRUPT,
                err);
    assert_code(lls_migrate_resume(f.config, f.m.folder, NULL, &again, &err), LLS_E_NOTFOUND, err);
    assert_non_null(strstr(err.msg, "is not the folder of a run: it has no journal"));
    teardown(&f);
}

static void options_without_their_abi_are_refused(void **state)
{
    fixture f;
    lls_error err = {0};
    lls_migrate_options options = {.dry_run = true};

    (void)state;
    setup(&f);
    assert_code(execute(&f, &options, &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "lls_migrate_options.abi is 0: set it to LLS_ABI");
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_counts_the_source_and_takes_the_configuration),
        cmocka_unit_test(what_cannot_be_planned_is_named),
        cmocka_unit_test(one_store_by_two_names_is_refused),
        cmocka_unit_test(earlier_versions_come_along),
        cmocka_unit_test(a_dry_run_creates_nothing),
        cmocka_unit_test(from_plan_to_rollback),
        cmocka_unit_test(a_run_folder_is_private_and_has_all_its_files),
        cmocka_unit_test(a_damaged_run_is_told_with_its_problem),
        cmocka_unit_test(options_without_their_abi_are_refused),
    };

    if (!lls_backend_find(LLS_STR("lmdb")))
        return SKIP;
    return cmocka_run_group_tests_name("migrate", tests, NULL, NULL);
}
