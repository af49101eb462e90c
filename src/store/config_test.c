#include "store/config.h"

#include "base/alloc.h"
#include "base/scope.h"
#include "store/open.h"
#include "testing/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A home folder of its own, with llmspell/llmspell.toml below .config. */
typedef struct home {
    char folder[32];
    char file[96];
    char variable[48]; /* HOME=… */
} home;

static int make_home(void **state)
{
    home *h = calloc(1, sizeof(*h));
    char command[96];

    assert_non_null(h);
    memcpy(h->folder, "/tmp/lls-config-XXXXXX", sizeof("/tmp/lls-config-XXXXXX"));
    assert_non_null(mkdtemp(h->folder));
    (void)snprintf(command, sizeof(command), "mkdir -p '%s/.config/llmspell'", h->folder);
    assert_int_equal(system(command), 0);
    (void)snprintf(h->file, sizeof(h->file), "%s/.config/llmspell/llmspell.toml", h->folder);
    (void)snprintf(h->variable, sizeof(h->variable), "HOME=%s", h->folder);
    *state = h;
    return 0;
}

static int remove_home(void **state)
{
    home *h = *state;
    char command[64];

    (void)snprintf(command, sizeof(command), "rm -rf '%s'", h->folder);
    assert_int_equal(system(command), 0);
    free(h);
    return 0;
}

static void write_file(const home *h, const char *text, mode_t mode)
{
    FILE *file = fopen(h->file, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(h->file, mode), 0);
}

/* Load with the home's file, one more variable and one flag; both may be NULL. */
static lls_err load(const home *h, const char *variable, const char *flag, lls_config **out,
                    lls_error *err)
{
    const char *const environment[] = {h->variable, variable, NULL};
    lls_config_sources sources = {
        .abi = LLS_ABI, .environment = environment, .flags = &flag, .flag_count = flag ? 1 : 0};

    return lls_config_load(&sources, out, err);
}

static void assert_refused(lls_err got, lls_err want, const lls_error *err, const char *message)
{
    assert_code(got, want, *err);
    assert_string_equal(err->msg, message);
}

static void refuses_text(const char *text, lls_err want, const char *message)
{
    lls_config *config = NULL;
    lls_error err = {0};

    assert_refused(lls_config_from_text(lls_str_of(text), &config, &err), want, &err, message);
    assert_null(config);
}

static void refuses_variable(const home *h, const char *variable, const char *message)
{
    lls_config *config = NULL;
    lls_error err = {0};

    assert_refused(load(h, variable, NULL, &config, &err), LLS_E_INVALID, &err, message);
    assert_null(config);
}

static void assert_entry(const lls_config *config, const char *key, const char *value,
                         const char *origin)
{
    lls_config_entry entry;

    for (size_t i = 0; lls_config_entry_at(config, i, &entry); i++) {
        if (strcmp(entry.key, key) == 0) {
            assert_string_equal(entry.value, value);
            assert_string_equal(entry.origin, origin);
            return;
        }
    }
    fail_msg("no entry '%s'", key);
}

static void documented_examples_load_as_they_are(void **state)
{
    static const char *const examples[] = {
        "[storage]\nbackend = \"lmdb\"\npath = \"~/.local/share/llmspell/lmdb\"\n",
        "[storage]\nbackend = \"postgres\"\n"
        "connection = \"postgresql://llmspell_app@localhost:5432/llmspell\"\n",
        "[storage]\nbackend = \"lmdb\"\n\n[storage.backends.central]\ntype = \"postgres\"\n"
        "connection = \"postgresql://llmspell_app@db.example.org/llmspell?sslmode=verify-full\"\n"
        "pool_size = 20\n\n[storage.components]\nsessions = \"central\"\n",
    };

    (void)state;
    for (size_t i = 0; i < LLS_COUNT(examples); i++) {
        lls_config *config = NULL;
        lls_error err = {0};
        assert_ok(lls_config_from_text(lls_str_of(examples[i]), &config, &err), err);
        assert_string_equal(lls_config_route(config, &lls_component_agent_state),
                            i == 1 ? "postgres" : "lmdb");
        assert_string_equal(lls_config_route(config, &lls_component_sessions), i == 0 ? "lmdb"
                                                                               : i == 1
                                                                                   ? "postgres"
                                                                                   : "central");
        lls_config_free(config);
    }
}

