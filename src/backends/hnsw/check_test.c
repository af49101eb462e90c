/* check_test.c - what a store says of itself, and what it finds wrong. */
#include "ports/stage.h"
#include "testing/hnsw_fixture.h"

#include <fcntl.h>

enum { WIDE = 4096, MANY = 4300 }; /* an index of more than is read when it is opened */

typedef struct told {
    lls_buf text; /* a line for each fact */
    size_t count;
} told;

static void take(void *user, const char *name, const char *value)
{
    told *t = user;

    lls_buf_printf(&t->text, "%s: %s\n", name, value);
    t->count++;
}

static void assert_told(told *t, const char *part)
{
    if (!strstr(lls_buf_cstr(&t->text), part))
        fail_msg("'%s' is not in:\n%s", part, lls_buf_cstr(&t->text));
}

static void ask(lls_backend *backend, bool check, told *t)
{
    lls_error err = {0};

    lls_buf_clear(&t->text);
    t->count = 0;
    if (check)
        assert_ok(backend->def->check(backend, take, t, &err), err);
    else
        assert_ok(backend->def->facts(backend, take, t, &err), err);
}

static void put_wide(lls_backend *backend, size_t from, size_t to)
{
    static float vector[WIDE];
    lls_error err = {0};

    for (size_t i = from; i < to; i++) {
        char id[32];
        (void)snprintf(id, sizeof(id), "%05zu", i);
        for (size_t k = 0; k < WIDE; k++)
            vector[k] = (float)((i * 31 + k * (i % 7 + 1)) % 97) - 48;
        lls_vec_item item = {.id = lls_bytes_of(lls_str_of(id)),
                             .space = {.dim = WIDE, .metric = LLS_VEC_L2},
                             .vector = vector};
        assert_ok(lls_vec_put(backend->vec, fixture_space, &item, &err), err);
    }
}

static lls_backend *open_relaxed(const char *path)
{
    const lls_setting settings[] = {{"path", path, NULL}, {"sync", "relaxed", NULL}};
    lls_backend *out = NULL;
    lls_error err = {0};

    assert_ok(lls_backend_open(LLS_STR("hnsw"), settings, LLS_COUNT(settings), NULL, &out, &err),
              err);
    return out;
}

/* Flip a bit in the middle of the only file whose name begins with `kind`. */
static void damage(const char *store, const char *kind, bool *found)
{
    char command[300];
    char path[300] = "";
    uint8_t byte;

    (void)snprintf(command, sizeof(command), "ls %s/tenant/things/%s-*", store, kind);
    FILE *list = popen(command, "r");
    assert_non_null(list);
    *found = fgets(path, sizeof(path), list) != NULL;
    (void)pclose(list);
    path[strcspn(path, "\n")] = '\0';
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    off_t middle = lseek(fd, 0, SEEK_END) / 2;
    assert_int_equal(pread(fd, &byte, 1, middle), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, middle), 1);
    assert_int_equal(close(fd), 0);
}

static void a_damaged_index_is_named_and_made_again(void **state)
{
    lls_backend *backend = open_relaxed(*state);
    told t = {0};
    lls_error err = {0};
    bool found;

    put_wide(backend, 0, MANY);
    assert_ok(lls_vec_tend(backend->vec, fixture_space, &err), err);
    ask(backend, true, &t);
    assert_int_equal(t.count, 0);
    lls_backend_close(backend);
    damage(*state, "index", &found);
    assert_true(found);

    backend = open_relaxed(*state);
    ask(backend, true, &t);
    assert_int_equal(t.count, 1);
    assert_told(&t, "its section 'codes' is damaged");
    put_wide(backend, MANY, MANY + 1);
    assert_ok(lls_vec_tend(backend->vec, fixture_space, &err), err);
    ask(backend, true, &t);
    assert_int_equal(t.count, 0);
    lls_backend_close(backend);
    lls_buf_fini(&t.text);
}

static void a_damaged_base_is_named(void **state)
{
    lls_backend *backend = open_relaxed(*state);
    told t = {0};
    lls_error err = {0};
    bool found;

    put_wide(backend, 0, 50);
    assert_ok(lls_vec_tend(backend->vec, fixture_space, &err), err);
    lls_backend_close(backend);
    damage(*state, "base", &found);
    assert_true(found);
    backend = open_relaxed(*state);
    ask(backend, true, &t);
    assert_int_equal(t.count, 1);
    assert_told(&t, "its section 'vectors' of space 0 is damaged");
    lls_backend_close(backend);
    lls_buf_fini(&t.text);
}

