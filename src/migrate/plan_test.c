#include "migrate/plan.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/scope.h"
#include "testing/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char good[] = "version: \"1.0\"\n"
                           "created_at: \"2025-01-15T10:30:00Z\"\n"
                           "tenant: acme\n"
                           "source:\n"
                           "  backend: main\n"
                           "  path: ./state\n"
                           "target:\n"
                           "  backend: server\n"
                           "  connection: postgresql://app@db/llmspell\n"
                           "components:\n"
                           "  - name: agent_state\n"
                           "    estimated_count: 40\n"
                           "    batch_size: 500\n"
                           "  - name: sessions\n"
                           "    estimated_count: 0\n"
                           "    batch_size: 1000\n"
                           "validation:\n"
                           "  checksum_sample_percent: 100\n"
                           "  full_comparison_threshold: 100\n"
                           "rollback:\n"
                           "  backup_enabled: true\n"
                           "  backup_path: ./backups\n";

static void reads_every_field(void **state)
{
    LLS_AUTO(lls_plan_ref) plan = NULL;
    lls_error err = {0};
    lls_plan_component c;

    (void)state;
    assert_ok(lls_plan_parse(lls_str_of(good), "plan.yaml", &plan, &err), err);
    assert_string_equal(lls_plan_tenant(plan), "acme");
    assert_string_equal(lls_plan_source(plan).backend, "main");
    assert_string_equal(lls_plan_source(plan).path, "./state");
    assert_null(lls_plan_source(plan).connection);
    assert_string_equal(lls_plan_target(plan).connection, "postgresql://app@db/llmspell");
    assert_true(lls_plan_component_at(plan, 0, &c));
    assert_string_equal(c.name, "agent_state");
    assert_int_equal(c.estimated_count, 40);
    assert_int_equal(c.batch_size, 500);
    assert_true(lls_plan_component_at(plan, 1, &c));
    assert_false(lls_plan_component_at(plan, 2, &c));
    assert_int_equal(plan->created_usec, INT64_C(1736937000000000));
    assert_true(plan->backup_enabled);
}

static void what_is_written_reads_back_the_same(void **state)
{
    LLS_AUTO(lls_plan_ref) plan = NULL;
    LLS_AUTO(lls_plan_ref) again = NULL;
    LLS_AUTO(lls_buf) text = {0};
    LLS_AUTO(lls_buf) text_again = {0};
    lls_error err = {0};

    (void)state;
    assert_ok(lls_plan_parse(lls_str_of(good), "plan.yaml", &plan, &err), err);
    plan->tenant = "no"; // a word that YAML has plans of its own for
    plan->source.path = "/with \"quotes\"\\: #\t \xc3\xa4";
    plan->backup_path = "12";
    lls_plan_write(plan, &text);
    assert_ok(lls_plan_parse(lls_buf_str(&text), "again.yaml", &again, &err), err);
    assert_string_equal(again->tenant, "no");
    assert_string_equal(again->source.path, plan->source.path);
    assert_string_equal(again->backup_path, "12");
    lls_plan_write(again, &text_again);
    assert_true(lls_str_eq(lls_buf_str(&text), lls_buf_str(&text_again)));
}

