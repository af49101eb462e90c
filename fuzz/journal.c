/* Entries are read from any bytes without harm; what was read is written and read as the same. */
#include "base/scope.h"
#include "fuzz.h"
#include "migrate/journal_entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lls_bytes rest = {data, size};
    lls_entry entry;

    while (rest.len > 0) {
        lls_bytes from = rest;
        if (!lls_entry_decode(&rest, &entry))
            break;
        must(rest.len < from.len);
        LLS_AUTO(lls_buf) first = {0};
        LLS_AUTO(lls_buf) second = {0};
        lls_entry_encode(&entry, &first);
        lls_bytes written = lls_buf_view(&first);
        must(lls_entry_decode(&written, &entry) && written.len == 0);
        lls_entry_encode(&entry, &second);
        must(lls_bytes_eq(lls_buf_view(&first), lls_buf_view(&second)));
    }
    return 0;
}