static void the_stronger_source_wins_and_is_named(void **state)
{
    const home *h = *state;
    lls_config *config = NULL;
    lls_error err = {0};
    char origin[128];

    assert_ok(load(h, NULL, NULL, &config, &err), err);
    assert_null(lls_config_file(config));
    assert_entry(config, "storage.tenant", "default", "default");
    lls_config_free(config);

    write_file(h, "[storage]\ntenant = \"of the file\"\n", 0644);
    assert_ok(load(h, NULL, NULL, &config, &err), err);
    assert_string_equal(lls_config_file(config), h->file);
    (void)snprintf(origin, sizeof(origin), "%s:2:10", h->file);
    assert_entry(config, "storage.tenant", "of the file", origin);
    lls_config_free(config);

    assert_ok(load(h, "LLMSPELL_STORAGE_TENANT=of the variable", NULL, &config, &err), err);
    assert_entry(config, "storage.tenant", "of the variable", "LLMSPELL_STORAGE_TENANT");
    lls_config_free(config);

    assert_ok(load(h, "LLMSPELL_STORAGE_TENANT=of the variable", "storage.tenant=of the flag",
                   &config, &err),
              err);
    assert_entry(config, "storage.tenant", "of the flag", "flag");
    assert_string_equal(lls_config_value(config, "storage.tenant"), "of the flag");
    assert_null(lls_config_value(config, "storage.path"));
    lls_config_free(config);
}

static void the_file_is_found_through_the_given_environment(void **state)
{
    const home *h = *state;
    lls_config *config = NULL;
    lls_error err = {0};
    char variable[64];

    write_file(h, "[storage]\ntenant = \"mine\"\n", 0644);
    assert_ok(load(h, "LLMSPELL_CONFIG=~/.config/llmspell/llmspell.toml", NULL, &config, &err),
              err);
    assert_string_equal(lls_config_file(config), h->file);
    lls_config_free(config);

    (void)snprintf(variable, sizeof(variable), "XDG_CONFIG_HOME=%s/.config", h->folder);
    assert_ok(load(h, variable, NULL, &config, &err), err);
    assert_string_equal(lls_config_file(config), h->file);
    lls_config_free(config);

    assert_ok(load(h, "XDG_CONFIG_HOME=/nonexistent", NULL, &config, &err), err);
    assert_null(lls_config_file(config));
    lls_config_free(config);

    const char *const nothing[] = {NULL};
    lls_config_sources sources = {.abi = LLS_ABI, .environment = nothing};
    assert_ok(lls_config_load(&sources, &config, &err), err);
    assert_null(lls_config_file(config));
    lls_config_free(config);
    config = NULL;

    assert_code(load(h, "LLMSPELL_CONFIG=/nonexistent.toml", NULL, &config, &err), LLS_E_NOTFOUND,
                err);
    assert_null(config);
}

static void unknown_keys_are_refused_with_place_and_suggestion(void **state)
{
    (void)state;
    refuses_text("[storage]\nbackned = \"lmdb\"\n", LLS_E_INVALID,
                 "text:2:1: unknown key 'storage.backned', did you mean 'storage.backend'?");
    refuses_text("[storage]\nx.y.z = 1\n", LLS_E_INVALID, "text:2:5: unknown key 'storage.x.y.z'");
    refuses_text(
        "[storage.components]\n  dreams = \"lmdb\"\n", LLS_E_INVALID,
        "text:2:3: no component 'dreams' in this build "
        "(it has: agent_state, agent_state_history, workflow_state, sessions, episodic_memory, "
        "unrecognised)");
    refuses_text("[storage.backends.lmdb]\nmap_sise = \"1GiB\"\n", LLS_E_INVALID,
                 "text:2:1: backend 'lmdb' has no option 'map_sise', did you mean 'map_size'?");
    refuses_text("[storage.backends]\nlmdb = 1\n", LLS_E_INVALID,
                 "text:2:1: [storage.backends.NAME] with an option is wanted");
}

static void values_of_the_wrong_kind_are_refused_with_place(void **state)
{
    (void)state;
    refuses_text("storage = 1\n", LLS_E_INVALID, "text:1:11: 'storage' wants to be a table");
    refuses_text("[storage]\ntenant = 5\n", LLS_E_INVALID,
                 "text:2:10: 'storage.tenant' wants a text");
    refuses_text("[storage]\ntenant = [\"a\"]\n", LLS_E_INVALID,
                 "text:2:10: 'storage.tenant' wants a text, a whole number, true or false");
    refuses_text("[storage]\ntenant = \"a\\u0000b\"\n", LLS_E_INVALID,
                 "text:2:10: 'storage.tenant' wants a text without NUL");
    refuses_text("[storage.backends.x]\n\"a\\u0000b\" = 1\n", LLS_E_INVALID,
                 "text:2:1: a key with NUL");
}

