/*
 * Migrations from an embedded store into another, into vector files, and into a server, whose
 * process is killed at random moments, again and again: at every look the target is as it was or
 * all of it is there, and in the end it is exactly what was asked for.
 *
 * LLS_TORTURE_ROUNDS says how many migrations; LLS_TORTURE_SEED repeats the moments of a run.
 */
#include "base/scope.h"
#include "base/time.h"
#include "migrate/engine.h"
#include "migrate/phase.h"
#include "testing/migration.h"
#include "testing/private_postgres.h"
#include "testing/records_view.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORDS = 400, KILLS_MAX = 4, ROUNDS = 160, OTHERS_SHARE = 8, SKIP = 77 };

typedef enum act { FORWARD, BACK } act;

typedef struct torture {
    lls_buf source; /* paths of the stores */
    lls_buf target;
    const char *server; /* how to reach the target when it is one, or NULL */
    bool vectors;       /* the target keeps vectors: records are dressed as such */
    lls_migration m;
    lls_sum before; /* what the target held, and what it should hold */
    lls_sum after;
    unsigned dice;
    unsigned met[LLS_PHASES]; /* the phases that runs were killed in */
    int64_t usual_usec;       /* how long a migration takes that nobody kills */
} torture;

static unsigned draw(torture *t)
{
    t->dice = t->dice * 1664525u + 1013904223u;
    return t->dice >> 8;
}

static lls_backend *open_store(const char *path, lls_access access)
{
    lls_setting settings[] = {
        {"path", path, NULL},
        {"durability", "relaxed", NULL}, // the machine stays up: only the process dies
    };
    lls_backend_params params = {.access = access};
    lls_backend *out = NULL;
    lls_error err = {0};

    assert_ok(lls_backend_open(LLS_STR("lmdb"), settings, LLS_COUNT(settings), &params, &out, &err),
              err);
    return out;
}

static lls_backend *open_server(const char *connection)
{
    lls_setting settings[] = {{"connection", connection, NULL}};
    lls_backend *out = NULL;
    lls_error err = {0};

    assert_ok(lls_backend_open(LLS_STR("postgres"), settings, 1, NULL, &out, &err), err);
    return out;
}

/* With a graph from a few vectors on. */
static lls_backend *open_vectors(const char *path)
{
    lls_setting settings[] = {
        {"path", path, NULL}, {"sync", "relaxed", NULL}, {"flat_max", "100", NULL}};
    lls_backend *out = NULL;
    lls_error err = {0};

    assert_ok(lls_backend_open(LLS_STR("hnsw"), settings, LLS_COUNT(settings), NULL, &out, &err),
              err);
    return out;
}

/* The target as a key/value port, whatever it is. */
typedef struct target {
    lls_backend *opened;
    lls_backend *backend; /* or the view on it */
    lls_records_view view;
} target;

static void target_auto(target *to)
{
    lls_backend_close(to->opened);
}

static void open_target(torture *t, target *out)
{
    const char *path = lls_buf_cstr(&t->target);

    if (t->vectors)
        out->opened = open_vectors(path);
    else
        out->opened = t->server ? open_server(t->server) : open_store(path, LLS_READ_WRITE);
    out->backend = out->opened;
    if (t->vectors) {
        lls_records_view_init(&out->view, out->opened->vec);
        out->backend = &out->view.backend;
    }
}

/* The newest run folder whose run began; false: none. What did not begin is removed. */
static bool find_run(torture *t)
{
    LLS_AUTO(lls_buf) found = {0};
    DIR *dir = opendir(t->m.folder);
    struct dirent *entry;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        LLS_AUTO(lls_buf) folder = {0};
        lls_run run = {0};
        if (strncmp(entry->d_name, "migration-", 10) != 0)
            continue;
        lls_buf_printf(&folder, "%s/%s", t->m.folder, entry->d_name);
        lls_err e = lls_run_load(&run, lls_buf_cstr(&folder), &t->m.options, NULL);
        lls_run_fini(&run);
        if (e == LLS_OK && lls_str_of(lls_buf_cstr(&folder)).len >= found.len) {
            lls_buf_clear(&found);
            lls_buf_add_text(&found, lls_buf_cstr(&folder));
        } else {
            lls_remove_tree(lls_buf_cstr(&folder));
        }
    }
    (void)closedir(dir);
    lls_buf_clear(&t->m.run_folder);
    lls_buf_add(&t->m.run_folder, lls_buf_view(&found));
    return found.len > 0;
}

