#include "backends/hnsw/traits.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/scope.h"

enum { KEY_MAX = 512, MEMBERS_MAX = 64 };

/* A key, and who has it. */
typedef struct entry {
    uint32_t *docs;
    size_t count;
    size_t cap;
    size_t key_len;
    uint8_t key[];
} entry;

struct hnsw_traits {
    entry **table;
    size_t cap; /* a power of two */
    size_t used;
    uint64_t bytes;
    entry *odd;
};

void hnsw_traits_free(hnsw_traits *traits)
{
    if (!traits)
        return;
    for (size_t i = 0; i < traits->cap; i++) {
        if (traits->table[i])
            lls_free(traits->table[i]->docs);
        lls_free(traits->table[i]);
    }
    if (traits->odd)
        lls_free(traits->odd->docs);
    lls_free(traits->odd);
    lls_free(traits->table);
    lls_free(traits);
}

uint64_t hnsw_traits_bytes(const hnsw_traits *traits)
{
    return traits ? traits->bytes : 0;
}

/* ---- the table ---- */

static size_t place_of(entry *const *table, size_t cap, lls_bytes key)
{
    size_t at = lls_checksum(&key, 1) & (cap - 1);

    while (table[at] && !lls_bytes_eq((lls_bytes){table[at]->key, table[at]->key_len}, key))
        at = (at + 1) & (cap - 1);
    return at;
}

static bool grow(hnsw_traits *traits)
{
    if ((traits->used + 1) * 2 <= traits->cap)
        return true;
    size_t cap = traits->cap ? traits->cap * 2 : 256;
    entry **grown = lls_alloc(cap * sizeof(entry *));
    if (!grown)
        return false;
    for (size_t i = 0; i < traits->cap; i++) {
        entry *e = traits->table[i];
        if (e)
            grown[place_of(grown, cap, (lls_bytes){e->key, e->key_len})] = e;
    }
    lls_free(traits->table);
    traits->table = grown;
    traits->cap = cap;
    return true;
}

static entry *new_entry(hnsw_traits *traits, lls_bytes key)
{
    entry *e = lls_alloc(sizeof(*e) + key.len);

    if (!e)
        return NULL;
    e->key_len = key.len;
    if (key.len)
        memcpy(e->key, key.data, key.len);
    traits->bytes += sizeof(*e) + key.len;
    return e;
}

static bool append(hnsw_traits *traits, entry *e, uint32_t doc)
{
    if (e->count && e->docs[e->count - 1] == doc)
        return true;
    if (e->count == e->cap) {
        size_t cap = e->cap ? e->cap * 2 : 4;
        uint32_t *docs = lls_resize(e->docs, cap * sizeof(*docs));
        if (!docs)
            return false;
        traits->bytes += (cap - e->cap) * sizeof(*docs);
        e->docs = docs;
        e->cap = cap;
    }
    e->docs[e->count++] = doc;
    return true;
}

static bool add(hnsw_traits *traits, lls_bytes key, uint32_t doc)
{
    if (!grow(traits))
        return false;
    size_t at = place_of(traits->table, traits->cap, key);
    if (!traits->table[at]) {
        traits->table[at] = new_entry(traits, key);
        if (!traits->table[at])
            return false;
        traits->used++;
    }
    return append(traits, traits->table[at], doc);
}

static hnsw_trait look_up(const hnsw_traits *traits, lls_bytes key)
{
    const entry *e = traits->cap ? traits->table[place_of(traits->table, traits->cap, key)] : NULL;

    return e ? (hnsw_trait){e->docs, e->count} : (hnsw_trait){0};
}

/* ---- keys ---- */

static void scope_key(lls_str scope, lls_buf *key)
{
    lls_buf_clear(key);
    lls_buf_add_text(key, "s");
    lls_buf_add_str(key, scope);
}

/* A scalar so that equal ones have equal bytes. */
static lls_err value_key(lls_str name, const lls_json_value *value, lls_buf *key, lls_error *err)
{
    double number;

    lls_buf_clear(key);
    lls_buf_printf(key, "m%zu:", name.len);
    lls_buf_add_str(key, name);
    if (value->type == LLS_JSON_NUMBER) {
        LLS_TRY(lls_json_number(value->text, &number, err));
        number = number == 0 ? 0 : number; // -0 is 0
        lls_buf_add_text(key, "n");
        lls_buf_add(key, (lls_bytes){(const uint8_t *)&number, sizeof(number)});
    } else if (value->type == LLS_JSON_STRING) {
        lls_buf_add_text(key, "s");
        lls_json_unescape(value->text, key);
    } else {
        lls_buf_add_text(key, "v");
        lls_buf_add_str(key, value->text);
    }
    return lls_buf_status(key, err);
}

static bool is_scalar(const lls_json_value *value)
{
    return value->type != LLS_JSON_ARRAY && value->type != LLS_JSON_OBJECT;
}

/* ---- learning ---- */

