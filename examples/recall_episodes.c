/*
 * recall_episodes - add what was said, and find it again: by meaning, by words, by both.
 *
 *     ./recall_episodes
 *
 * The embeddings here count letters, so that the example needs no model. Yours come from the model
 * of your choice; the store keeps, compares and finds them.
 */
#include <llmspell/storage.h>

#include <stdio.h>
#include <stdlib.h>

enum { LETTERS = 26 };

static const char *const turns[][2] = {
    {"user", "My flight to Lisbon leaves on Friday at nine."},
    {"assistant", "I will remind you on Thursday evening to pack."},
    {"user", "And please book a table near the river for two."},
};

enum { TURNS = sizeof(turns) / sizeof(*turns) };

/* How often each letter stands in a text. */
static lls_embedding embed(const char *text, float values[LETTERS])
{
    memset(values, 0, LETTERS * sizeof(*values));
    for (; *text; text++) {
        char c = (char)(*text | 0x20);
        if (c >= 'a' && c <= 'z')
            values[c - 'a'] += 1;
    }
    return (lls_embedding){.values = values,
                           .dimension = LETTERS,
                           .model = LLS_STR("letters"),
                           .metric = LLS_VEC_COSINE};
}

static lls_err remember(lls_store *store, lls_error *err)
{
    float values[TURNS][LETTERS];
    lls_episode episodes[TURNS];
    char ids[TURNS][LLS_EPISODE_ID_TEXT];

    memset(episodes, 0, sizeof(episodes));
    for (int i = 0; i < TURNS; i++) {
        episodes[i].session_id = LLS_STR("travel");
        episodes[i].role = lls_str_of(turns[i][0]);
        episodes[i].content = lls_str_of(turns[i][1]);
        episodes[i].embedding = embed(turns[i][1], values[i]);
    }
    return lls_episode_add(store, episodes, TURNS, ids, err);
}

/* `question` empty: only the words count. */
static lls_err recall(lls_store *store, const char *question, const char *words, lls_error *err)
{
    float values[LETTERS];
    lls_episode_hits found = {0};
    lls_episode_query query = {.abi = LLS_ABI,
                               .words = lls_str_of(words),
                               .limit = 2,
                               .parts = LLS_EPISODE_CONTENT,
                               .filter = {.session_id = LLS_STR("travel")}};

    if (*question)
        query.embedding = embed(question, values);
    lls_err e = lls_episode_search(store, &query, &found, err);
    printf("'%s' and the words '%s':\n", question, words);
    for (size_t i = 0; e == LLS_OK && i < found.count; i++)
        printf("  %.3f  " LLS_FMT ": " LLS_FMT "\n", (double)found.hits[i].score,
               LLS_ARG(found.hits[i].episode.role), LLS_ARG(found.hits[i].episode.content));
    lls_episode_hits_fini(&found);
    return e;
}

int main(void)
{
    lls_config_sources from = {.abi = LLS_ABI};
    lls_store_options options = {.abi = LLS_ABI, .mode = LLS_OPEN_WRITE};
    lls_config *config = NULL;
    lls_store *store = NULL;
    lls_error err = {0};

    lls_err e = lls_config_load(&from, &config, &err);
    if (e == LLS_OK)
        e = lls_store_open(config, &options, &store, &err);
    if (e == LLS_OK)
        e = remember(store, &err);
    if (e == LLS_OK)
        e = recall(store, "When does my flight leave?", "", &err);
    if (e == LLS_OK)
        e = recall(store, "", "river table", &err);
    if (e == LLS_OK)
        e = recall(store, "When does my flight leave?", "thursday", &err);
    if (e != LLS_OK)
        fprintf(stderr, "recall_episodes: %s\n", err.msg);
    lls_store_close(store);
    lls_config_free(config);
    return e == LLS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
