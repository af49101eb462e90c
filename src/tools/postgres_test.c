/* Inspection, validation and the schema of a backend that has one. */
#include <llmspell/inspect.h>

#include "base/scope.h"
#include "store/open.h"
#include "testing/check.h"
#include "testing/private_postgres.h"

#include <llmspell/migrate.h>

/* What every test of the group uses, in order: first there is no schema, then there is. */
typedef struct fixture {
    lls_private_postgres server;
    lls_config *config;
} fixture;

static fixture group;

static int open_group(void **state)
{
    static const char *const nothing[] = {"HOME=/nonexistent", NULL};
    LLS_AUTO(lls_buf) connection = {0};
    lls_error err = {0};

    assert_ok(lls_private_postgres_start(&group.server, NULL, &err), err);
    lls_buf_printf(&connection, "storage.connection=%s", group.server.connection);
    const char *const flags[] = {"storage.backend=postgres", lls_buf_cstr(&connection)};
    lls_config_sources sources = {
        .abi = LLS_ABI, .environment = nothing, .flags = flags, .flag_count = LLS_COUNT(flags)};
    assert_ok(lls_config_load(&sources, &group.config, &err), err);
    *state = &group;
    return 0;
}

static int close_group(void **state)
{
    (void)state;
    lls_config_free(group.config);
    lls_private_postgres_stop(&group.server);
    return 0;
}

typedef struct steps {
    int pending;
    int applied;
    uint32_t last; // number of the step that was told last
    bool has_agents;
} steps;

static void on_step(void *user, const lls_schema_info *step)
{
    steps *s = user;

    assert_true(step->number > s->last); // oldest first
    s->last = step->number;
    s->pending += strcmp(step->state, "pending") == 0;
    s->applied += strcmp(step->state, "applied") == 0;
    assert_int_equal(step->applied_usec != 0, strcmp(step->state, "applied") == 0);
    s->has_agents = s->has_agents || (step->number == 7 && strcmp(step->name, "agent_state") == 0);
}

static void on_finding(void *user, const lls_finding *finding)
{
    int *store_findings = user;

    *store_findings += finding->component == NULL;
}

static void a_missing_schema_is_pending_and_nothing_is_created(void **state)
{
    fixture *f = *state;
    steps before = {0};
    steps after = {0};
    lls_error err = {0};

    assert_ok(lls_schema_status(f->config, NULL, on_step, &before, &err), err);
    assert_true(before.pending > 0 && before.applied == 0 && before.has_agents);
    assert_true(lls_validate(f->config, NULL, NULL, &err) != LLS_OK);
    assert_ok(lls_schema_status(f->config, NULL, on_step, &after, &err), err);
    assert_int_equal(after.pending, before.pending);
}

static lls_err check_target_of_a_plan(const fixture *f, lls_error *err)
{
    static const char *const components[] = {"agent_state"};
    lls_plan_request request = {.abi = LLS_ABI,
                                .source = {.backend = "memory"},
                                .target = {.backend = "postgres"},
                                .components = components,
                                .component_count = 1};
    lls_plan *plan = NULL;

    assert_ok(lls_plan_make(f->config, &request, &plan, err), *err); // with or without a schema
    lls_err e = lls_plan_check_target(f->config, plan, err);
    lls_plan_free(plan);
    return e;
}

static void a_plan_tells_that_its_target_lacks_the_schema(void **state)
{
    fixture *f = *state;
    lls_error err = {0};

    assert_code(check_target_of_a_plan(f, &err), LLS_E_UNAVAILABLE, err);
    assert_non_null(strstr(err.msg, "schema"));
}

static void apply_tells_each_step_once(void **state)
{
    fixture *f = *state;
    steps pending = {0};
    steps applied = {0};
    steps again = {0};
    steps now = {0};
    lls_error err = {0};

    assert_ok(lls_schema_status(f->config, NULL, on_step, &pending, &err), err);
    assert_ok(lls_schema_apply(f->config, NULL, on_step, &applied, &err), err);
    assert_int_equal(applied.applied, pending.pending);
    assert_ok(lls_schema_apply(f->config, NULL, on_step, &again, &err), err);
    assert_int_equal(again.last, 0);
    assert_ok(lls_schema_status(f->config, NULL, on_step, &now, &err), err);
    assert_int_equal(now.applied, pending.pending);
    assert_int_equal(now.pending, 0);
    assert_ok(check_target_of_a_plan(f, &err), err);
}

static void on_component(void *user, const lls_component_info *info)
{
    uint64_t *agents = user;

    if (strcmp(info->component, "agent_state") == 0)
        *agents = info->count;
}

static void inspection_and_validation_read_the_tables(void **state)
{
    fixture *f = *state;
    uint64_t agents = 0;
    int store_findings = 0;
    lls_info_handler handler = {.component = on_component, .user = &agents};
    lls_validate_options options = {.abi = LLS_ABI, .finding = on_finding, .user = &store_findings};
    lls_error err = {0};
    lls_kv_write writes[] = {
        {.verb = LLS_KV_PUT,
         .coll = LLS_STR("agent_state"),
         .key = B("agent:a:1"),
         .value = B("{}")},
        {.verb = LLS_KV_PUT, .coll = LLS_STR("agent_state"), .key = B("x"), .value = B("\xFF")},
    };
    lls_backend_choice choice = {0};
    lls_backend *backend = NULL;

    assert_ok(lls_config_open_backend(f->config, &choice, NULL, &backend, &err), err);
    assert_ok(lls_kv_apply(backend->kv, LLS_STR("default"), writes, 1, &err), err);
    assert_ok(lls_inspect(f->config, NULL, &handler, &err), err);
    assert_int_equal(agents, 1);
    assert_ok(lls_validate(f->config, NULL, &options, &err), err);

    assert_ok(lls_kv_apply(backend->kv, LLS_STR("default"), writes, 2, &err), err);
    lls_backend_close(backend);
    assert_code(lls_validate(f->config, NULL, &options, &err), LLS_E_CORRUPT, err);
    assert_string_equal(err.msg, "2 findings"); // its key and its value
    assert_int_equal(store_findings, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_schema_is_pending_and_nothing_is_created),
        cmocka_unit_test(a_plan_tells_that_its_target_lacks_the_schema),
        cmocka_unit_test(apply_tells_each_step_once),
        cmocka_unit_test(inspection_and_validation_read_the_tables),
    };

    if (!lls_backend_find(LLS_STR("postgres")) || !lls_private_postgres_is_possible())
        return 77; // this build does not have the backend, or this machine no server
    return cmocka_run_group_tests(tests, open_group, close_group);
}