typedef struct learner {
    hnsw_traits *traits;
    uint32_t doc;
    bool odd;
    lls_buf name;
    lls_buf key;
} learner;

static lls_err learn_member(learner *l, lls_str raw, const lls_json_value *value, lls_error *err)
{
    lls_buf_clear(&l->name);
    lls_json_unescape(raw, &l->name);
    LLS_TRY(value_key(lls_buf_str(&l->name), value, &l->key, err));
    if (l->key.len > KEY_MAX) {
        l->odd = true;
        return LLS_OK;
    }
    return add(l->traits, lls_buf_view(&l->key), l->doc)
               ? LLS_OK
               : lls_fail(err, LLS_E_NOMEM, "out of memory");
}

/* Of doubled members the last one counts: others are not listed. */
static lls_err learn_metadata(learner *l, lls_str metadata, lls_error *err)
{
    lls_json_value object;
    lls_json_value value;
    lls_json_value last;
    size_t members = 0;
    lls_str raw;

    LLS_TRY(lls_json_check(metadata, &object, err));
    lls_json_walk walk = lls_json_walk_begin(object);
    while (lls_json_walk_next(&walk, &raw, &value)) {
        if (++members > MEMBERS_MAX) {
            l->odd = true;
            return LLS_OK;
        }
        if (!is_scalar(&value))
            continue;
        lls_buf_clear(&l->name);
        lls_json_unescape(raw, &l->name);
        LLS_TRY(lls_buf_status(&l->name, err));
        if (lls_json_member(object, lls_buf_str(&l->name), &last) &&
            last.text.data == value.text.data)
            LLS_TRY(learn_member(l, raw, &value, err));
    }
    return LLS_OK;
}

static lls_err learn_item(learner *l, const lls_vec_item *item, lls_error *err)
{
    scope_key(item->scope, &l->key);
    LLS_TRY(lls_buf_status(&l->key, err));
    if (!add(l->traits, lls_buf_view(&l->key), l->doc))
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    if (!lls_str_eq(item->metadata, LLS_STR("{}")))
        LLS_TRY(learn_metadata(l, item->metadata, err));
    if (l->odd && !append(l->traits, l->traits->odd, l->doc))
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    return LLS_OK;
}

static lls_err learn(const hnsw_coll *coll, hnsw_traits *traits, uint32_t doc, lls_error *err)
{
    learner l = {.traits = traits, .doc = doc};
    hnsw_record record;
    lls_vec_item item;

    hnsw_coll_record(coll, doc, &record);
    LLS_TRY(hnsw_coll_item(coll, &record, false, NULL, &item, err));
    lls_err e = learn_item(&l, &item, err);
    lls_buf_fini(&l.name);
    lls_buf_fini(&l.key);
    return e;
}

lls_err hnsw_traits_learn(hnsw_coll *coll, uint32_t doc, lls_error *err)
{
    return coll->traits ? learn(coll, coll->traits, doc, err) : LLS_OK;
}

static lls_err make(const hnsw_coll *coll, hnsw_traits **out, lls_error *err)
{
    hnsw_traits *traits = lls_alloc(sizeof(*traits));
    lls_err e = LLS_OK;

    if (!traits)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    traits->odd = new_entry(traits, (lls_bytes){0});
    if (!traits->odd)
        e = lls_fail(err, LLS_E_NOMEM, "out of memory");
    for (uint32_t doc = 0; e == LLS_OK && doc < hnsw_coll_docs(coll); doc++)
        if (hnsw_coll_lives(coll, doc))
            e = learn(coll, traits, doc, err);
    if (e == LLS_OK)
        *out = traits;
    else
        hnsw_traits_free(traits);
    return e;
}

lls_err hnsw_traits_ready(hnsw_coll *coll, lls_error *err)
{
    lls_err e = LLS_OK;

    (void)pthread_mutex_lock(&coll->making);
    if (!coll->traits)
        e = make(coll, &coll->traits, err);
    (void)pthread_mutex_unlock(&coll->making);
    return e;
}

/* ---- asking ---- */

bool hnsw_traits_scope(const hnsw_traits *traits, lls_str scope, hnsw_trait *out)
{
    LLS_AUTO(lls_buf) key = {0};

    scope_key(scope, &key);
    *out = look_up(traits, lls_buf_view(&key));
    return key.status == LLS_OK;
}

hnsw_trait hnsw_traits_odd(const hnsw_traits *traits)
{
    return (hnsw_trait){traits->odd->docs, traits->odd->count};
}

bool hnsw_traits_value(const hnsw_traits *traits, lls_str name, lls_str value, hnsw_trait *out)
{
    LLS_AUTO(lls_buf) key = {0};
    lls_json_value scalar;

    if (lls_json_check(value, &scalar, NULL) != LLS_OK || !is_scalar(&scalar) ||
        value_key(name, &scalar, &key, NULL) != LLS_OK || key.len > KEY_MAX)
        return false;
    *out = look_up(traits, lls_buf_view(&key));
    return true;
}
