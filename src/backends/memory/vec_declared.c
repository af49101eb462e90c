#include "backends/memory/vec_declared.h"

#include "base/scope.h"
#include "ports/vec_record.h"

/* The key is the model, or a NUL and the dimension: no model has a NUL in it. */
enum { KEY_MAX = LLS_VEC_MODEL_MAX + 8 };

/* The value: what of a space is not its name. */
typedef struct body {
    uint64_t count;
    uint64_t bytes;
    uint32_t dim;
    uint8_t metric;
    uint8_t normalised;
    uint8_t padding[2];
} body;

static lls_bytes key_of(lls_str model, uint32_t dim, uint8_t room[KEY_MAX])
{
    if (model.len) {
        memcpy(room, model.data, model.len);
        return (lls_bytes){room, model.len};
    }
    room[0] = 0;
    for (size_t i = 0; i < 4; i++) // the order of stats: by dimension
        room[1 + i] = (uint8_t)(dim >> (24 - 8 * i));
    return (lls_bytes){room, 5};
}

memory_declared memory_declared_of(const memory_record *record)
{
    lls_bytes key = record->item.key;
    body b;

    memcpy(&b, record->item.value.data, sizeof(b));
    return (memory_declared){
        .space =
            {
                .model = key.data[0] ? (lls_str){(const char *)key.data, key.len} : (lls_str){0},
                .dim = b.dim,
                .metric = (lls_vec_metric)b.metric,
                .normalised = b.normalised,
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
    const memory_record *found = memory_tree_find(declared, key_of(model, dim, room));
    if (found)
        *out = memory_declared_of(found);
    return found != NULL;
}

/* Let the tree say `d`; a space without records goes. */
static lls_err put(memory_tree *declared, const memory_declared *d, lls_error *err)
{
    uint8_t room[KEY_MAX];
    const lls_kv_meta meta = {.version = 1};
    lls_bytes key = key_of(d->space.model, d->space.dim, room);
    const body b = {.count = d->count,
                    .bytes = d->bytes,
                    .dim = d->space.dim,
                    .metric = (uint8_t)d->space.metric,
                    .normalised = d->space.normalised};

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
    memory_declared d = {0};
    const uint8_t *vector;
    lls_vec_item item;

    lls_vec_record_view(&record->item, &item, &vector);
    if (memory_declared_find(*declared, item.space.model, item.space.dim, &d))
        LLS_TRY(lls_vec_space_agree(&d.space, &item.space, err));
    d.space = item.space;
    d.count++;
    d.bytes += bytes_of(record);
    return put(declared, &d, err);
}

lls_err memory_declared_leave(memory_tree *declared, const memory_record *record, lls_error *err)
{
    memory_declared d = {0};
    const uint8_t *vector;
    lls_vec_item item;

    lls_vec_record_view(&record->item, &item, &vector);
    if (!memory_declared_find(*declared, item.space.model, item.space.dim, &d))
        return LLS_OK;
    d.count--;
    d.bytes -= bytes_of(record);
    d.space = item.space; // the same; its model lives longer than what is replaced
    return put(declared, &d, err);
}
