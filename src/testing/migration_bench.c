#include "testing/migration_bench.h"

#include "base/scope.h"

static const lls_str tenant = LLS_STR_INIT("acme");

static lls_backend *open_store(const lls_migration *m, const char *name)
{
    lls_backend *out = NULL;
    LLS_AUTO(lls_buf) path = {0};
    lls_error err = {0};
    lls_setting settings[] = {{"path", NULL, NULL}, {"durability", "relaxed", NULL}};

    if (lls_backend_find(LLS_STR("memory"))) {
        assert_ok(lls_backend_open(LLS_STR("memory"), NULL, 0, NULL, &out, &err), err);
        return out;
    }
    lls_buf_printf(&path, "%s/store-%s", m->folder, name);
    settings[0].value = lls_buf_cstr(&path);
    assert_ok(lls_backend_open(LLS_STR("lmdb"), settings, 2, NULL, &out, &err), err);
    return out;
}

/* Some of the target's records are its own, some are the source's, some differ from these. */
static void fill_target(lls_bench *b)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_kv_space space = {tenant, lls_migration_colls[0]};
    lls_error err = {0};
    lls_kv_item item;

    lls_migration_fill(b->to->kv, 99, LLS_BENCH_OWN);
    assert_ok(lls_kv_scan(b->from->kv, space, (lls_kv_range){0}, LLS_KV_ALL, &it, &err), err);
    for (size_t i = 0; i < 6 && lls_kv_iter_next(it, &item, &err) == LLS_OK; i++) {
        lls_kv_write write = {.verb = LLS_KV_RESTORE,
                              .coll = space.coll,
                              .key = item.key,
                              .value = i % 2 ? item.value : B("the target's own"),
                              .meta = item.meta};
        assert_ok(lls_kv_apply(b->to->kv, tenant, &write, 1, &err), err);
    }
}

void lls_bench_init_empty(lls_bench *b)
{
    *b = (lls_bench){0};
    lls_migration_init(&b->m, NULL, NULL);
    b->from = open_store(&b->m, "from");
    b->to = open_store(&b->m, "to");
    lls_cut_init(&b->wire, b->to->kv);
    b->m.ports[0].kv = b->from->kv;
    b->m.ports[1].kv = &b->wire.base;
    b->m.source = &b->m.ports[0];
    b->m.target = &b->m.ports[1];
    lls_migration_fill(b->from->kv, 1, LLS_BENCH_RECORDS);
    b->source = lls_migration_sum(b->from->kv);
}

void lls_bench_init(lls_bench *b)
{
    lls_bench_init_empty(b);
    fill_target(b);
    b->before = lls_migration_sum(b->to->kv);
}

void lls_bench_fini(lls_bench *b)
{
    lls_backend_close(b->from);
    lls_backend_close(b->to);
    lls_migration_fini(&b->m);
}

bool lls_sum_same(lls_sum a, lls_sum b)
{
    return a.count == b.count && lls_digest_eq(a.digest, b.digest);
}

void lls_bench_assert(lls_bench *b, lls_sum want)
{
    lls_sum now = lls_migration_sum(b->to->kv);

    assert_int_equal(now.count, want.count);
    assert_true(lls_sum_same(now, want));
}

lls_sum lls_bench_expected(void)
{
    lls_bench b;
    lls_error err = {0};

    lls_bench_init(&b);
    assert_ok(lls_migration_execute(&b.m, &err), err);
    lls_sum sum = lls_migration_sum(b.to->kv);
    lls_bench_fini(&b);
    return sum;
}

bool lls_bench_cut(lls_bench *b, lls_bench_act what, long at, lls_cut_when when)
{
    lls_error err = {0};

    b->wire.at = at;
    b->wire.when = when;
    b->wire.changes = 0;
    lls_err e = what(&b->m, &err);
    bool was_cut = b->wire.dead;
    if (was_cut && e != LLS_E_UNAVAILABLE)
        fail_msg("cut at change %ld: %s: %s", at, lls_err_text(e), err.msg);
    if (!was_cut)
        assert_ok(e, err);
    b->wire.at = -1;
    b->wire.dead = false;
    return was_cut;
}

void lls_bench_assert_whole(lls_bench *b, lls_sum after)
{
    lls_sum now = lls_migration_sum(b->to->kv);

    assert_true(lls_sum_same(now, b->before) || lls_sum_same(now, after));
}

bool lls_bench_possible(void)
{
    return lls_backend_find(LLS_STR("memory")) || lls_backend_find(LLS_STR("lmdb"));
}
