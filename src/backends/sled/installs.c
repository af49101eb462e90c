#include "backends/sled/installs.h"

#include "backends/sled/spare.h"
#include "backends/sled/view.h"
#include "base/alloc.h"
#include "base/scope.h"

#include <inttypes.h>
#include <pthread.h>

#define SPARE "unrecognised"

typedef struct installs {
    lls_kv kv;
    const sled_db *db;
    pthread_mutex_t lock;
    bool built; /* under the lock; `rows` does not change afterwards */
    sled_rows rows;
} installs;

typedef struct walk {
    lls_kv_iter it;
    const installs *in;
    int collection; /* -1: what nobody understands; -2: nothing */
    size_t at;      /* of a collection */
    sled_spare *spare;
    lls_buf prefix;
    lls_buf after;
    sled_record record;
} walk;

enum { NOTHING = -2, UNRECOGNISED = -1 };

static lls_err prepare(installs *in, lls_error *err)
{
    (void)pthread_mutex_lock(&in->lock);
    lls_err e = in->built ? LLS_OK : sled_rows_build(in->db, &in->rows, err);
    in->built = e == LLS_OK;
    (void)pthread_mutex_unlock(&in->lock);
    return e;
}

/* Which rows a space has. */
static int collection_of(lls_kv_space space)
{
    if (!lls_str_eq(space.tenant, LLS_STR("default")))
        return NOTHING;
    if (lls_str_eq(space.coll, LLS_STR(SPARE)))
        return UNRECOGNISED;
    int c = sled_rows_collection(space.coll);
    return c < 0 ? NOTHING : c;
}

/* Add the row `prefix` ID to the session, as a member. */
static lls_err add_part(const installs *in, const char *member, lls_str id, lls_buf *session,
                        lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};
    LLS_AUTO(lls_buf) value = {0};

    lls_buf_printf(&key, "%s:", member);
    lls_buf_add_str(&key, id);
    LLS_TRY(lls_buf_status(&key, err));
    if (!sled_rows_find(&in->rows, lls_buf_view(&key)))
        return LLS_OK;
    LLS_TRY(sled_get(in->db, lls_bytes_of(LLS_STR(SLED_DEFAULT_TREE)), lls_buf_view(&key), &value,
                     err));
    session->len--; // its closing bracket
    lls_buf_printf(session, ",\"%s\":", member);
    lls_buf_add(session, lls_buf_view(&value));
    lls_buf_add_text(session, "}");
    return lls_buf_status(session, err);
}

/* Fetch and decode the record of `row`. */
static lls_err fetch(const installs *in, const sled_row *row, sled_record *out, lls_error *err)
{
    LLS_AUTO(lls_buf) value = {0};
    lls_bytes raw = sled_row_raw(&in->rows, row);

    LLS_TRY(sled_get(in->db, lls_bytes_of(LLS_STR(SLED_DEFAULT_TREE)), raw, &value, err));
    LLS_TRY(sled_record_decode(row->kind, raw, lls_buf_view(&value), out, err));
    if (!row->packed)
        return LLS_OK;
    const size_t prefix = sizeof("session:") - 1;
    lls_str id = {(const char *)raw.data + prefix, raw.len - prefix};
    LLS_TRY(add_part(in, "session_metadata", id, &out->value, err));
    return add_part(in, "session_correlation", id, &out->value, err);
}

static lls_kv_meta meta_of(const sled_record *record)
{
    return (lls_kv_meta){
        .version = 1, .created_usec = record->created_usec, .updated_usec = record->updated_usec};
}

static lls_err get(lls_kv *kv, lls_kv_space space, lls_bytes key, lls_buf *out, lls_kv_meta *meta,
                   lls_error *err)
{
    installs *in = LLS_OUTER(kv, installs, kv);
    LLS_AUTO(sled_record) record = {0};
    int c = collection_of(space);

    if (c == NOTHING)
        return LLS_E_NOTFOUND;
    LLS_TRY(prepare(in, err));
    *meta = (lls_kv_meta){.version = 1};
    if (c == UNRECOGNISED)
        return sled_spare_get(in->db, &in->rows, key, out, err);
    size_t at = sled_rows_seek(&in->rows, c, key);
    if (at == in->rows.counts[c])
        return LLS_E_NOTFOUND;
    const sled_row *row = &in->rows.rows[in->rows.order[c][at]];
    if (!lls_bytes_eq(sled_row_clean(&in->rows, row), key))
        return LLS_E_NOTFOUND;
    LLS_TRY(fetch(in, row, &record, err));
    *meta = meta_of(&record);
    lls_buf_add(out, lls_buf_view(&record.value));
    return LLS_OK;
}

static lls_err next_entry(walk *w, lls_kv_item *item, lls_error *err)
{
    const installs *in = w->in;

    if (w->collection == NOTHING)
        return LLS_END;
    item->meta = (lls_kv_meta){.version = 1};
    if (w->collection == UNRECOGNISED)
        return sled_spare_next(w->spare, &item->key, &item->value, err);
    if (w->at == in->rows.counts[w->collection])
        return LLS_END;
    LLS_TRY(fetch(in, &in->rows.rows[in->rows.order[w->collection][w->at]], &w->record, err));
    w->at++;
    item->key = lls_buf_view(&w->record.key);
    item->value = lls_buf_view(&w->record.value);
    item->meta = meta_of(&w->record);
    return LLS_OK;
}