static void names_of_nothing_are_refused_with_place(void **state)
{
    LLS_AUTO(lls_buf) text = {0};

    (void)state;
    refuses_text("[storage]\ntenant = \"\"\n", LLS_E_INVALID, "text:2:10: empty tenant");
    refuses_text("[storage]\ntenant = \"a\\tb\"\n", LLS_E_INVALID,
                 "text:2:10: tenant with a control character");
    lls_buf_add_text(&text, "[storage]\ntenant = \"");
    for (int i = 0; i < 256; i++)
        lls_buf_add_text(&text, "x");
    lls_buf_add_text(&text, "\"\n");
    refuses_text(lls_buf_cstr(&text), LLS_E_INVALID,
                 "text:2:10: tenant of 256 bytes is over the limit of 255");
    refuses_text("[storage]\nbackend = \"\"\n", LLS_E_INVALID,
                 "text:2:11: 'storage.backend' names no backend");
    refuses_text("[storage.components]\nsessions = \"\"\n", LLS_E_INVALID,
                 "text:2:12: 'storage.components.sessions' names no backend");
    refuses_text("[storage.backends.x]\ntype = \"\"\n", LLS_E_INVALID,
                 "text:2:8: 'storage.backends.x.type' names no backend");
    refuses_text("[storage.memory]\nepisodic_backend = \"\"\n", LLS_E_INVALID,
                 "text:2:20: 'storage.memory.episodic_backend' names no backend");
}

static void keys_that_stand_twice_are_refused(void **state)
{
    lls_config *config = NULL;
    lls_error err = {0};

    (void)state;
    assert_code(
        lls_config_from_text(LLS_STR("[storage]\ntenant = 'a'\ntenant = 'b'\n"), &config, &err),
        LLS_E_PARSE, err);
    assert_memory_equal(err.msg, "text:3:", 7);
    assert_null(config);
}

static void tables_of_other_programs_are_left_alone(void **state)
{
    lls_config *config = NULL;
    lls_error err = {0};

    (void)state;
    assert_ok(lls_config_from_text(LLS_STR("storage_of_another = 1\n[runtime]\nbackend = 5\n"),
                                   &config, &err),
              err);
    assert_string_equal(lls_config_value(config, "storage.backend"), "lmdb");
    lls_config_free(config);
}

static void passwords_are_never_shown(void **state)
{
    lls_config *config = NULL;
    lls_error err = {0};

    (void)state;
    assert_ok(lls_config_from_text(LLS_STR("[storage]\nconnection = 'postgresql://u:pw@h/d'\n"
                                           "[storage.backends.future]\nthing = 'who knows'\n"),
                                   &config, &err),
              err);
    assert_string_equal(lls_config_value(config, "storage.connection"), "postgresql://u:***@h/d");
    assert_string_equal(lls_config_raw(config, "storage.connection"), "postgresql://u:pw@h/d");
    assert_string_equal(lls_config_value(config, "storage.backends.future.thing"), "***");
    lls_config_free(config);
}

static void a_file_with_a_password_must_be_for_its_owner_alone(void **state)
{
    static const char *const with[] = {
        "[storage]\nconnection = 'postgresql://u:pw@h/d'\n",
        "[storage.backends.x]\ntype = 'postgres'\nconnection = 'host=h password=pw'\n",
        "[storage.backends.future]\nconnection = 'future://u:pw@h/d'\n",
        "[storage.backends.future]\nurl = 'future://u:pw@h/d'\n",
        "[storage.backends.future]\npassword = 'pw'\n",
    };
    const home *h = *state;
    char message[384];

    for (size_t i = 0; i < LLS_COUNT(with); i++) {
        lls_config *config = NULL;
        lls_error err = {0};
        write_file(h, with[i], 0640);
        assert_code(load(h, NULL, NULL, &config, &err), LLS_E_DENIED, err);
        (void)snprintf(message, sizeof(message),
                       ": the file holds a password and others may read it: chmod 600 '%s'",
                       h->file);
        assert_non_null(strstr(err.msg, message));
        // What is over it does not take it out of the file.
        assert_code(load(h, "LLMSPELL_STORAGE_CONNECTION=postgresql://u@h/d",
                         "storage.connection=postgresql://u@h/d", &config, &err),
                    LLS_E_DENIED, err);
        assert_null(config);
        write_file(h, with[i], 0600);
        assert_ok(load(h, NULL, NULL, &config, &err), err);
        lls_config_free(config);
    }
}

