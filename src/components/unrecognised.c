/*
 * Records that no component understands: what a backend found beside the components' own, and what
 * a migration carries along untouched when it is asked to.
 */
#include "base/scope.h"
#include "store/component.h"

static lls_err check_key(lls_bytes key, lls_error *err)
{
    if (key.len == 0)
        return lls_fail(err, LLS_E_INVALID, "empty key");
    return LLS_OK;
}

static lls_err check_value(lls_bytes value, lls_error *err)
{
    (void)value; // any bytes: nobody knows what they mean
    (void)err;
    return LLS_OK;
}

const lls_component_def lls_component_unrecognised = {
    .name = "unrecognised",
    .summary = "records that no component understands, kept as they are",
    .port = LLS_PORT_KV,
    .collection = "unrecognised",
    .key_form = "<any>",
    .check_key = check_key,
    .check_value = check_value,
};
