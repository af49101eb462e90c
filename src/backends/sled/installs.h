/**
 * installs.h - the key/value port over a database that another program wrote: clean records of the
 * components that understand them, and all else in the collection "unrecognised". Tenant "default"
 * only; nothing is written.
 */
#ifndef LLS_BACKENDS_SLED_INSTALLS_H
#define LLS_BACKENDS_SLED_INSTALLS_H

#include "backends/sled/reader.h"
#include "ports/backend.h"

/** Open. `db` stays the caller's and outlives `*out`. Nothing is read yet. */
lls_err sled_installs_open(const sled_db *db, lls_kv **out, lls_error *err) LLS_CHECKED;
void sled_installs_close(lls_kv *kv); /**< NULL is fine. */

/** Tell how many rows of each kind no component understands. */
lls_err sled_installs_facts(lls_kv *kv, lls_fact_fn each, void *user, lls_error *err) LLS_CHECKED;

#endif
