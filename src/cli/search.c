/* search.c - llmspell storage search */
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/escape.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/scope.h"
#include "cli/table.h"
#include "cli/units.h"
#include "cli/vector.h"
#include "cli/where.h"

#include <inttypes.h>
#include <stdio.h>

enum { SNIPPET = 60, LIMIT = 10, LIMIT_MAX = 100000 };

typedef lls_episode_hits episode_hits;
static void episode_hits_auto(episode_hits *hits)
{
    lls_episode_hits_fini(hits);
}

/* What is asked, and what the question points to. */
typedef struct question {
    lls_episode_query query;
    cli_where where;
    lls_buf floats;
    episode_hits like; /* the episode whose embedding is the question */
} question;

static void question_auto(question *q)
{
    cli_where_fini(&q->where);
    lls_buf_fini(&q->floats);
    lls_episode_hits_fini(&q->like);
}

static lls_err read_moment(cli_context *context, const char *name, const char *text, int64_t *usec,
                           lls_error *err)
{
    if (text && !cli_parse_moment(text, usec))
        return cli_misuse(context, err,
                          "option '--%s' needs a time such as 2025-01-15, 2025-01-15T10:30:00Z or "
                          "7d (ago), not '%s'",
                          name, text);
    return LLS_OK;
}

static lls_err read_within(cli_context *context, lls_episode_query *query, lls_error *err)
{
    const char *text = context->args.values[CLI_WITHIN];
    char *end;

    if (!text)
        return LLS_OK;
    query->within = strtof(text, &end);
    query->has_within = true;
    if (*text == '\0' || *end != '\0')
        return cli_misuse(context, err, "option '--within' needs a distance, not '%s'", text);
    return LLS_OK;
}

static lls_err read_limit(cli_context *context, uint32_t *limit, lls_error *err)
{
    uint64_t number = LIMIT;

    LLS_TRY(cli_args_number(context, CLI_LIMIT, &number, err));
    if (number == 0 || number > LIMIT_MAX)
        return cli_misuse(context, err, "option '--limit' needs 1 to %d", LIMIT_MAX);
    *limit = (uint32_t)number;
    return LLS_OK;
}

static lls_err read_filter(cli_context *context, question *q, lls_error *err)
{
    const char *const *values = context->args.values;
    lls_episode_filter *filter = &q->query.filter;

    if (values[CLI_UNPROCESSED])
        filter->state = LLS_EPISODE_UNPROCESSED;
    filter->session_id = lls_str_of(values[CLI_SESSION]);
    filter->role = lls_str_of(values[CLI_ROLE]);
    LLS_TRY(read_moment(context, "since", values[CLI_SINCE], &filter->happened.from_usec, err));
    LLS_TRY(read_moment(context, "until", values[CLI_UNTIL], &filter->happened.to_usec, err));
    LLS_TRY(cli_where_parse(values[CLI_WHERE], &q->where, err));
    filter->terms = q->where.terms;
    filter->term_count = q->where.term_count;
    return LLS_OK;
}

static lls_err read_question(cli_context *context, question *q, lls_error *err)
{
    const char *const *values = context->args.values;

    q->query.abi = LLS_ABI;
    q->query.parts = LLS_EPISODE_CONTENT | LLS_EPISODE_METADATA;
    q->query.exact = values[CLI_EXACT] != NULL;
    if (context->args.word_count > 0)
        q->query.words = lls_str_of(context->args.words[0]);
    if (values[CLI_VECTOR] && values[CLI_LIKE])
        return cli_misuse(context, err, "--vector and --like exclude each other");
    LLS_TRY(read_within(context, &q->query, err));
    LLS_TRY(read_limit(context, &q->query.limit, err));
    LLS_TRY(read_filter(context, q, err));
    if (values[CLI_VECTOR])
        LLS_TRY(cli_read_vector(values[CLI_VECTOR], &q->floats, &q->query.embedding, err));
    q->query.embedding.model = lls_str_of(values[CLI_MODEL]);
    return LLS_OK;
}

/* The embedding of a stored episode as the question. */
static lls_err take_likeness(lls_store *store, const char *id, question *q, lls_error *err)
{
    lls_err e = lls_episode_get(store, lls_str_of(id), LLS_EPISODE_EMBEDDING, &q->like, err);

    if (e != LLS_OK)
        return e == LLS_E_NOTFOUND ? lls_fail(err, e, "no episode '%s'", id) : e;
    q->query.embedding = q->like.hits[0].episode.embedding;
    if (q->query.embedding.dimension == 0)
        return lls_fail(err, LLS_E_INVALID, "episode '%s' has no embedding", id);
    return LLS_OK;
}

