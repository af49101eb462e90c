/** phase.h - the life of a run as a table of moves. What is not in it cannot happen. */
#ifndef LLS_MIGRATE_PHASE_H
#define LLS_MIGRATE_PHASE_H

#include <llmspell/migrate.h>

#define LLS_PHASES ((unsigned)LLS_PHASE_UNDONE + 1)

/** Whether a run in phase `from` may enter `to`. */
bool lls_phase_may_follow(lls_phase from, lls_phase to);

/** Whether nothing is left to do or to hold: done, or undone. */
bool lls_phase_is_final(lls_phase phase);

#endif
