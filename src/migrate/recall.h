/** recall.h - how well searches do on both sides once vectors have moved. */
#ifndef LLS_MIGRATE_RECALL_H
#define LLS_MIGRATE_RECALL_H

#include "migrate/run.h"

/**
 * Bring the target's index up to date, and measure recall in the source and in the target, for
 * parts that live on the vector port. The migration is done by then: what fails here is a warning.
 */
void lls_recall_measure(lls_run *run);

#endif
