/** journal_entry.h - the bytes of a journal's entry, little-endian. */
#ifndef LLS_MIGRATE_JOURNAL_ENTRY_H
#define LLS_MIGRATE_JOURNAL_ENTRY_H

#include "migrate/journal.h"

void lls_entry_encode(const lls_entry *entry, lls_buf *out);

/** Read the entry at the beginning of `*rest` and step behind it. False: it is none. */
bool lls_entry_decode(lls_bytes *rest, lls_entry *out);

#endif
