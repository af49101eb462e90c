#include "base/json.h"
#include "base/scope.h"

/* More members than this in one object of a patch: it is no patch, and lookups would be slow. */
enum { PATCH_MEMBERS_MAX = 256 };

/* One pair of objects that is being merged. `target` has no text where the target has no object. */
typedef struct frame {
    lls_json_value target;
    lls_json_value patch;
    lls_json_walk walk;
    bool behind_target; /* the walk is over the patch now */
    bool some;          /* a member was written: the next one needs a comma */
} frame;

typedef struct merger {
    frame frames[LLS_JSON_DEPTH_MAX + 1];
    size_t depth;
    lls_buf name; /* the plain text of the member being looked up */
    lls_buf *out;
} merger;

static bool find(merger *m, lls_json_value object, lls_str raw, lls_json_value *out)
{
    if (object.text.len == 0)
        return false;
    lls_buf_clear(&m->name);
    lls_json_unescape(raw, &m->name);
    return lls_json_member(object, lls_buf_str(&m->name), out);
}

static lls_err check_patch(lls_json_value patch, lls_error *err)
{
    lls_json_walk walk = lls_json_walk_begin(patch);
    lls_json_value value;
    lls_str name;
    size_t count = 0;

    while (lls_json_walk_next(&walk, &name, &value))
        if (++count > PATCH_MEMBERS_MAX)
            return lls_fail(err, LLS_E_INVALID, "patch with more than %d members in one object",
                            PATCH_MEMBERS_MAX);
    return LLS_OK;
}

static lls_err push(merger *m, lls_json_value target, lls_json_value patch, lls_error *err)
{
    LLS_TRY(check_patch(patch, err));
    bool merge = target.type == LLS_JSON_OBJECT && target.text.len > 0;
    frame *f = &m->frames[m->depth++]; // no deeper than the patch, whose depth was checked
    *f = (frame){.patch = patch, .behind_target = !merge};
    if (merge)
        f->target = target;
    f->walk = lls_json_walk_begin(merge ? target : patch);
    lls_buf_add_text(m->out, "{");
    return LLS_OK;
}

static void begin_member(merger *m, frame *f, lls_str raw)
{
    lls_buf_add_text(m->out, f->some ? "," : "");
    f->some = true;
    lls_buf_add_str(m->out, raw);
    lls_buf_add_text(m->out, ":");
}

/* Write the member `raw` as the patch wants it; `old` is what the target has, or has no text. */
static lls_err patched(merger *m, frame *f, lls_str raw, lls_json_value old, lls_json_value new,
                       lls_error *err)
{
    if (new.type == LLS_JSON_NULL)
        return LLS_OK;
    begin_member(m, f, raw);
    if (new.type == LLS_JSON_OBJECT)
        return push(m, old, new, err);
    lls_buf_add_str(m->out, new.text);
    return LLS_OK;
}

/* A doubled member counts once, where its last value stands. */
static lls_err target_member(merger *m, frame *f, lls_str raw, lls_json_value value, lls_error *err)
{
    lls_json_value last;
    lls_json_value new;

    if (!find(m, f->patch, raw, &new)) {
        begin_member(m, f, raw);
        lls_buf_add_str(m->out, value.text);
        return LLS_OK;
    }
    if (find(m, f->target, raw, &last) && last.text.data != value.text.data)
        return LLS_OK;
    return patched(m, f, raw, value, new, err);
}

static lls_err patch_member(merger *m, frame *f, lls_str raw, lls_json_value value, lls_error *err)
{
    lls_json_value other;

    if (find(m, f->target, raw, &other))
        return LLS_OK; // written with the target's members
    if (find(m, f->patch, raw, &other) && other.text.data != value.text.data)
        return LLS_OK;
    return patched(m, f, raw, (lls_json_value){0}, value, err);
}

/* One member of the innermost pair, or its end. */
static lls_err step(merger *m, lls_error *err)
{
    frame *f = &m->frames[m->depth - 1];
    lls_json_value value;
    lls_str raw;

    if (lls_json_walk_next(&f->walk, &raw, &value))
        return f->behind_target ? patch_member(m, f, raw, value, err)
                                : target_member(m, f, raw, value, err);
    if (!f->behind_target) {
        f->behind_target = true;
        f->walk = lls_json_walk_begin(f->patch);
        return LLS_OK;
    }
    lls_buf_add_text(m->out, "}");
    m->depth--;
    return LLS_OK;
}

lls_err lls_json_merge(lls_json_value target, lls_json_value patch, lls_buf *out, lls_error *err)
{
    merger m = {.out = out};
    size_t before = out->len;

    lls_err e = push(&m, target, patch, err);
    while (e == LLS_OK && m.depth > 0) {
        e = step(&m, err);
        if (e == LLS_OK)
            e = lls_buf_status(&m.name, err);
    }
    lls_buf_fini(&m.name);
    if (e == LLS_OK)
        e = lls_buf_status(out, err);
    if (e != LLS_OK)
        out->len = before;
    return e;
}
