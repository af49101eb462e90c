#include "migrate/mark.h"

#include "base/scope.h"
#include "migrate/lock.h"
#include "ports/note.h"

static lls_bytes mark_key(void)
{
    return lls_bytes_of(LLS_STR("published"));
}

lls_err lls_mark_stage(lls_kv_stage *stage, const char *name, int64_t now_usec, lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};
    uint64_t count = 0;
    LLS_AUTO(lls_buf) value = {0};
    lls_kv_item mark = {
        .key = mark_key(),
        .meta = {.version = 1, .created_usec = now_usec, .updated_usec = now_usec},
    };

    LLS_TRY(lls_stage_last(stage, LLS_STR(LLS_MARK_COLL), &key, &count, err));
    if (count > 0)
        return LLS_OK;
    lls_note_encode(stage->port, lls_str_of(name), &value);
    LLS_TRY(lls_buf_status(&value, err));
    mark.value = lls_buf_view(&value);
    return lls_stage_add(stage, LLS_STR(LLS_MARK_COLL), &mark, 1, err);
}

lls_err lls_mark_read(lls_kv *target, lls_str tenant, lls_buf *out, lls_error *err)
{
    lls_kv_space space = {tenant, LLS_STR(LLS_MARK_COLL)};
    lls_err e = lls_note_get(target, space, mark_key(), out, NULL, err);

    return e == LLS_E_NOTFOUND ? LLS_OK : e;
}

lls_err lls_mark_is(lls_kv *target, lls_str tenant, const char *name, bool *out, lls_error *err)
{
    LLS_AUTO(lls_buf) last = {0};

    LLS_TRY(lls_mark_read(target, tenant, &last, err));
    *out = lls_str_eq(lls_buf_str(&last), lls_str_of(name));
    return LLS_OK;
}
