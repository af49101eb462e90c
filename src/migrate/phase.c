#include "migrate/phase.h"

#define TO(phase) (1u << (unsigned)(phase))

/*
 * A phase that may follow itself is one that is entered again after a kill. Every phase may be
 * undone: before COPYING there is only a lock to give back, afterwards a stage to throw away, and
 * after DONE a backup to put back.
 */
static const struct {
    const char *name;
    unsigned next;
} phases[LLS_PHASES] = {
    [LLS_PHASE_PLANNED] = {"planned", TO(LLS_PHASE_CHECKED) | TO(LLS_PHASE_UNDOING)},
    [LLS_PHASE_CHECKED] = {"checked", TO(LLS_PHASE_COPYING) | TO(LLS_PHASE_UNDOING)},
    [LLS_PHASE_COPYING] = {"copying",
                           TO(LLS_PHASE_COPYING) | TO(LLS_PHASE_COPIED) | TO(LLS_PHASE_UNDOING)},
    [LLS_PHASE_COPIED] = {"copied", TO(LLS_PHASE_VALID) | TO(LLS_PHASE_UNDOING)},
    [LLS_PHASE_VALID] = {"valid", TO(LLS_PHASE_VALID) | TO(LLS_PHASE_DONE) | TO(LLS_PHASE_UNDOING)},
    [LLS_PHASE_DONE] = {"done", TO(LLS_PHASE_UNDOING)},
    [LLS_PHASE_UNDOING] = {"undoing", TO(LLS_PHASE_UNDOING) | TO(LLS_PHASE_UNDONE)},
    [LLS_PHASE_UNDONE] = {"undone", 0},
};

bool lls_phase_may_follow(lls_phase from, lls_phase to)
{
    return (unsigned)from < LLS_PHASES && (unsigned)to < LLS_PHASES &&
           (phases[from].next & TO(to)) != 0;
}

bool lls_phase_is_final(lls_phase phase)
{
    return phase == LLS_PHASE_DONE || phase == LLS_PHASE_UNDONE;
}

const char *lls_phase_text(lls_phase phase)
{
    return (unsigned)phase < LLS_PHASES ? phases[phase].name : "unknown";
}
