/* A value that is read as a vector record is written as the same bytes; any other is refused. */
#include "ports/vec_record.h"

#include "base/scope.h"
#include "fuzz.h"

static void expect_view(const lls_kv_item *item, const lls_vec_item *want)
{
    const uint8_t *vector;
    lls_vec_item got;

    lls_vec_record_view(item, &got, &vector);
    must(lls_str_eq(got.space.model, want->space.model) && got.space.dim == want->space.dim);
    must(lls_str_eq(got.scope, want->scope) && lls_str_eq(got.text, want->text));
    must(lls_str_eq(got.metadata, want->metadata) && got.event_usec == want->event_usec);
    must(vector + got.space.dim * sizeof(float) == item->value.data + item->value.len);
}

static void decode(lls_bytes value)
{
    LLS_AUTO(lls_buf) floats = {0};
    LLS_AUTO(lls_buf) again = {0};
    const lls_kv_item item = {{(const uint8_t *)"id", 2}, value, {.version = 1}};
    lls_vec_item record;
    lls_error err = {0};

    if (lls_vec_record_decode(&item, &floats, &record, &err) != LLS_OK) {
        must(err.code == LLS_E_CORRUPT && err.msg[0] != '\0');
        return;
    }
    must(lls_vec_item_check(&record, NULL) == LLS_OK);
    lls_vec_record_encode(&record, &again);
    must(lls_bytes_eq(lls_buf_view(&again), value));
    expect_view(&item, &record);
}

/* Make a record whose fields are parts of the input: what may be stored is read back. */
static void encode(const uint8_t *data, size_t size)
{
    LLS_AUTO(lls_buf) value = {0};
    float vector[4] = {1, 0, 0, 0};
    lls_vec_item item = {.id = {(const uint8_t *)"id", 2}, .vector = vector};
    size_t cut = size ? data[0] % size : 0;

    if (size >= sizeof(vector))
        memcpy(vector, data, sizeof(vector));
    item.space.dim = (uint32_t)(size % 5);
    item.space.metric = (lls_vec_metric)(size ? data[size - 1] % 4 : 0);
    item.text = text_of(data, cut);
    item.metadata = text_of(data + cut, size - cut);
    if (item.space.dim == 0)
        item.space = (lls_vec_space){0};
    if (lls_vec_item_check(&item, NULL) != LLS_OK)
        return;
    lls_vec_record_encode(&item, &value);
    LLS_AUTO(lls_buf) floats = {0};
    const lls_kv_item kept = {{(const uint8_t *)"id", 2}, lls_buf_view(&value), {.version = 1}};
    lls_vec_item back;
    must(lls_vec_record_decode(&kept, &floats, &back, NULL) == LLS_OK);
    must(lls_str_eq(back.text, item.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode((lls_bytes){data, size});
    encode(data, size);
    return 0;
}
