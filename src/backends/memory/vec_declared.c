#include "backends/memory/vec_declared.h"

#include "base/big.h"
#include "base/scope.h"
#include "ports/vec_record.h"

/*
 * The key is the name, the model or a NUL and the dimension, and behind a NUL what is declared. No
 * model has a NUL in it. So two declarations under one name stand side by side, until the batch
 * that brought them has ended.
 */
enum { VARIANT = 7, KEY_MAX = LLS_VEC_MODEL_MAX + VARIANT };

/* The value. */
typedef struct body {
    uint64_t count;
    uint64_t bytes;
} body;

/* What all keys of a name begin with. */
static lls_bytes name_of(lls_str model, uint32_t dim, uint8_t room[KEY_MAX])
{
    size_t len = model.len;

    if (len) {
        memcpy(room, model.data, len);
    } else {
        room[0] = 0;
        lls_big_set_u32(room + 1, dim); // the order of stats: by dimension
        len = 5;
    }
    room[len] = 0;
    return (lls_bytes){room, len + 1};
}

static lls_bytes key_of(const lls_vec_space *space, uint8_t room[KEY_MAX])
{
    lls_bytes key = name_of(space->model, space->dim, room);

    lls_big_set_u32(room + key.len, space->dim);
    room[key.len + 4] = (uint8_t)space->metric;
    room[key.len + 5] = space->normalised;
    key.len += VARIANT - 1;
    return key;
}

memory_declared memory_declared_of(const memory_record *record)
{
    lls_bytes key = record->item.key;
    const uint8_t *variant = key.data + key.len - (VARIANT - 1);
    body b;

    memcpy(&b, record->item.value.data, sizeof(b));
    return (memory_declared){
        .space =
            {
                .model = key.data[0] ? (lls_str){(const char *)key.data, key.len - VARIANT}
                                     : (lls_str){0},
                .dim = lls_big_get_u32(variant),
                .metric = (lls_vec_metric)variant[4],
                .normalised = variant[5],
            },
        .count = b.count,
        .bytes = b.bytes,
    };
}

bool memory_declared_find(memory_tree declared, lls_str model, uint32_t dim, memory_declared *out)
{
    uint8_t room[KEY_MAX];

    if (model.len > LLS_VEC_MODEL_MAX)
        return false;
    lls_bytes name = name_of(model, dim, room);
    const memory_record *found = memory_tree_next(declared, name, MEMORY_FROM);
    if (!found || found->item.key.len < name.len ||
        memcmp(found->item.key.data, name.data, name.len) != 0)
        return false;
    *out = memory_declared_of(found);
    return true;
}

/* What is declared exactly like this; none: a count of 0. */
static memory_declared find_like(memory_tree declared, const lls_vec_space *space)
{
    uint8_t room[KEY_MAX];
    const memory_record *found = memory_tree_find(declared, key_of(space, room));

    return found ? memory_declared_of(found) : (memory_declared){.space = *space};
}

/* Let the tree say `d`; a space without records goes. */
static lls_err put(memory_tree *declared, const memory_declared *d, lls_error *err)
{
    uint8_t room[KEY_MAX];
    const lls_kv_meta meta = {.version = 1};
    lls_bytes key = key_of(&d->space, room);
    const body b = {.count = d->count, .bytes = d->bytes};

    if (d->count == 0)
        return memory_tree_remove(declared, key, err);
    memory_record *fresh =
        memory_record_new(key, (lls_bytes){(const uint8_t *)&b, sizeof(b)}, &meta);
    if (!fresh)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    return memory_tree_put(declared, fresh, err);
}

static uint64_t bytes_of(const memory_record *record)
{
    return record->item.key.len + record->item.value.len;
}

lls_err memory_declared_join(memory_tree *declared, const memory_record *record, lls_error *err)
{
    const uint8_t *vector;
    lls_vec_item item;

    lls_vec_record_view(&record->item, &item, &vector);
    memory_declared d = find_like(*declared, &item.space);
    d.count++;
    d.bytes += bytes_of(record);
    d.space = item.space; // the same; its model lives longer than what is replaced
    return put(declared, &d, err);
}

lls_err memory_declared_leave(memory_tree *declared, const memory_record *record, lls_error *err)
{
    const uint8_t *vector;
    lls_vec_item item;

    lls_vec_record_view(&record->item, &item, &vector);
    memory_declared d = find_like(*declared, &item.space);
    if (d.count == 0)
        return LLS_OK;
    d.count--;
    d.bytes -= bytes_of(record);
    d.space = item.space;
    return put(declared, &d, err);
}

/* Two declarations that are neighbours in a tree: of one name, they must be the same. */
typedef struct neighbours {
    memory_tree before;
    memory_declared last;
    bool has_last;
} neighbours;

static lls_err agree(const neighbours *n, const memory_declared *next, lls_error *err)
{
    const lls_vec_space *a = &n->last.space;
    const lls_vec_space *b = &next->space;

    if (!lls_str_eq(a->model, b->model) || (a->model.len == 0 && a->dim != b->dim))
        return LLS_OK;
    bool is_older = find_like(n->before, b).count > 0; // it is what the other differs from
    return is_older ? lls_vec_space_agree(b, a, err) : lls_vec_space_agree(a, b, err);
}

static lls_err meet_neighbour(void *user, const memory_record *record, lls_error *err)
{
    memory_declared next = memory_declared_of(record);
    neighbours *n = user;

    if (n->has_last)
        LLS_TRY(agree(n, &next, err));
    n->last = next;
    n->has_last = true;
    return LLS_OK;
}

lls_err memory_declared_agree(memory_tree before, memory_tree declared, lls_error *err)
{
    neighbours n = {.before = before};

    return memory_tree_each(declared, meet_neighbour, &n, err);
}
