/** engine_stage.h - a stage: numbers of the directory that no space has yet. */
#ifndef LLS_BACKENDS_SLED_ENGINE_STAGE_H
#define LLS_BACKENDS_SLED_ENGINE_STAGE_H

#include "backends/sled/engine_kv.h"

typedef struct sled_stage_part {
    char coll[LLS_COLL_MAX + 1];
    uint64_t staged; /* the number of what was added, */
    uint64_t count;  /* how many these are, */
    lls_buf last;    /* and the greatest key of them */
    bool dirty;      /* these are not in the directory yet */
    uint64_t live;   /* the number of the space when it was prepared; 0: none */
    uint64_t merged; /* the number of both together; 0: not needed. Pinned, and dead after a kill */
} sled_stage_part;

struct sled_kv_stage {
    lls_kv_stage base;
    sled_kv *kv;
    sled_kv_stage *next; /* of kv->stages */
    char tenant[LLS_TENANT_MAX + 1];
    char run[LLS_RUN_MAX + 1];
    lls_stage_mode mode;
    bool watching;  /* from the beginning of `prepare`; these three under kv->write */
    bool stale;     /* and a collection was written to since */
    bool discarded; /* by its run's name, while it was open */
    bool prepared;
    bool published;
    sled_batch_ref batch; /* what was added and not committed; NULL: nothing */
    size_t batch_count;
    size_t batch_bytes;
    uint64_t turn; /* of the newest commit */
    size_t count;
    sled_stage_part parts[];
};

/** Commit what was added and not yet so. */
lls_err sled_stage_write(sled_kv_stage *stage, lls_error *err) LLS_CHECKED;

/** What the collection of a prepared part will be: a number, or 0 for nothing. */
uint64_t sled_stage_result(const sled_kv_stage *stage, const sled_stage_part *part);

lls_kv_space sled_stage_space(const sled_kv_stage *stage, const sled_stage_part *part);

/* engine_publish.c */
lls_err sled_stage_prepare(lls_kv_stage *stage, lls_error *err) LLS_CHECKED;
lls_err sled_stage_publish(lls_kv_stage *stage, lls_error *err) LLS_CHECKED;

/** Forget what `prepare` brought together. */
void sled_stage_forget(sled_kv_stage *stage);

#endif