static lls_err ask(lls_store *store, question *q, episode_hits *hits, lls_error *err)
{
    const lls_episode_query *query = &q->query;
    lls_episode_page page = {
        .abi = LLS_ABI, .filter = query->filter, .limit = query->limit, .parts = query->parts};

    if (query->embedding.dimension > 0 || query->words.len > 0)
        return lls_episode_search(store, query, hits, err);
    return lls_episode_list(store, &page, hits, err); // no question: what the filter lets through
}

static json_t *json_of(const lls_episode_hit *hit, bool near)
{
    const lls_episode *e = &hit->episode;
    json_t *object = json_object();

    cli_json_set_bytes(object, "id", (lls_bytes){(const uint8_t *)e->id.data, e->id.len});
    cli_json_set(object, "score", json_real((double)hit->score));
    if (near)
        cli_json_set(object, "distance", json_real((double)hit->distance));
    cli_json_set(object, "session_id", json_stringn(e->session_id.data, e->session_id.len));
    cli_json_set(object, "role", json_stringn(e->role.data, e->role.len));
    cli_json_set(object, "happened", cli_json_time(e->happened_usec));
    cli_json_set(object, "processed", json_boolean(e->processed));
    cli_json_set(object, "content", json_stringn(e->content.data, e->content.len));
    cli_json_set(object, "metadata",
                 json_loadb(e->metadata.data, e->metadata.len, JSON_ALLOW_NUL, NULL));
    cli_json_set(object, "expires", cli_json_time(e->expires_usec));
    return object;
}

static lls_err print_json(const episode_hits *hits, bool near, lls_error *err)
{
    json_t *object = json_object();
    json_t *list = json_array();

    for (size_t i = 0; i < hits->count; i++)
        (void)json_array_append_new(list, json_of(&hits->hits[i], near));
    cli_json_set(object, "exact", json_boolean(hits->exact));
    cli_json_set(object, "hits", list);
    return cli_json_print(object, err);
}

/* The beginning of a content, on one line. */
static void add_snippet(lls_str content, lls_buf *out)
{
    size_t len = content.len;

    if (len > SNIPPET) {
        len = SNIPPET;
        while (len > 0 && ((unsigned char)content.data[len] & 0xc0) == 0x80)
            len--; // not within a character
    }
    for (size_t i = 0; i < len; i++) {
        char c = content.data[i];
        if (c == '\n' || c == '\r' || c == '\t')
            c = ' ';
        lls_buf_add(out, (lls_bytes){(const uint8_t *)&c, 1});
    }
    if (len < content.len)
        lls_buf_add_text(out, "…");
}

static lls_err add_row(cli_table *table, const lls_episode_hit *hit, lls_error *err)
{
    const lls_episode *e = &hit->episode;
    LLS_AUTO(lls_buf) score = {0};
    LLS_AUTO(lls_buf) id = {0};
    LLS_AUTO(lls_buf) session = {0};
    LLS_AUTO(lls_buf) role = {0};
    LLS_AUTO(lls_buf) happened = {0};
    LLS_AUTO(lls_buf) snippet = {0};
    LLS_AUTO(lls_buf) content = {0};

    lls_buf_printf(&score, "%.4f", (double)hit->score);
    cli_escape_cell((lls_bytes){(const uint8_t *)e->id.data, e->id.len}, &id);
    cli_escape_cell((lls_bytes){(const uint8_t *)e->session_id.data, e->session_id.len}, &session);
    cli_escape_cell((lls_bytes){(const uint8_t *)e->role.data, e->role.len}, &role);
    cli_add_time(&happened, e->happened_usec);
    add_snippet(e->content, &snippet);
    cli_escape_cell(lls_buf_view(&snippet), &content);
    LLS_TRY(lls_buf_status(&content, err));
    return cli_table_add(table,
                         (const char *[]){lls_buf_cstr(&score), lls_buf_cstr(&id),
                                          lls_buf_cstr(&session), lls_buf_cstr(&role),
                                          lls_buf_cstr(&happened), lls_buf_cstr(&content)},
                         err);
}

