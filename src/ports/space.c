#include "ports/space.h"

#include "base/json.h"
#include "base/scope.h"
#include "ports/vec.h"

/* Every call passes here: the loops look at each character once, without a branch. */

lls_err lls_tenant_check(lls_str tenant, lls_error *err)
{
    if (tenant.len == 0)
        return lls_fail(err, LLS_E_INVALID, "empty tenant");
    if (tenant.len > LLS_TENANT_MAX)
        return lls_fail(err, LLS_E_INVALID, "tenant of %zu bytes is over the limit of %d",
                        tenant.len, LLS_TENANT_MAX);
    unsigned char all = 0;
    unsigned control = 0;
    for (size_t i = 0; i < tenant.len; i++) {
        unsigned char c = (unsigned char)tenant.data[i];
        control |= (unsigned)(c < 0x20) | (unsigned)(c == 0x7f);
        all |= c;
    }
    if (control)
        return lls_fail(err, LLS_E_INVALID, "tenant with a control character");
    if (all >= 0x80 && !lls_utf8_check(lls_bytes_of(tenant)))
        return lls_fail(err, LLS_E_INVALID, "tenant is not UTF-8");
    return LLS_OK;
}

static bool collection_is_good(lls_str coll)
{
    if (coll.len == 0 || coll.len > LLS_COLL_MAX || coll.data[0] < 'a' || coll.data[0] > 'z')
        return false;
    unsigned good = 1;
    for (size_t i = 0; i < coll.len; i++) {
        unsigned c = (unsigned char)coll.data[i];
        good &= (unsigned)(c - 'a' < 26) | (unsigned)(c - '0' < 10) | (unsigned)(c == '_');
    }
    return good;
}

lls_err lls_space_check(lls_kv_space space, lls_error *err)
{
    LLS_TRY(lls_tenant_check(space.tenant, err));
    if (!collection_is_good(space.coll))
        return lls_fail(err, LLS_E_INVALID, "'" LLS_FMT "' is not the name of a collection",
                        LLS_ARG(space.coll));
    return LLS_OK;
}

lls_err lls_key_check(lls_bytes key, lls_port port, lls_error *err)
{
    int most = port == LLS_PORT_VEC ? LLS_VEC_ID_MAX : LLS_KEY_MAX;

    if (key.len == 0)
        return lls_fail(err, LLS_E_INVALID, "empty key");
    if (key.len > (size_t)most)
        return lls_fail(err, LLS_E_INVALID, "key of %zu bytes is over the limit of %d", key.len,
                        most);
    return LLS_OK;
}
