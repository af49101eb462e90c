#include "base/id.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

lls_err lls_id_make(int64_t now_usec, char out[LLS_ID_TEXT], lls_error *err)
{
    uint8_t id[16];
    uint64_t msec = (uint64_t)now_usec / 1000;

    if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
        return lls_fail_sys(err, errno, "random bytes");
    for (int i = 0; i < 6; i++)
        id[i] = (uint8_t)(msec >> (40 - 8 * i));
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x70); // version 7
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80); // variant of RFC 9562
    for (int i = 0; i < 16; i++)
        (void)snprintf(out + (size_t)i * 2, 3, "%02x", id[i]);
    return LLS_OK;
}