/* Once, to the end or to the death of the process. */
static lls_err attempt(torture *t, act what, lls_error *err)
{
    LLS_AUTO(lls_backend_ref) source = open_store(lls_buf_cstr(&t->source), LLS_READ_ONLY);
    LLS_AUTO(target) to = {0};
    bool begun = find_run(t);
    lls_err e;

    open_target(t, &to);
    t->m.source = source;
    t->m.target = to.backend;
    if (!begun)
        e = what == BACK ? LLS_OK : lls_migration_execute(&t->m, err);
    else if (what == BACK)
        e = lls_migration_rollback(&t->m, err);
    else
        e = lls_migration_resume(&t->m, err);
    return e;
}

/* The same in a process that is killed after `usec`. Whether it came to its end before that. */
static bool attempt_and_kill(torture *t, act what, unsigned usec)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        lls_error err = {0};
        lls_err e = attempt(t, what, &err);
        if (e != LLS_OK)
            (void)fprintf(stderr, "%s\n", err.msg);
        _exit(e == LLS_OK ? 0 : 1);
    }
    (void)usleep(usec);
    (void)kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    return WIFEXITED(status);
}

static bool same(lls_sum a, lls_sum b)
{
    return a.count == b.count && lls_digest_eq(a.digest, b.digest);
}

static lls_sum sum_target(torture *t, bool *clean)
{
    LLS_AUTO(target) to = {0};

    open_target(t, &to);
    *clean = lls_migration_is_clean(to.backend->kv);
    return lls_migration_sum(to.backend->kv);
}

/* A target that holds some records of its own, some of the source's, and some that differ. */
static void fill_target(torture *t)
{
    LLS_AUTO(lls_backend_ref) source = open_store(lls_buf_cstr(&t->source), LLS_READ_ONLY);
    LLS_AUTO(target) to = {0};
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_kv_space space = {LLS_STR("acme"), lls_migration_colls[0]};
    lls_error err = {0};
    lls_kv_item item;

    open_target(t, &to);
    lls_kv *kv = to.backend->kv;
    for (size_t c = 0; t->server && c < LLS_MIGRATION_COLLS; c++)
        assert_ok(lls_kv_clear(kv, (lls_kv_space){space.tenant, lls_migration_colls[c]}, &err),
                  err);
    lls_migration_fill(kv, 99, 20);
    assert_ok(lls_kv_scan(source->kv, space, (lls_kv_range){0}, LLS_KV_ALL, &it, &err), err);
    for (size_t i = 0; i < 40 && lls_kv_iter_next(it, &item, &err) == LLS_OK; i++) {
        lls_kv_write write = {.verb = LLS_KV_RESTORE,
                              .coll = space.coll,
                              .key = item.key,
                              .value = i % 2 ? item.value : B("of the target"),
                              .meta = item.meta};
        assert_ok(lls_kv_apply(kv, space.tenant, &write, 1, &err), err);
    }
}

static void new_target(torture *t)
{
    lls_buf_clear(&t->target);
    lls_buf_printf(&t->target, "%s/target", t->m.folder);
    lls_remove_tree(lls_buf_cstr(&t->target));
    fill_target(t);
}

static void setup(torture *t, const char *server, bool vectors)
{
    const char *seed = getenv("LLS_TORTURE_SEED");
    lls_error err = {0};
    bool clean;

    *t = (torture){.dice = seed ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)getpid(),
                   .server = server,
                   .vectors = vectors};
    print_message("LLS_TORTURE_SEED=%u\n", t->dice);
    lls_migration_init(&t->m, NULL, NULL);
    t->m.plan->components[0].batch_size = 50;
    t->m.plan->components[1].batch_size = 50;
    lls_buf_printf(&t->source, "%s/source", t->m.folder);
    lls_backend *source = open_store(lls_buf_cstr(&t->source), LLS_READ_WRITE);
    lls_migration_fill(source->kv, 1, RECORDS);
    lls_backend_close(source);

    new_target(t);
    t->before = sum_target(t, &clean);
    int64_t began = lls_monotonic_usec();
    assert_ok(attempt(t, FORWARD, &err), err);
    t->usual_usec = lls_monotonic_usec() - began;
    t->after = sum_target(t, &clean);
    assert_true(clean);
    assert_int_equal(t->after.count, 2 * RECORDS + 2 * 20);
}

