#include "migrate/recall.h"

#include "ports/vec_recall.h"

#include <stdio.h>

/* Vectors of each space that are searched for. */
enum { SAMPLE = 60 };

/* All spaces of one collection on one side. */
typedef struct side {
    lls_vec *vec;
    lls_kv_space coll;
    const volatile int *cancel;
    double found; /* recall, weighted by `asked` */
    uint32_t asked;
    lls_err status;
    lls_error err;
} side;

static void measure_space(void *user, const lls_vec_stats *stats)
{
    side *s = user;
    lls_vec_recall got;

    if (s->status != LLS_OK || stats->space.dim == 0)
        return;
    s->status = lls_vec_recall_of(s->vec, s->coll, &stats->space, SAMPLE, s->cancel, &got, &s->err);
    if (s->status == LLS_OK) {
        s->found += got.recall * got.asked;
        s->asked += got.asked;
    }
}

static lls_err measure(const lls_run *run, lls_backend *backend, size_t part, double *recall,
                       uint32_t *asked, lls_error *err)
{
    side s = {.vec = backend->vec,
              .coll = lls_run_space(run, part),
              .cancel = run->options ? run->options->cancel : NULL};

    lls_err e = lls_vec_stats_of(s.vec, s.coll, measure_space, &s, err);
    if (e == LLS_OK && s.status != LLS_OK) {
        *err = s.err;
        e = s.status;
    }
    if (e == LLS_OK) {
        *recall = s.asked ? s.found / s.asked : 1;
        *asked = s.asked;
    }
    return e;
}

static lls_err measure_part(lls_run *run, size_t index, lls_error *err)
{
    lls_part *part = &run->parts[index];
    uint32_t ignored = 0;
    char text[120];

    lls_err e = lls_vec_tend(run->target->vec, lls_run_space(run, index), err);
    if (e == LLS_OK)
        e = measure(run, run->source, index, &part->source_recall, &ignored, err);
    if (e == LLS_OK)
        e = measure(run, run->target, index, &part->target_recall, &part->recall_asked, err);
    if (e != LLS_OK || part->recall_asked == 0)
        return e;
    (void)snprintf(text, sizeof(text),
                   "recall@10 of searches: source %.4f, target %.4f (%u vectors)",
                   part->source_recall, part->target_recall, part->recall_asked);
    lls_run_tell(run, LLS_EVENT_CHECK, part->want->name, text);
    return LLS_OK;
}

void lls_recall_measure(lls_run *run)
{
    lls_error err = {0};

    if (run->port != LLS_PORT_VEC || !run->source || !run->target)
        return;
    for (size_t i = 0; i < run->plan->component_count; i++) {
        run->parts[i].recall_asked = 0;
        if (measure_part(run, i, &err) != LLS_OK) {
            run->parts[i].recall_asked = 0;
            lls_run_tell(run, LLS_EVENT_WARNING, run->plan->components[i].name, err.msg);
        }
    }
}