static lls_err next(lls_kv_iter *it, lls_kv_item *item, lls_error *err)
{
    walk *w = LLS_OUTER(it, walk, it);

    do
        LLS_TRY(next_entry(w, item, err));
    while (w->after.len > 0 && lls_bytes_cmp(item->key, lls_buf_view(&w->after)) <= 0);
    if (!lls_bytes_has_prefix(item->key, lls_buf_view(&w->prefix))) {
        w->collection = NOTHING; // the keys rise: none has the prefix any more
        return LLS_END;
    }
    return LLS_OK;
}

static void close_walk(lls_kv_iter *it)
{
    walk *w = LLS_OUTER(it, walk, it);

    sled_spare_close(w->spare);
    sled_record_fini(&w->record);
    lls_buf_fini(&w->prefix);
    lls_buf_fini(&w->after);
    lls_free(w);
}

static const lls_kv_iter_ops walk_ops = {.next = next, .close = close_walk};

static lls_err open_walk(installs *in, lls_kv_range range, walk *w, lls_error *err)
{
    lls_bytes from = lls_bytes_cmp(range.after, range.prefix) > 0 ? range.after : range.prefix;

    lls_buf_add(&w->prefix, range.prefix);
    lls_buf_add(&w->after, range.after);
    LLS_TRY(lls_buf_status(&w->prefix, err));
    LLS_TRY(lls_buf_status(&w->after, err));
    if (w->collection == NOTHING)
        return LLS_OK;
    LLS_TRY(prepare(in, err));
    if (w->collection == UNRECOGNISED)
        return sled_spare_open(in->db, &in->rows, from, &w->spare, err);
    w->at = sled_rows_seek(&in->rows, w->collection, from);
    return LLS_OK;
}

static lls_err scan(lls_kv *kv, lls_kv_space space, lls_kv_range range, lls_kv_iter **out,
                    lls_error *err)
{
    installs *in = LLS_OUTER(kv, installs, kv);
    walk *w = lls_alloc(sizeof(*w));

    if (!w)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    w->it.ops = &walk_ops;
    w->in = in;
    w->collection = collection_of(space);
    lls_err e = open_walk(in, range, w, err);
    if (e == LLS_OK)
        *out = &w->it;
    else
        close_walk(&w->it);
    return e;
}

static lls_err refuse(const installs *in, lls_error *err)
{
    return lls_fail(err, LLS_E_DENIED,
                    "'%s' holds data that another program wrote, and is only read: move it with "
                    "'llmspell storage migrate plan --from sled --to lmdb'",
                    sled_path(in->db));
}

static lls_err apply(lls_kv *kv, lls_str tenant, int64_t now_usec, const lls_kv_write *writes,
                     size_t count, lls_error *err)
{
    (void)tenant;
    (void)now_usec;
    (void)writes;
    (void)count;
    return refuse(LLS_OUTER(kv, installs, kv), err);
}

static lls_err clear(lls_kv *kv, lls_kv_space space, lls_error *err)
{
    (void)space;
    return refuse(LLS_OUTER(kv, installs, kv), err);
}

static const lls_kv_ops installs_ops = {.get = get, .apply = apply, .scan = scan, .clear = clear};

lls_err sled_installs_open(const sled_db *db, lls_kv **out, lls_error *err)
{
    installs *in = lls_alloc(sizeof(*in));

    if (!in)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    in->kv.ops = &installs_ops;
    in->db = db;
    (void)pthread_mutex_init(&in->lock, NULL);
    *out = &in->kv;
    return LLS_OK;
}

void sled_installs_close(lls_kv *kv)
{
    if (!kv)
        return;
    installs *in = LLS_OUTER(kv, installs, kv);
    sled_rows_fini(&in->rows);
    (void)pthread_mutex_destroy(&in->lock);
    lls_free(in);
}

/* Several kinds have one name: the first of them tells of all. */
static lls_err tell_kind(const sled_rows *rows, sled_kind kind, lls_fact_fn each, void *user,
                         lls_error *err)
{
    LLS_AUTO(lls_buf) name = {0};
    LLS_AUTO(lls_buf) count = {0};
    uint64_t sum = 0;

    for (sled_kind other = 0; other < SLED_KINDS; other++) {
        if (strcmp(sled_kind_name(other), sled_kind_name(kind)) != 0)
            continue;
        if (other < kind)
            return LLS_OK;
        sum += rows->unrecognised[other];
    }
    if (sum == 0)
        return LLS_OK;
    lls_buf_printf(&name, "unrecognised_%s", sled_kind_name(kind));
    lls_buf_printf(&count, "%" PRIu64, sum);
    LLS_TRY(lls_buf_status(&name, err));
    LLS_TRY(lls_buf_status(&count, err));
    each(user, lls_buf_cstr(&name), lls_buf_cstr(&count));
    return LLS_OK;
}

lls_err sled_installs_facts(lls_kv *kv, lls_fact_fn each, void *user, lls_error *err)
{
    installs *in = LLS_OUTER(kv, installs, kv);

    LLS_TRY(prepare(in, err));
    for (sled_kind kind = 0; kind < SLED_KINDS; kind++)
        LLS_TRY(tell_kind(&in->rows, kind, each, user, err));
    return LLS_OK;
}