/* `good` with the first `from` replaced by `to`, and what is said about it. */
static const struct {
    const char *from;
    const char *to;
    lls_err code;
    const char *message;
} faults[] = {
    {"tenant: acme", "tenant: acme\ntennant: x", LLS_E_INVALID,
     "p.yaml:4:1: unknown field 'tennant' (known: version, created_at, tenant, source, target, "
     "components, validation, rollback)"},
    {"tenant: acme", "tenant: acme\ntenant: acme", LLS_E_INVALID,
     "p.yaml:4:1: 'tenant' stands here twice"},
    {"tenant: acme\n", "", LLS_E_INVALID, "p.yaml:1:1: 'tenant' is missing here"},
    {"tenant: acme", "tenant:", LLS_E_INVALID, "p.yaml:3:8: 'tenant' must not be empty"},
    {"tenant: acme", "tenant: [a]", LLS_E_INVALID, "p.yaml:3:9: 'tenant' must be a single value"},
    {"tenant: acme", "tenant: \"a\\0b\"", LLS_E_INVALID, "p.yaml:3:9: 'tenant' has a NUL in it"},
    {"tenant: acme", "tenant: !!str acme", LLS_E_INVALID, "p.yaml:3:9: tags are not accepted here"},
    {"tenant: acme", "tenant: &a acme", LLS_E_INVALID,
     "p.yaml:3:9: anchors and aliases are not accepted here"},
    {"tenant: acme", "tenant: *a", LLS_E_INVALID,
     "p.yaml:3:9: anchors and aliases are not accepted here"},
    {"tenant: acme", "? [tenant]\n: acme", LLS_E_INVALID,
     "p.yaml:3:3: the name of a field must be text"},
    {"version: \"1.0\"", "version: \"2.0\"", LLS_E_INVALID,
     "p.yaml:1:10: version '2.0' of plans is not known here, only 1.0"},
    {"  backend: main\n", "", LLS_E_INVALID, "p.yaml:5:3: 'backend' is missing here"},
    {"source:\n  backend: main\n  path: ./state\n", "source: main\n", LLS_E_INVALID,
     "p.yaml:4:9: fields are expected here"},
    {"app@db", "app:secret@db", LLS_E_INVALID,
     "p.yaml:9:15: a plan must not hold a password: put it into the configuration file, "
     "PGPASSWORD or ~/.pgpass"},
    {"batch_size: 500", "batch_size: 0", LLS_E_INVALID,
     "p.yaml:13:17: 'batch_size' must be a number from 1 to 100000, not '0'"},
    {"batch_size: 500", "batch_size: many", LLS_E_INVALID,
     "p.yaml:13:17: 'batch_size' must be a number from 1 to 100000, not 'many'"},
    {"estimated_count: 40", "estimated_count: -4", LLS_E_INVALID,
     "p.yaml:12:22: 'estimated_count' must be a number from 0 to 9223372036854775807, not '-4'"},
    {"estimated_count: 40", "estimated_count: 99999999999999999999", LLS_E_INVALID,
     "p.yaml:12:22: 'estimated_count' must be a number from 0 to 9223372036854775807, not "
     "'99999999999999999999'"},
    {"name: sessions", "name: agent_state", LLS_E_INVALID,
     "p.yaml:11:3: component 'agent_state' is listed twice"},
    {"percent: 100", "percent: 101", LLS_E_INVALID,
     "p.yaml:18:28: 'checksum_sample_percent' must be a number from 1 to 100, not '101'"},
    {"enabled: true", "enabled: yes", LLS_E_INVALID,
     "p.yaml:21:19: 'backup_enabled' must be true or false, not 'yes'"},
    {"backup_path: ./backups\n", "backup_path: ./backups\n---\nversion: \"1.0\"\n", LLS_E_INVALID,
     "p.yaml:23:1: a second document is not accepted here"},
    {"tenant: acme", "tenant: \"acme", LLS_E_PARSE, NULL},
    {"tenant: acme", "\ttenant: acme", LLS_E_PARSE, NULL},
};

static void what_is_wrong_is_named_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < LLS_COUNT(faults); i++) {
        LLS_AUTO(lls_plan_ref) plan = NULL;
        LLS_AUTO(lls_buf) text = {0};
        lls_error err = {0};
        const char *at = strstr(good, faults[i].from);

        assert_non_null(at);
        lls_buf_add_str(&text, (lls_str){good, (size_t)(at - good)});
        lls_buf_add_text(&text, faults[i].to);
        lls_buf_add_text(&text, at + strlen(faults[i].from));
        assert_code(lls_plan_parse(lls_buf_str(&text), "p.yaml", &plan, &err), faults[i].code, err);
        assert_null(plan);
        if (faults[i].message)
            assert_string_equal(err.msg, faults[i].message);
        else
            assert_memory_equal(err.msg, "p.yaml:", 7);
    }
}