static lls_err print_table(const cli_context *context, const episode_hits *hits, lls_error *err)
{
    static const cli_column columns[] = {{"SCORE", CLI_RIGHT},
                                         {"ID", CLI_LEFT},
                                         {"SESSION", CLI_LEFT},
                                         {"ROLE", CLI_LEFT},
                                         {"HAPPENED", CLI_LEFT},
                                         {"CONTENT", CLI_WRAP},
                                         {0}};
    LLS_AUTO(cli_table_ref) table = NULL;

    LLS_TRY(cli_table_open(columns, &context->out, &table, err));
    for (size_t i = 0; i < hits->count; i++)
        LLS_TRY(add_row(table, &hits->hits[i], err));
    LLS_TRY(cli_table_print(table, err));
    if (hits->count > 0)
        return LLS_OK;
    if (context->args.values[CLI_VECTOR] && !context->args.values[CLI_MODEL])
        cli_say(&context->out, "nothing found among the embeddings that name no model (--model "
                               "chooses one; info lists them)");
    else
        cli_say(&context->out, "nothing found");
    return LLS_OK;
}

static lls_err run(cli_context *context, lls_error *err)
{
    LLS_AUTO(cli_config_ref) config = NULL;
    LLS_AUTO(cli_store_ref) store = NULL;
    LLS_AUTO(question) q = {0};
    LLS_AUTO(episode_hits) hits = {0};
    const char *like = context->args.values[CLI_LIKE];

    LLS_TRY(read_question(context, &q, err));
    LLS_TRY(cli_open_store(context, "episodic_memory", LLS_OPEN_READ, &config, &store, err));
    if (like)
        LLS_TRY(take_likeness(store, like, &q, err));
    LLS_TRY(ask(store, &q, &hits, err));
    if (context->out.format == CLI_JSON)
        return print_json(&hits, q.query.embedding.dimension > 0 && q.query.words.len == 0, err);
    return print_table(context, &hits, err);
}

static const cli_option options[] = {
    {"vector", CLI_VECTOR, 0, false, "VECTOR",
     "find what is near this embedding: a JSON array, a file of one, or -"},
    {"model", CLI_MODEL, 0, false, "NAME", "the model that made the embedding"},
    {"like", CLI_LIKE, 0, false, "ID", "find what is near the embedding of this episode"},
    {"session", CLI_SESSION, 0, false, "ID", "only episodes of this session"},
    {"role", CLI_ROLE, 0, false, "ROLE", "only episodes of this role"},
    {"where", CLI_WHERE, 0, false, "CONDITIONS", "only these: 'colour=red,size>=3,tags~new'"},
    {"since", CLI_SINCE, 0, false, "TIME", "only what happened then or later: 2025-01-15, 7d"},
    {"until", CLI_UNTIL, 0, false, "TIME", "only what happened then or before"},
    {"unprocessed", CLI_UNPROCESSED, 0, false, NULL, "only what nobody has processed yet"},
    {"limit", CLI_LIMIT, 0, false, "N", "at most so many; 10 unless told"},
    {"within", CLI_WITHIN, 0, false, "DISTANCE", "only what is not farther than this"},
    {"exact", CLI_EXACT, 0, false, NULL, "compare with every episode, however long it takes"},
    {0},
};

const cli_command cli_search = {
    .path = "storage search",
    .summary = "find episodes by meaning, by words, or by both",
    .description =
        "With WORDS the contents are searched (BM25), with --vector or --like the embeddings; "
        "with\n"
        "both, the two lists are fused by rank. With neither, what the conditions let through is\n"
        "listed in the order in which it happened.\n"
        "CONDITIONS are about the metadata; a comma stands between them, and all must hold: "
        "NAME=VALUE,\n"
        "NAME=A|B (one of), NAME>3, NAME>=3, NAME<3, NAME<=3, NAME~VALUE (an array that contains "
        "it),\n"
        "NAME (is there). A NAME that begins with / is a JSON Pointer.",
    .words = "[WORDS]",
    .max_words = 1,
    .options = options,
    .takes_backend = true,
    .examples = "llmspell storage search 'harbour lights' --session s42\n"
                "llmspell storage search --like 0199a7 --where 'topic=travel' --limit 5\n"
                "llmspell storage search storm --vector query.json --output json\n",
    .run = run,
};
