/*
 * remember_agent - an agent that counts its runs, and loses none when two of it run at once.
 *
 *     ./remember_agent chat concierge
 *
 * Load, change, save; when somebody else saved in between, load again and retry.
 */
#include <llmspell/storage.h>

#include <stdio.h>
#include <stdlib.h>

/* How often this agent ran, by its state {"runs": N}; a real agent would use a JSON library. */
static unsigned long runs_of(const lls_agent_state *state)
{
    static const char member[] = "\"runs\": ";

    for (size_t i = 0; i + sizeof(member) < state->json.len; i++)
        if (memcmp(state->json.data + i, member, sizeof(member) - 1) == 0)
            return strtoul(state->json.data + i + sizeof(member) - 1, NULL, 10);
    return 0;
}

/* One round of load, change, save. LLS_E_CONFLICT: somebody else was faster. */
static lls_err count_run(lls_store *store, lls_str type, lls_str id, unsigned long *runs,
                         lls_error *err)
{
    lls_agent_state state = {0};
    char json[64];
    lls_err e = lls_agent_state_load(store, type, id, &state, err);

    if (e != LLS_OK && e != LLS_E_NOTFOUND)
        return e;
    *runs = (e == LLS_OK ? runs_of(&state) : 0) + 1;

    /* The version comes from what was loaded; for a new agent it is 0. */
    lls_agent_state next = {.agent_type = type, .agent_id = id, .version = state.version};
    (void)snprintf(json, sizeof(json), "{\"runs\": %lu}", *runs);
    next.json = lls_str_of(json);
    e = lls_agent_state_save(store, &next, err);
    lls_agent_state_fini(&state);
    return e;
}

int main(int argc, char **argv)
{
    lls_str type = lls_str_of(argc > 1 ? argv[1] : "chat");
    lls_str id = lls_str_of(argc > 2 ? argv[2] : "example");
    lls_config_sources from = {.abi = LLS_ABI};
    lls_config *config = NULL;
    lls_store *store = NULL;
    lls_error err = {0};
    unsigned long runs = 0;

    lls_err e = lls_config_load(&from, &config, &err);
    if (e == LLS_OK)
        e = lls_store_open(config, NULL, &store, &err);
    if (e == LLS_OK) {
        do
            e = count_run(store, type, id, &runs, &err);
        while (e == LLS_E_CONFLICT);
    }
    if (e == LLS_OK)
        printf("this is run %lu\n", runs);
    else
        fprintf(stderr, "remember_agent: %s\n", err.msg);
    lls_store_close(store);
    lls_config_free(config);
    return e == LLS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
