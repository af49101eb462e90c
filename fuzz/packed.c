/* MessagePack: a value that is said to be whole can be read, and becomes valid JSON or is refused.
 */
#include "base/packed.h"

#include "base/json.h"
#include "base/scope.h"
#include "fuzz.h"

static void expect_json(const msgpack_object *value)
{
    LLS_AUTO(lls_buf) json = {0};
    lls_json_value checked;

    if (lls_packed_add_json(value, &json) && json.status == LLS_OK)
        must(lls_json_check(lls_buf_str(&json), &checked, NULL) == LLS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lls_bytes rest = {data, size};
    msgpack_unpacked unpacked;
    uint64_t count;
    size_t head;
    bool malformed;

    if (lls_packed_list(rest, &head, &count))
        must(head <= 5);
    while (rest.len > 0) {
        size_t len = lls_packed_length(rest, &malformed);
        must(len <= rest.len);
        if (len == 0)
            break;
        if (lls_packed_open((lls_bytes){rest.data, len}, &unpacked, NULL) == LLS_OK)
            expect_json(&unpacked.data);
        msgpack_unpacked_destroy(&unpacked);
        rest = (lls_bytes){rest.data + len, rest.len - len};
    }
    return 0;
}
