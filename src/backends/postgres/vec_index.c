/*
 * Indexes over embeddings: which one a space gets, how it is made, how it is asked. What is said to
 * an extension is said here, and in llmspell.vector_index_sql of V3.
 *
 * pgvector's hnsw takes a vector of up to 2,000 dimensions, and as halfvec up to 4,000; vchordrq of
 * VectorChord takes all that the type holds, in lists of some hundred records each.
 */
#include "backends/postgres/vec_search.h"
#include "base/scope.h"

#include <stdio.h>

enum {
    WORTH_IT = 10000, /* records; fewer are compared one by one, in milliseconds */
    HNSW_DIM_MAX = 2000,
    HALFVEC_DIM_MAX = 4000,
    HNSW_SINCE = 500,      /* pgvector 0.5.0 */
    HALFVEC_SINCE = 700,   /* 0.7.0 */
    ITERATIVE_SINCE = 800, /* 0.8.0: goes on while a filter lets too few through */
    EFFORT = 64,
    EFFORT_MAX = 1000,
    LISTS_FROM = 100000, /* records; below, one list is faster */
    RECORDS_A_LIST = 250,
};

static const char *const operators[] = {
    [LLS_VEC_COSINE] = "<=>", [LLS_VEC_L2] = "<->", [LLS_VEC_IP] = "<#>", [LLS_VEC_L1] = "<+>"};

const char *lls_pg_index_choose(const lls_vec_space *space, uint64_t count,
                                lls_pg_extensions extensions, int64_t *lists)
{
    *lists = 0;
    if (count < WORTH_IT || space->metric == LLS_VEC_L1 || extensions.vector == 0)
        return NULL;
    if (extensions.vchord) {
        *lists = count < LISTS_FROM ? 0 : (int64_t)(count / RECORDS_A_LIST);
        return "vchordrq";
    }
    if (space->dim <= HNSW_DIM_MAX)
        return extensions.vector >= HNSW_SINCE ? "hnsw" : NULL;
    if (space->dim <= HALFVEC_DIM_MAX)
        return extensions.vector >= HALFVEC_SINCE ? "hnsw halfvec" : NULL;
    return NULL;
}

void lls_pg_index_use_fini(lls_pg_index_use *use)
{
    lls_buf_fini(&use->settings);
    lls_buf_fini(&use->order);
    *use = (lls_pg_index_use){0};
}

void lls_pg_index_distance(const lls_pg_vec_space *space, lls_buf *sql)
{
    lls_buf_add_text(sql, "(r.embedding OPERATOR(");
    lls_buf_add_str(sql, space->schema);
    lls_buf_printf(sql, ".%s) $3::", operators[space->space.metric]);
    lls_buf_add_str(sql, space->type);
    lls_buf_add_text(sql, ")");
}

/* The index is over an expression: the order has to be by that very expression. */
static void halfvec_distance(const lls_pg_vec_space *space, lls_buf *sql)
{
    lls_buf_printf(sql, "(r.embedding::" LLS_FMT ".halfvec(%u)) OPERATOR(" LLS_FMT ".%s) ($3::",
                   LLS_ARG(space->schema), space->space.dim, LLS_ARG(space->schema),
                   operators[space->space.metric]);
    lls_buf_add_str(sql, space->type);
    lls_buf_printf(sql, "::" LLS_FMT ".halfvec(%u))", LLS_ARG(space->schema), space->space.dim);
}

static void ask_hnsw(int vector_version, uint32_t want, uint32_t effort, lls_buf *settings)
{
    uint32_t breadth = effort ? effort : EFFORT;

    if (breadth < want)
        breadth = want;
    if (breadth > EFFORT_MAX)
        breadth = EFFORT_MAX;
    lls_buf_printf(settings, "SELECT set_config('hnsw.ef_search', '%u', true)", breadth);
    if (vector_version >= ITERATIVE_SINCE)
        lls_buf_add_text(settings, ", set_config('hnsw.iterative_scan', 'relaxed_order', true)");
}

/* A tenth of the lists, and ten of them at least, are looked into. */
static void ask_vchordrq(lls_str indexed, uint32_t effort, lls_buf *settings)
{
    LLS_AUTO(lls_buf) text = {0};
    unsigned lists = 0;

    lls_buf_add_str(&text, indexed);
    if (sscanf(lls_buf_cstr(&text), "vchordrq %u", &lists) != 1 || lists <= 1) {
        lls_buf_add_text(settings, "SELECT set_config('vchordrq.probes', '', true)");
        return;
    }
    unsigned probes = effort ? effort : lists / 10;
    if (probes < 10)
        probes = 10;
    lls_buf_printf(settings, "SELECT set_config('vchordrq.probes', '%u', true)",
                   probes < lists ? probes : lists);
}

static bool is_vchordrq(lls_str indexed)
{
    lls_str name = LLS_STR("vchordrq");

    return indexed.len >= name.len && memcmp(indexed.data, name.data, name.len) == 0;
}

lls_err lls_pg_index_ask(const lls_pg_vec_space *space, int vector_version, uint32_t want,
                         uint32_t effort, lls_pg_index_use *use, lls_error *err)
{
    if (lls_str_eq(space->indexed, LLS_STR("hnsw halfvec")))
        halfvec_distance(space, &use->order);
    else
        lls_pg_index_distance(space, &use->order);
    if (is_vchordrq(space->indexed))
        ask_vchordrq(space->indexed, effort, &use->settings);
    else
        ask_hnsw(vector_version, want, effort, &use->settings);
    LLS_TRY(lls_buf_status(&use->order, err));
    return lls_buf_status(&use->settings, err);
}