static void a_file_without_a_password_may_be_read_by_all(void **state)
{
    const home *h = *state;
    lls_config *config = NULL;
    lls_error err = {0};

    write_file(h, "[storage]\nconnection = 'postgresql://u@h/d'\n", 0644);
    assert_ok(load(h, "LLMSPELL_STORAGE_CONNECTION=postgresql://u:pw@h/d", NULL, &config, &err),
              err);
    lls_config_free(config);
}

static void variables_that_name_no_key_are_refused(void **state)
{
    const home *h = *state;

    refuses_variable(h, "LLMSPELL_STORAGE_BACKNED=lmdb",
                     "environment: unknown variable 'LLMSPELL_STORAGE_BACKNED'");
    refuses_variable(h, "LLMSPELL_STORAGE_COMPONENTS_DREAMS=lmdb",
                     "environment: unknown variable 'LLMSPELL_STORAGE_COMPONENTS_DREAMS'");
    refuses_variable(h, "LLMSPELL_STORAGE_BACKENDS_LMDB_MAP_SISE=1",
                     "environment: unknown variable 'LLMSPELL_STORAGE_BACKENDS_LMDB_MAP_SISE'");
    refuses_variable(h, "LLMSPELL_STORAGE_BACKENDS__TYPE=lmdb",
                     "environment: unknown variable 'LLMSPELL_STORAGE_BACKENDS__TYPE'");
    refuses_variable(h, "LLMSPELL_STORAGE_TENANT=", "LLMSPELL_STORAGE_TENANT: empty tenant");
    refuses_variable(h, "LLMSPELL_STORAGE_BACKEND=",
                     "LLMSPELL_STORAGE_BACKEND: 'storage.backend' names no backend");
}

static void a_variable_may_give_a_backend_its_type(void **state)
{
    const home *h = *state;
    // The type stands behind what depends on it.
    const char *const environment[] = {h->variable,
                                       "LLMSPELL_STORAGE_BACKENDS_MAIN_MAP_SIZE=1GiB",
                                       "LLMSPELL_STORAGE_BACKENDS_MAIN_TYPE=lmdb",
                                       "LLMSPELL_STORAGE_BACKENDS_LMDB_DURABILITY=relaxed",
                                       "LLMSPELL_STORAGE_BACKENDS_MY_FUTURE_TYPE=future",
                                       "LLMSPELL_STORAGE_BACKENDS_MY_FUTURE_SPEED=high",
                                       "LLMSPELL_STORAGE_COMPONENTS_SESSIONS=main",
                                       "LLMSPELL_OTHER=1",
                                       NULL};
    lls_config_sources sources = {.abi = LLS_ABI, .environment = environment};
    lls_config *config = NULL;
    const char *type;
    lls_error err = {0};

    write_file(h, "[storage.backends.My-Own]\ntype = 'lmdb'\n", 0644);
    assert_ok(lls_config_load(&sources, &config, &err), err);
    assert_entry(config, "storage.backends.main.type", "lmdb",
                 "LLMSPELL_STORAGE_BACKENDS_MAIN_TYPE");
    assert_entry(config, "storage.backends.main.map_size", "1GiB",
                 "LLMSPELL_STORAGE_BACKENDS_MAIN_MAP_SIZE");
    assert_string_equal(lls_config_value(config, "storage.backends.lmdb.durability"), "relaxed");
    assert_string_equal(lls_config_raw(config, "storage.backends.my_future.speed"), "high");
    assert_ok(lls_config_backend_type(config, lls_config_route(config, &lls_component_sessions),
                                      &type, &err),
              err);
    assert_string_equal(type, "lmdb");
    lls_config_free(config);

    // A name of the file keeps its spelling.
    assert_ok(load(h, "LLMSPELL_STORAGE_BACKENDS_MY_OWN_TYPE=memory", NULL, &config, &err), err);
    assert_entry(config, "storage.backends.My-Own.type", "memory",
                 "LLMSPELL_STORAGE_BACKENDS_MY_OWN_TYPE");
    lls_config_free(config);
}

