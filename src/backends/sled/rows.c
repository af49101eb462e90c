#define _GNU_SOURCE // qsort_r
#include "backends/sled/rows.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/scope.h"

#include <stdlib.h>

static const char *const collections[SLED_COLLECTIONS] = {"agent_state", "workflow_state",
                                                          "sessions"};

int sled_rows_collection(lls_str coll)
{
    for (int i = 0; i < SLED_COLLECTIONS; i++)
        if (lls_str_eq(coll, lls_str_of(collections[i])))
            return i;
    return -1;
}

lls_bytes sled_row_raw(const sled_rows *rows, const sled_row *row)
{
    return (lls_bytes){rows->keys.data + row->raw_at, row->raw_len};
}

lls_bytes sled_row_clean(const sled_rows *rows, const sled_row *row)
{
    return (lls_bytes){rows->keys.data + row->clean_at, row->clean_len};
}

const sled_row *sled_rows_find(const sled_rows *rows, lls_bytes raw)
{
    size_t low = 0;
    size_t high = rows->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = lls_bytes_cmp(sled_row_raw(rows, &rows->rows[middle]), raw);
        if (order == 0)
            return &rows->rows[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

size_t sled_rows_seek(const sled_rows *rows, int collection, lls_bytes key)
{
    size_t low = 0;
    size_t high = rows->counts[collection];

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const sled_row *row = &rows->rows[rows->order[collection][middle]];
        if (lls_bytes_cmp(sled_row_clean(rows, row), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static lls_err no_memory(lls_error *err)
{
    return lls_fail(err, LLS_E_NOMEM, "no memory for the keys of the database");
}

static lls_err keep_key(sled_rows *rows, lls_bytes key, uint64_t *at, uint32_t *len, lls_error *err)
{
    *at = rows->keys.len;
    *len = (uint32_t)key.len;
    lls_buf_add(&rows->keys, key);
    return lls_buf_status(&rows->keys, err);
}

static lls_err add_row(sled_rows *rows, sled_row row, lls_bytes raw, lls_bytes clean,
                       lls_error *err)
{
    if (rows->count == rows->cap) {
        size_t cap = rows->cap ? rows->cap * 2 : 256;
        sled_row *grown = lls_resize(rows->rows, cap * sizeof(*grown));
        if (!grown)
            return no_memory(err);
        rows->rows = grown;
        rows->cap = cap;
    }
    LLS_TRY(keep_key(rows, raw, &row.raw_at, &row.raw_len, err));
    LLS_TRY(keep_key(rows, clean, &row.clean_at, &row.clean_len, err));
    rows->rows[rows->count++] = row;
    return LLS_OK;
}

static bool is_object(lls_bytes value)
{
    lls_json_value object;

    return value.len > 0 &&
           lls_json_check((lls_str){(const char *)value.data, value.len}, &object, NULL) ==
               LLS_OK &&
           object.type == LLS_JSON_OBJECT;
}

/* Whether there is a packed session that this row goes into. Sessions sort before their parts. */
static bool has_session(const sled_rows *rows, sled_kind kind, lls_bytes key)
{
    const char *prefix = kind == SLED_SESSION_META ? "session_metadata:" : "session_correlation:";
    size_t len = strlen(prefix);
    LLS_AUTO(lls_buf) raw = {0};

    lls_buf_add_text(&raw, "session:");
    lls_buf_add(&raw, (lls_bytes){key.data + len, key.len - len});
    const sled_row *session = sled_rows_find(rows, lls_buf_view(&raw));
    return session && session->packed;
}

static lls_err take_row(sled_rows *rows, lls_bytes key, lls_bytes value, sled_record *record,
                        lls_error *err)
{
    sled_kind kind = sled_kind_of(key, value);
    sled_row row = {.kind = kind};

    if (kind == SLED_SESSION_META || kind == SLED_SESSION_LINK) {
        if (is_object(value) && has_session(rows, kind, key))
            return add_row(rows, row, key, (lls_bytes){0}, err);
    } else if (sled_kind_collection(kind)) {
        lls_err e = sled_record_decode(kind, key, value, record, err);
        if (e == LLS_OK && record->key.len <= LLS_KEY_MAX) {
            row.updated_usec = record->updated_usec;
            row.packed = kind == SLED_SESSION && !is_object(value);
            return add_row(rows, row, key, lls_buf_view(&record->key), err);
        }
        if (e == LLS_E_NOMEM)
            return e;
    }
    rows->unrecognised[kind]++;
    return LLS_OK;
}

static lls_err take_long(sled_rows *rows, size_t tree, lls_bytes name, lls_bytes key,
                         lls_error *err)
{
    const lls_bytes parts[] = {name, key};
    sled_long_row row = {.digest = lls_digest_of(parts, 2), .tree = tree};

    if (rows->long_count == rows->long_cap) {
        size_t cap = rows->long_cap ? rows->long_cap * 2 : 64;
        sled_long_row *grown = lls_resize(rows->longs, cap * sizeof(*grown));
        if (!grown)
            return no_memory(err);
        rows->longs = grown;
        rows->long_cap = cap;
    }
    LLS_TRY(keep_key(rows, key, &row.key_at, &row.key_len, err));
    rows->longs[rows->long_count++] = row;
    return LLS_OK;
}

static lls_err walk_tree(const sled_db *db, size_t number, lls_bytes name, sled_rows *rows,
                         lls_error *err)
{
    LLS_AUTO(sled_cursor_ref) cursor = NULL;
    LLS_AUTO(sled_record) record = {0};
    bool is_default = lls_bytes_eq(name, lls_bytes_of(LLS_STR(SLED_DEFAULT_TREE)));
    lls_bytes key;
    lls_bytes value;
    lls_err e;

    LLS_TRY(sled_cursor_open(db, name, (lls_bytes){0}, &cursor, err));
    while ((e = sled_cursor_next(cursor, &key, &value, err)) == LLS_OK) {
        if (sled_name_form(name, key) == SLED_NAME_LONG)
            LLS_TRY(take_long(rows, number, name, key, err));
        if (is_default)
            LLS_TRY(take_row(rows, key, value, &record, err));
        else
            rows->unrecognised[SLED_OTHER]++;
    }
    return e == LLS_END ? LLS_OK : e;
}

static int by_digest(const void *a, const void *b)
{
    const sled_long_row *x = a;
    const sled_long_row *y = b;

    if (x->digest.high != y->digest.high)
        return x->digest.high < y->digest.high ? -1 : 1;
    return (x->digest.low > y->digest.low) - (x->digest.low < y->digest.low);
}

/* By clean key; of equals the one that is to be kept comes first: the newest, then the documented.
 */
static int by_clean_key(const void *a, const void *b, void *user)
{
    const sled_rows *rows = user;
    const sled_row *x = &rows->rows[*(const uint32_t *)a];
    const sled_row *y = &rows->rows[*(const uint32_t *)b];
    int order = lls_bytes_cmp(sled_row_clean(rows, x), sled_row_clean(rows, y));

    if (order != 0)
        return order;
    if (x->updated_usec != y->updated_usec)
        return x->updated_usec > y->updated_usec ? -1 : 1;
    return (x->kind > y->kind) - (x->kind < y->kind);
}

/* Of rows that became records of one key the first is kept. */
static void drop_doubles(sled_rows *rows, int c)
{
    uint32_t *order = rows->order[c];
    size_t kept = 0;

    for (size_t i = 0; i < rows->counts[c]; i++) {
        sled_row *row = &rows->rows[order[i]];
        if (kept > 0 && lls_bytes_eq(sled_row_clean(rows, row),
                                     sled_row_clean(rows, &rows->rows[order[kept - 1]]))) {
            row->lost = true;
            rows->doubled++;
            rows->unrecognised[row->kind]++;
        } else {
            order[kept++] = order[i];
        }
    }
    rows->counts[c] = kept;
}

static lls_err sort_collection(sled_rows *rows, int c, lls_error *err)
{
    rows->order[c] = lls_alloc(rows->count * sizeof(uint32_t));
    if (!rows->order[c])
        return no_memory(err);
    for (size_t i = 0; i < rows->count; i++) {
        const char *coll = sled_kind_collection(rows->rows[i].kind);
        if (coll && strcmp(coll, collections[c]) == 0)
            rows->order[c][rows->counts[c]++] = (uint32_t)i;
    }
    if (rows->counts[c] > 1)
        qsort_r(rows->order[c], rows->counts[c], sizeof(uint32_t), by_clean_key, rows);
    drop_doubles(rows, c);
    return LLS_OK;
}

static lls_err build(const sled_db *db, sled_rows *rows, lls_error *err)
{
    lls_bytes name;

    rows->keys.max = SIZE_MAX / 4;
    for (size_t i = 0; sled_tree_at(db, i, &name) == LLS_OK; i++)
        LLS_TRY(walk_tree(db, i, name, rows, err));
    if (rows->count > UINT32_MAX)
        return lls_fail(err, LLS_E_UNSUPPORTED, "more than 4,294,967,295 records");
    if (rows->long_count > 1)
        qsort(rows->longs, rows->long_count, sizeof(*rows->longs), by_digest);
    for (int c = 0; c < SLED_COLLECTIONS; c++)
        LLS_TRY(sort_collection(rows, c, err));
    return LLS_OK;
}

lls_err sled_rows_build(const sled_db *db, sled_rows *out, lls_error *err)
{
    *out = (sled_rows){0};
    lls_err e = build(db, out, err);
    if (e != LLS_OK)
        sled_rows_fini(out);
    return e;
}

void sled_rows_fini(sled_rows *rows)
{
    for (int c = 0; c < SLED_COLLECTIONS; c++)
        lls_free(rows->order[c]);
    lls_free(rows->rows);
    lls_free(rows->longs);
    lls_buf_fini(&rows->keys);
    *rows = (sled_rows){0};
}
