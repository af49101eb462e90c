/**
 * migration_bench.h - two stores in this process, filled, a migration between them, and a wire to
 * the target that can be cut.
 */
#ifndef LLS_TESTING_MIGRATION_BENCH_H
#define LLS_TESTING_MIGRATION_BENCH_H

#include "testing/cut.h"
#include "testing/migration.h"

enum { LLS_BENCH_RECORDS = 40, LLS_BENCH_OWN = 9 }; /* in each collection */

typedef struct lls_bench {
    lls_migration m;
    lls_backend *from;
    lls_backend *to;
    lls_cut wire;   /**< Before the target. */
    lls_sum before; /**< What the target held at first. */
    lls_sum source;
} lls_bench;

/** Whether this build has a backend to do it with. */
bool lls_bench_possible(void);

/** A source with LLS_BENCH_RECORDS in each collection, and a target with none. */
void lls_bench_init_empty(lls_bench *b);

/**
 * The same, and the target holds LLS_BENCH_OWN records of its own in each collection; in
 * agent_state also three of the source's records, and three of its keys with other content.
 */
void lls_bench_init(lls_bench *b);

void lls_bench_fini(lls_bench *b);

/** What the target holds after a migration that nobody disturbs. */
lls_sum lls_bench_expected(void);

bool lls_sum_same(lls_sum a, lls_sum b);

/** The target must hold exactly `want`. */
void lls_bench_assert(lls_bench *b, lls_sum want);

/** The target must hold what it held, or exactly `after`. */
void lls_bench_assert_whole(lls_bench *b, lls_sum after);

typedef lls_err (*lls_bench_act)(lls_migration *m, lls_error *err);

/** Cut what `what` does at the `at`th change. False: it was over before. */
bool lls_bench_cut(lls_bench *b, lls_bench_act what, long at, lls_cut_when when);

#endif
