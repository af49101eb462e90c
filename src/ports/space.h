/** space.h - what a tenant, a collection and a key may look like: checked once, at the port. */
#ifndef LLS_PORTS_SPACE_H
#define LLS_PORTS_SPACE_H

#include "ports/kv.h"

lls_err lls_tenant_check(lls_str tenant, lls_error *err) LLS_CHECKED;
lls_err lls_space_check(lls_kv_space space, lls_error *err) LLS_CHECKED;
lls_err lls_key_check(lls_bytes key, lls_port port, lls_error *err) LLS_CHECKED;

#endif
