#include "ports/space.h"

#include "base/json.h"
#include "base/scope.h"
#include "ports/vec.h"

lls_err lls_tenant_check(lls_str tenant, lls_error *err)
{
    if (tenant.len == 0)
        return lls_fail(err, LLS_E_INVALID, "empty tenant");
    if (tenant.len > LLS_TENANT_MAX)
        return lls_fail(err, LLS_E_INVALID, "tenant of %zu bytes is over the limit of %d",
                        tenant.len, LLS_TENANT_MAX);
    unsigned char all = 0;
    for (size_t i = 0; i < tenant.len; i++) {
        unsigned char c = (unsigned char)tenant.data[i];
        if (c < 0x20 || c == 0x7f)
            return lls_fail(err, LLS_E_INVALID, "tenant with a control character");
        all |= c;
    }
    if (all >= 0x80 && !lls_utf8_check(lls_bytes_of(tenant))) // every call passes here
        return lls_fail(err, LLS_E_INVALID, "tenant is not UTF-8");
    return LLS_OK;
}

static bool collection_is_good(lls_str coll)
{
    if (coll.len == 0 || coll.len > LLS_COLL_MAX || coll.data[0] < 'a' || coll.data[0] > 'z')
        return false;
    for (size_t i = 0; i < coll.len; i++) {
        char c = coll.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
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