static void an_unknown_component_is_named(void **state)
{
    LLS_AUTO(lls_plan_ref) plan = NULL;
    LLS_AUTO(lls_buf) text = {0};
    lls_error err = {0};
    const char *at = strstr(good, "sessions");

    (void)state;
    lls_buf_add_str(&text, (lls_str){good, (size_t)(at - good)});
    lls_buf_add_text(&text, "sesions");
    lls_buf_add_text(&text, at + strlen("sessions"));
    assert_code(lls_plan_parse(lls_buf_str(&text), "p.yaml", &plan, &err), LLS_E_INVALID, err);
    assert_memory_equal(err.msg, "p.yaml:14:11: ", 14);
    assert_non_null(strstr(err.msg, "'sesions'"));
}

static void an_empty_file_is_no_plan(void **state)
{
    LLS_AUTO(lls_plan_ref) plan = NULL;
    lls_error err = {0};

    (void)state;
    assert_code(lls_plan_parse((lls_str){0}, "p.yaml", &plan, &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "p.yaml: the file is empty");
}

/* Cut anywhere, a plan is refused or, where only the end of its last line is missing, whole. */
static void a_plan_cut_anywhere_is_refused(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof(good) - 2; len++) {
        LLS_AUTO(lls_plan_ref) plan = NULL;
        lls_error err = {0};
        lls_err e = lls_plan_parse((lls_str){good, len}, "p.yaml", &plan, &err);
        if (e == LLS_OK)
            assert_true(strlen(plan->backup_path) > 0 && len > sizeof(good) - 13);
        else
            assert_memory_equal(err.msg, "p.yaml:", 7);
    }
}

static void saving_replaces_no_file_and_is_private(void **state)
{
    char folder[] = "/tmp/lls-plan-XXXXXX";
    LLS_AUTO(lls_plan_ref) plan = NULL;
    LLS_AUTO(lls_plan_ref) again = NULL;
    LLS_AUTO(lls_buf) path = {0};
    lls_error err = {0};
    struct stat st;

    (void)state;
    assert_non_null(mkdtemp(folder));
    lls_buf_printf(&path, "%s/plan.yaml", folder);
    assert_ok(lls_plan_parse(lls_str_of(good), "plan.yaml", &plan, &err), err);
    assert_ok(lls_plan_save(plan, lls_buf_cstr(&path), &err), err);
    assert_int_equal(stat(lls_buf_cstr(&path), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_ok(lls_plan_load(lls_buf_cstr(&path), &again, &err), err);
    assert_code(lls_plan_save(plan, lls_buf_cstr(&path), &err), LLS_E_EXISTS, err);
    assert_int_equal(unlink(lls_buf_cstr(&path)), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void every_allocation_may_fail(void **state)
{
    lls_err e = LLS_E_NOMEM;

    (void)state;
    for (long n = 0; e != LLS_OK; n++) {
        LLS_AUTO(lls_plan_ref) plan = NULL;
        LLS_AUTO(lls_plan_ref) copy = NULL;
        lls_error err = {0};
        assert_true(n < 1000);
        lls_alloc_fail_after(n);
        e = lls_plan_parse(lls_str_of(good), "p.yaml", &plan, &err);
        if (e == LLS_OK)
            e = lls_plan_copy(plan, &copy, &err);
        lls_alloc_fail_after(-1);
        assert_true(e == LLS_OK || e == LLS_E_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_field),
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(what_is_wrong_is_named_with_its_place),
        cmocka_unit_test(an_unknown_component_is_named),
        cmocka_unit_test(an_empty_file_is_no_plan),
        cmocka_unit_test(a_plan_cut_anywhere_is_refused),
        cmocka_unit_test(saving_replaces_no_file_and_is_private),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
