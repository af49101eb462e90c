#define _XOPEN_SOURCE 700 // nftw

#include "testing/migration.h"

#include "base/scope.h"
#include "migrate/engine.h"
#include "migrate/report.h"
#include "ports/record.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const lls_str lls_migration_colls[LLS_MIGRATION_COLLS] = {
    LLS_STR_INIT("agent_state"),
    LLS_STR_INIT("sessions"),
};

static const lls_str tenant = LLS_STR_INIT("acme");

static void note(void *user, const lls_event *event)
{
    lls_migration *m = user;

    m->differs += event->type == LLS_EVENT_DIFFERS;
    m->warnings += event->type == LLS_EVENT_WARNING;
    m->checks += event->type == LLS_EVENT_CHECK;
    if (event->text)
        lls_buf_printf(&m->said, "%s: %s\n", event->component ? event->component : "run",
                       event->text);
}

void lls_migration_init(lls_migration *m, lls_kv *source, lls_kv *target)
{
    *m = (lls_migration){.ports = {{.kv = source}, {.kv = target}},
                         .options = {.abi = LLS_ABI, .event = note, .user = m}};
    m->source = &m->ports[0];
    m->target = target ? &m->ports[1] : NULL;
    // A file system in memory where there is one: what is tested here survives a process, not the
    // machine, and a thousand fsyncs to a disk take their time.
    (void)snprintf(m->folder, sizeof(m->folder), "%s/lls-migration-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(m->folder));
    m->plan = lls_plan_new();
    assert_non_null(m->plan);
    m->plan->tenant = "acme";
    m->plan->source.backend = "one";
    m->plan->target.backend = "other";
    m->plan->backup_path = m->folder;
    m->plan->component_count = LLS_MIGRATION_COLLS;
    m->plan->components[0] = (lls_plan_component){"agent_state", 0, 7};
    m->plan->components[1] = (lls_plan_component){"sessions", 0, 7};
}

void lls_migration_fini(lls_migration *m)
{
    lls_report_fini(&m->report);
    lls_plan_free(m->plan);
    lls_buf_fini(&m->run_folder);
    lls_buf_fini(&m->said);
    lls_remove_tree(m->folder);
    *m = (lls_migration){0};
}

static void begin(lls_migration *m)
{
    lls_report_fini(&m->report);
    lls_buf_clear(&m->said);
    m->differs = 0;
    m->warnings = 0;
    m->checks = 0;
}

static lls_err conclude(lls_migration *m, lls_run *run, lls_err result, lls_error *err)
{
    lls_run_let_go(run);
    if (run->folder) {
        lls_buf_clear(&m->run_folder);
        lls_buf_add_text(&m->run_folder, run->folder);
    }
    if (run->plan) {
        lls_err e = lls_report_make(run, result, &m->report, result == LLS_OK ? err : NULL);
        if (result == LLS_OK)
            result = e;
    }
    lls_run_fini(run);
    return result;
}

lls_err lls_migration_execute(lls_migration *m, lls_error *err)
{
    lls_run run = {0};

    begin(m);
    lls_err e = lls_run_init(&run, m->plan, &m->options, err);
    if (e == LLS_OK)
        e = lls_run_attach(&run, m->source, m->target, err);
    if (e == LLS_OK)
        e = lls_run_execute(&run, err);
    return conclude(m, &run, e, err);
}

lls_err lls_migration_resume(lls_migration *m, lls_error *err)
{
    lls_run run = {0};

    begin(m);
    lls_err e = lls_run_load(&run, lls_buf_cstr(&m->run_folder), &m->options, err);
    if (e == LLS_OK)
        e = lls_run_attach(&run, m->source, m->target, err);
    if (e == LLS_OK)
        e = lls_run_resume(&run, err);
    return conclude(m, &run, e, err);
}

lls_err lls_migration_rollback(lls_migration *m, lls_error *err)
{
    lls_run run = {0};

    begin(m);
    lls_err e = lls_run_load(&run, lls_buf_cstr(&m->run_folder), &m->options, err);
    if (e == LLS_OK)
        e = lls_run_attach(&run, NULL, m->target, err);
    if (e == LLS_OK)
        e = lls_run_rollback(&run, err);
    return conclude(m, &run, e, err);
}

static lls_err note_phase(void *user, const lls_entry *entry, lls_error *err)
{
    (void)err;
    if (entry->type == LLS_ENTRY_PHASE)
        *(lls_phase *)user = entry->phase;
    return LLS_OK;
}

lls_phase lls_migration_phase(lls_migration *m)
{
    LLS_AUTO(lls_buf) path = {0};
    lls_phase phase = LLS_PHASE_PLANNED;
    lls_error err = {0};

    lls_buf_printf(&path, "%s/journal", lls_buf_cstr(&m->run_folder));
    assert_ok(lls_journal_read(lls_buf_cstr(&path), note_phase, &phase, &err), err);
    return phase;
}

size_t lls_migration_runs(const lls_migration *m)
{
    DIR *dir = opendir(m->folder);
    struct dirent *entry;
    size_t count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        count += strncmp(entry->d_name, "migration-", 10) == 0;
    (void)closedir(dir);
    return count;
}

static unsigned draw(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Keys in no order, values of JSON, of any bytes and of none, some of them expired long ago. */
static void restore_one(lls_kv *kv, lls_str coll, unsigned *state, size_t i)
{
    char key[64];
    uint8_t value[300];
    lls_error err = {0};
    size_t len = draw(state) % sizeof(value);

    (void)snprintf(key, sizeof(key), "agent:%c:%04x-%zu", 'a' + (char)(draw(state) % 3),
                   draw(state) & 0xffff, i);
    for (size_t k = 0; k < len; k++)
        value[k] = (uint8_t)draw(state);
    if (draw(state) % 2)
        len = (size_t)snprintf((char *)value, sizeof(value), "{\"n\": %u}", draw(state));
    lls_kv_write write = {.verb = LLS_KV_RESTORE,
                          .coll = coll,
                          .key = lls_bytes_of(lls_str_of(key)),
                          .value = {value, len},
                          .meta = {.version = 1 + draw(state) % 5,
                                   .created_usec = draw(state),
                                   .updated_usec = INT64_C(1700000000000000) + draw(state)}};
    if (draw(state) % 10 == 0)
        write.meta.expires_usec = INT64_C(1700000001000000);
    assert_ok(lls_kv_apply(kv, tenant, &write, 1, &err), err);
}

void lls_migration_fill(lls_kv *kv, unsigned seed, size_t count)
{
    for (size_t c = 0; c < LLS_MIGRATION_COLLS; c++) {
        for (size_t i = 0; i < count; i++)
            restore_one(kv, lls_migration_colls[c], &seed, i);
    }
}

void lls_migration_put(lls_kv *kv, const char *key, const char *value)
{
    lls_kv_space space = {tenant, lls_migration_colls[0]};
    lls_error err = {0};

    assert_ok(
        lls_kv_put(kv, space, lls_bytes_of(lls_str_of(key)), lls_bytes_of(lls_str_of(value)), &err),
        err);
}

lls_sum lls_migration_sum(lls_kv *kv)
{
    lls_sum sum = {0};

    for (size_t c = 0; c < LLS_MIGRATION_COLLS; c++) {
        LLS_AUTO(lls_kv_iter_ref) it = NULL;
        lls_kv_space space = {tenant, lls_migration_colls[c]};
        lls_error err = {0};
        lls_kv_item item;
        lls_err e;

        assert_ok(lls_kv_scan(kv, space, (lls_kv_range){0}, LLS_KV_ALL, &it, &err), err);
        while ((e = lls_kv_iter_next(it, &item, &err)) == LLS_OK) {
            lls_digest_add(&sum.digest, lls_record_digest(lls_migration_colls[c], &item));
            sum.bytes += item.key.len + item.value.len;
            sum.count++;
        }
        assert_int_equal(e, LLS_END);
    }
    return sum;
}

bool lls_migration_is_clean(lls_kv *kv)
{
    lls_kv_space space = {tenant, LLS_STR(LLS_LOCK_COLL)};
    lls_error err = {0};
    uint64_t count;

    assert_ok(lls_kv_count(kv, space, &count, &err), err);
    return count == 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void lls_remove_tree(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