static void teardown(torture *t)
{
    for (unsigned i = 0; i < LLS_PHASES; i++)
        print_message("killed while %s: %u\n", lls_phase_text((lls_phase)i), t->met[i]);
    lls_buf_fini(&t->source);
    lls_buf_fini(&t->target);
    lls_migration_fini(&t->m);
}

static void forget_runs(torture *t)
{
    while (find_run(t))
        lls_remove_tree(lls_buf_cstr(&t->m.run_folder));
}

/* Kill it a few times. Whether it came to its end nevertheless. */
static bool kill_some(torture *t, act what)
{
    unsigned kills = 1 + draw(t) % KILLS_MAX;
    bool finished = false;
    bool clean;

    for (unsigned k = 0; k < kills && !finished; k++) {
        finished = attempt_and_kill(t, what, draw(t) % (unsigned)(t->usual_usec * 5 / 4));
        if (!finished && find_run(t))
            t->met[lls_migration_phase(&t->m)]++;
        lls_sum now = sum_target(t, &clean);
        if (!same(now, t->before) && !same(now, t->after))
            fail_msg("after a kill the target holds %llu records: neither what it held nor what "
                     "it should hold",
                     (unsigned long long)now.count);
    }
    return finished;
}

static void finish(torture *t, act what, lls_sum want)
{
    lls_error err = {0};
    bool clean;

    assert_ok(attempt(t, what, &err), err);
    lls_sum now = sum_target(t, &clean);
    assert_int_equal(now.count, want.count);
    assert_true(same(now, want));
    assert_true(clean);
}

static void round_of(torture *t, bool back)
{
    forget_runs(t);
    new_target(t);
    kill_some(t, FORWARD);
    if (!back) {
        finish(t, FORWARD, t->after);
        return;
    }
    kill_some(t, BACK);
    finish(t, BACK, t->before);
}

static unsigned rounds(void)
{
    const char *set = getenv("LLS_TORTURE_ROUNDS");

    return set ? (unsigned)strtoul(set, NULL, 10) : ROUNDS;
}

static void rounds_of(const char *server, bool vectors, unsigned count, bool back)
{
    torture t;

    setup(&t, server, vectors);
    for (unsigned i = 0; i < count; i++)
        round_of(&t, back);
    teardown(&t);
}

static void a_killed_migration_resumes_exactly(void **state)
{
    (void)state;
    rounds_of(NULL, false, rounds() / 2, false);
}

static void a_killed_migration_rolls_back_exactly(void **state)
{
    (void)state;
    rounds_of(NULL, false, rounds() / 2, true);
}

static void killed_at_work_on_vectors_it_ends_exactly(void **state)
{
    (void)state;
    if (!lls_backend_find(LLS_STR("hnsw")))
        skip();
    rounds_of(NULL, true, rounds() / OTHERS_SHARE, false);
    rounds_of(NULL, true, rounds() / OTHERS_SHARE, true);
}

static void begin_schema(const char *connection)
{
    LLS_AUTO(lls_backend_ref) backend = open_server(connection);
    lls_error err = {0};

    assert_non_null(backend->def->schema);
    assert_ok(backend->def->schema->apply(backend, NULL, NULL, &err), err);
}

static void killed_at_work_on_a_server_it_ends_exactly(void **state)
{
    lls_private_postgres server;
    lls_error err = {0};

    (void)state;
    if (!lls_backend_find(LLS_STR("postgres")) || !lls_private_postgres_is_possible())
        skip();
    assert_ok(lls_private_postgres_start(&server, NULL, &err), err);
    begin_schema(server.connection);
    rounds_of(server.connection, false, rounds() / OTHERS_SHARE, false);
    rounds_of(server.connection, false, rounds() / OTHERS_SHARE, true);
    lls_private_postgres_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_migration_resumes_exactly),
        cmocka_unit_test(a_killed_migration_rolls_back_exactly),
        cmocka_unit_test(killed_at_work_on_vectors_it_ends_exactly),
        cmocka_unit_test(killed_at_work_on_a_server_it_ends_exactly),
    };

    if (!lls_backend_find(LLS_STR("lmdb")))
        return SKIP;
    return cmocka_run_group_tests_name("torture", tests, NULL, NULL);
}