static void flags_are_checked_like_everything_else(void **state)
{
    const home *h = *state;
    lls_config *config = NULL;
    lls_error err = {0};

    assert_refused(load(h, NULL, "storage.backend", &config, &err), LLS_E_INVALID, &err,
                   "setting 'storage.backend' has no '='");
    assert_refused(load(h, NULL, "storage.tennant=x", &config, &err), LLS_E_INVALID, &err,
                   "flag: unknown key 'storage.tennant', did you mean 'storage.tenant'?");
    assert_null(config);
}

static void an_abi_of_another_library_is_refused(void **state)
{
    lls_config_sources sources = {0};
    lls_config *config = NULL;
    lls_error err = {0};

    (void)state;
    assert_refused(lls_config_load(&sources, &config, &err), LLS_E_INVALID, &err,
                   "lls_config_sources.abi is 0, this library's is 1");
    assert_null(config);
}

static void assert_same(const lls_config *a, const lls_config *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_string_equal(a->items[i].key, b->items[i].key);
        assert_string_equal(a->items[i].value, b->items[i].value);
        assert_string_equal(a->items[i].shown, b->items[i].shown);
        assert_string_equal(a->items[i].origin, b->items[i].origin);
    }
}

static void a_failed_allocation_never_makes_another_configuration(void **state)
{
    const home *h = *state;
    const char *const environment[] = {h->variable,
                                       "LLMSPELL_STORAGE_BACKENDS_MAIN_MAP_SIZE=1GiB",
                                       "LLMSPELL_STORAGE_BACKENDS_MAIN_TYPE=lmdb",
                                       "LLMSPELL_STORAGE_COMPONENTS_SESSIONS=main",
                                       "LLMSPELL_STORAGE_MIGRATION_BATCH_SIZE=7",
                                       NULL};
    const char *const flags[] = {"storage.tenant=me", "storage.backends.main.path=~/x"};
    lls_config_sources sources = {
        .abi = LLS_ABI, .environment = environment, .flags = flags, .flag_count = 2};
    lls_config *whole = NULL;
    lls_config *config = NULL;
    lls_error err = {0};
    lls_err e;
    long n = 0;

    write_file(h,
               "[storage]\nbackend = 'central'\n[storage.backends.central]\ntype = 'postgres'\n"
               "connection = 'postgresql://u:pw@h/d'\npool_size = 20\n"
               "[storage.backends.future]\nthing = 1\n[storage.components]\nagent_state = 'lmdb'\n",
               0600);
    assert_ok(lls_config_load(&sources, &whole, &err), err);
    do {
        lls_alloc_fail_after(n++);
        e = lls_config_load(&sources, &config, &err);
        lls_alloc_fail_after(-1);
        if (e != LLS_OK) {
            assert_code(e, LLS_E_NOMEM, err);
            assert_null(config);
        }
    } while (e != LLS_OK);
    assert_true(n > 50);
    assert_same(config, whole);
    lls_config_free(config);
    lls_config_free(whole);
}

#define HOME_TEST(name) cmocka_unit_test_setup_teardown(name, make_home, remove_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documented_examples_load_as_they_are),
        HOME_TEST(the_stronger_source_wins_and_is_named),
        HOME_TEST(the_file_is_found_through_the_given_environment),
        cmocka_unit_test(unknown_keys_are_refused_with_place_and_suggestion),
        cmocka_unit_test(values_of_the_wrong_kind_are_refused_with_place),
        cmocka_unit_test(names_of_nothing_are_refused_with_place),
        cmocka_unit_test(keys_that_stand_twice_are_refused),
        cmocka_unit_test(tables_of_other_programs_are_left_alone),
        cmocka_unit_test(passwords_are_never_shown),
        HOME_TEST(a_file_with_a_password_must_be_for_its_owner_alone),
        HOME_TEST(a_file_without_a_password_may_be_read_by_all),
        HOME_TEST(variables_that_name_no_key_are_refused),
        HOME_TEST(a_variable_may_give_a_backend_its_type),
        HOME_TEST(flags_are_checked_like_everything_else),
        cmocka_unit_test(an_abi_of_another_library_is_refused),
        HOME_TEST(a_failed_allocation_never_makes_another_configuration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
