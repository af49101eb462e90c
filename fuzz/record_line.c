/* A line that is read, written and read again is the same record; and any bytes make a line. */
#include "base/scope.h"
#include "fuzz.h"
#include "ports/record.h"

static void read_back(const lls_kv_item *item, lls_line_form form)
{
    LLS_AUTO(lls_buf) line = {0};
    LLS_AUTO(lls_buf) scratch = {0};
    lls_kv_item back;

    lls_record_to_line(item, form, &line);
    must(memchr(line.data, '\n', line.len) == line.data + line.len - 1);
    must(lls_record_from_line(lls_buf_str(&line), &scratch, &back, NULL) == LLS_OK);
    must(lls_bytes_eq(item->key, back.key) && lls_bytes_eq(item->value, back.value));
    if (form == LLS_LINE_FULL)
        must(lls_digest_eq(lls_record_digest(LLS_STR("c"), item),
                           lls_record_digest(LLS_STR("c"), &back)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    LLS_AUTO(lls_buf) scratch = {0};
    lls_kv_item item;

    if (lls_record_from_line(text_of(data, size), &scratch, &item, NULL) == LLS_OK)
        read_back(&item, item.meta.version ? LLS_LINE_FULL : LLS_LINE_PLAIN);
    if (size > 0) {
        size_t key = 1 + data[0] % (size < LLS_KEY_MAX ? size : LLS_KEY_MAX);
        item = (lls_kv_item){.key = {data, key}, .value = {data + key, size - key}};
        read_back(&item, LLS_LINE_PLAIN);
    }
    return 0;
}
