#include "ports/stage.h"

#include "base/scope.h"
#include "ports/space.h"

#include <assert.h>

static lls_err check_run(lls_str run, lls_error *err)
{
    bool good = run.len > 0 && run.len <= LLS_RUN_MAX;

    for (size_t i = 0; good && i < run.len; i++)
        good = (run.data[i] >= 'a' && run.data[i] <= 'z') ||
               (run.data[i] >= '0' && run.data[i] <= '9') || run.data[i] == '_';
    if (!good)
        return lls_fail(err, LLS_E_INVALID, "'" LLS_FMT "' is not the name of a run", LLS_ARG(run));
    return LLS_OK;
}

lls_err lls_stage_open(lls_kv *kv, const lls_stage_spec *spec, lls_kv_stage **out, lls_error *err)
{
    assert(kv && spec && out);

    LLS_TRY(check_run(spec->run, err));
    if (spec->coll_count == 0)
        return lls_fail(err, LLS_E_INVALID, "a stage of no collections");
    for (size_t i = 0; i < spec->coll_count; i++)
        LLS_TRY(lls_space_check((lls_kv_space){spec->tenant, spec->colls[i]}, err));
    if (!kv->ops->stage)
        return lls_fail(err, LLS_E_UNSUPPORTED, "this backend cannot be migrated to");
    LLS_TRY(kv->ops->stage(kv, spec, out, err));
    (*out)->port = kv->port;
    return LLS_OK;
}

void lls_stage_follow(lls_kv_stage *stage, lls_stage_watch watch)
{
    assert(stage);

    stage->watch = watch;
}

lls_err lls_stage_step(const lls_kv_stage *stage, lls_str coll, uint64_t done, uint64_t total,
                       lls_error *err)
{
    const lls_stage_watch *watch = &stage->watch;

    return watch->step ? watch->step(watch->user, coll, done, total, err) : LLS_OK;
}

lls_err lls_stage_discard(lls_kv *kv, lls_str tenant, lls_str run, lls_error *err)
{
    assert(kv);

    LLS_TRY(check_run(run, err));
    LLS_TRY(lls_tenant_check(tenant, err));
    if (!kv->ops->stage_discard)
        return LLS_OK; // it cannot have a stage
    return kv->ops->stage_discard(kv, tenant, run, err);
}

lls_err lls_stage_last(lls_kv_stage *stage, lls_str coll, lls_buf *key, uint64_t *count,
                       lls_error *err)
{
    assert(stage && key && count);

    return stage->ops->last(stage, coll, key, count, err);
}

lls_err lls_stage_add(lls_kv_stage *stage, lls_str coll, const lls_kv_item *items, size_t count,
                      lls_error *err)
{
    assert(stage);

    for (size_t i = 0; i < count; i++) {
        LLS_TRY(lls_key_check(items[i].key, stage->port, err));
        if (i > 0 && lls_bytes_cmp(items[i - 1].key, items[i].key) >= 0)
            return lls_fail(err, LLS_E_INTERNAL, "keys for the stage do not rise");
    }
    return count ? stage->ops->add(stage, coll, items, count, err) : LLS_OK;
}

lls_err lls_stage_flush(lls_kv_stage *stage, lls_error *err)
{
    assert(stage);

    return stage->ops->flush(stage, err);
}

lls_err lls_stage_prepare(lls_kv_stage *stage, lls_error *err)
{
    assert(stage);

    return stage->ops->prepare(stage, err);
}

lls_err lls_stage_scan(lls_kv_stage *stage, lls_str coll, lls_kv_iter **out, lls_error *err)
{
    assert(stage && out);

    return stage->ops->scan(stage, coll, out, err);
}

lls_err lls_stage_publish(lls_kv_stage *stage, lls_error *err)
{
    assert(stage);

    return stage->ops->publish(stage, err);
}

void lls_stage_close(lls_kv_stage *stage)
{
    if (stage)
        stage->ops->close(stage);
}
