/* Vector records by words: the ranking is the server's, llmspell.vector_words of V3. */
#include "backends/postgres/vec_search.h"
#include "backends/postgres/vec_select.h"
#include "base/scope.h"
#include "ports/vec_hits.h"
#include "text/bm25.h"

typedef struct matching {
    const lls_vec_words *words;
    lls_vec_hits *out;
    lls_buf hashes;
} matching;

static lls_err bind_words(void *user, lls_pg_params *params, lls_error *err)
{
    matching *m = user;
    (void)err;

    lls_pg_add_bytes(params, lls_buf_view(&m->hashes));
    return LLS_OK;
}

static lls_err end_words(void *user, bool all_match, lls_pg_params *params, lls_buf *sql,
                         lls_error *err)
{
    const matching *m = user;
    (void)params;
    (void)err;

    lls_buf_add_text(sql, " ORDER BY w.score DESC, r.id");
    if (all_match)
        lls_buf_printf(sql, " LIMIT %u", m->words->k);
    return LLS_OK;
}

static lls_err keep_match(void *user, const lls_vec_item *item, const PGresult *row, lls_error *err)
{
    matching *m = user;
    const uint8_t *score = (const uint8_t *)PQgetvalue(row, 0, LLS_PG_ROW_COLUMNS);

    if (m->out->count == m->words->k)
        return LLS_END;
    return lls_vec_hits_add(m->out, item, m->words->fields, 0, lls_pg_float4(score), err);
}

static void forget_matches(void *user)
{
    lls_vec_hits *out = ((matching *)user)->out;

    lls_vec_hits_clear(out);
    out->exact = true;
}

static lls_err find(lls_pg_pool *pool, lls_kv_space coll, int64_t now_usec, matching *m,
                    lls_error *err)
{
    lls_pg_select select = {
        .coll = coll,
        .now_usec = now_usec,
        .filter = m->words->filter,
        .fields = m->words->fields,
        .more = ", w.score",
        .join = " JOIN llmspell.vector_words($2::text, $3::bigint[], 9223372036854775807) AS w"
                " ON w.id = r.id",
        .bind = bind_words,
        .end = end_words,
        .each = keep_match,
        .user = m,
    };

    return lls_pg_select_run(&select, pool, forget_matches, err);
}

lls_err lls_pg_vec_words(lls_vec *vec, lls_kv_space coll, int64_t now_usec,
                         const lls_vec_words *words, lls_vec_hits *out, lls_error *err)
{
    LLS_AUTO(lls_text_query) query = {0};
    matching m = {.words = words, .out = out};

    forget_matches(&m);
    LLS_TRY(lls_text_query_init(&query, words->words, err));
    if (query.count == 0)
        return LLS_OK;
    lls_pg_array(&m.hashes, LLS_PG_INT8, query.count);
    for (size_t i = 0; i < query.count; i++)
        lls_pg_field_int8(&m.hashes, lls_pg_word_hash(coll, query.words[i]));
    lls_err e = lls_buf_status(&m.hashes, err);
    if (e == LLS_OK)
        e = find(lls_pg_vec_downcast(vec)->pool, coll, now_usec, &m, err);
    lls_buf_fini(&m.hashes);
    return e;
}