static void a_stage_that_waits_is_told(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = open_relaxed(*state);
    const lls_stage_spec spec = {fixture_space.tenant, LLS_STR("run7"), &fixture_space.coll, 1,
                                 LLS_STAGE_MERGE};
    lls_kv_stage *stage = NULL;
    told t = {0};
    lls_error err = {0};

    assert_ok(lls_stage_open(backend->vec->records, &spec, &stage, &err), err);
    lls_stage_close(stage);
    ask(backend, true, &t);
    assert_int_equal(t.count, 1);
    assert_told(&t, "tenant 'tenant' wait in the stage of run 'run7'");
    ask(backend, false, &t);
    assert_told(&t, "stages: 1 of ");
    assert_ok(lls_stage_discard(backend->vec->records, spec.tenant, spec.run, &err), err);
    ask(backend, true, &t);
    assert_int_equal(t.count, 0);
    lls_buf_fini(&t.text);
}

static void sizes_and_the_writer_are_told(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = open_relaxed(*state);
    LLS_AUTO(lls_backend_ref) other = open_relaxed(*state);
    char writer[60];
    told t = {0};
    lls_error err = {0};

    ask(backend, false, &t);
    assert_told(&t, "writer: none\n");
    assert_told(&t, "records of all collections: 0\n");
    assert_ok(backend->def->ready(backend, 1000, &err), err);
    put_wide(backend, 0, 20);
    put_wide(backend, 0, 10);
    (void)snprintf(writer, sizeof(writer), "writer: process %ld\n", (long)getpid());
    ask(backend, false, &t);
    assert_told(&t, writer);
    ask(other, false, &t);
    assert_told(&t, writer);
    assert_told(&t, "tenants: 1\n");
    assert_told(&t, "records of all collections: 20\n");
    assert_told(&t, "records in logs: 30\n");
    assert_told(&t, "bytes of bases: 0\n");
    assert_ok(backend->def->ready(backend, 1000, &err), err);
    assert_code(other->def->ready(other, 1000, &err), LLS_E_BUSY, err);
    assert_code(backend->def->ready(backend, UINT64_MAX / 2, &err), LLS_E_FULL, err);
    lls_buf_fini(&t.text);
}

/* A tenant whose name takes several folders is found again, its stages too. */
static void tenants_with_long_names_are_told(void **state)
{
    char name[LLS_TENANT_MAX];
    lls_kv_space space = {{name, sizeof(name)}, fixture_space.coll};
    const lls_stage_spec spec = {space.tenant, LLS_STR("long"), &space.coll, 1, LLS_STAGE_MERGE};
    lls_kv_stage *stage = NULL;
    fixture_record record;
    told t = {0};
    lls_error err = {0};

    lls_backend *backend = fixture_open(*state);
    for (unsigned i = 0; i < 4; i++) { // what takes one folder, two, three and four
        memset(name, 'a', sizeof(name));
        memset(name, 'A', i * sizeof(name) / 3);
        assert_ok(lls_vec_put(backend->vec, space, fixture_make(i, 1, &record), &err), err);
    }
    assert_ok(lls_stage_open(backend->vec->records, &spec, &stage, &err), err);
    lls_stage_close(stage);
    lls_backend_close(backend);

    LLS_AUTO(lls_backend_ref) again = fixture_open(*state);
    ask(again, false, &t);
    assert_told(&t, "tenants: 4\n");
    assert_told(&t, "records of all collections: 4\n");
    assert_told(&t, "stages: 1 of ");
    assert_ok(lls_stage_discard(again->vec->records, space.tenant, spec.run, &err), err);
    ask(again, false, &t);
    assert_null(strstr(lls_buf_cstr(&t.text), "stages:"));
    lls_buf_fini(&t.text);
}

int main(void)
{
#define CHECK_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CHECK_TEST(a_damaged_index_is_named_and_made_again),
        CHECK_TEST(a_damaged_base_is_named),
        CHECK_TEST(a_stage_that_waits_is_told),
        CHECK_TEST(sizes_and_the_writer_are_told),
        CHECK_TEST(tenants_with_long_names_are_told),
    };

    return cmocka_run_group_tests_name("hnsw check", tests, NULL, NULL);
}
