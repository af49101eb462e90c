#include "ports/option.h"

#include "base/alloc.h"
#include "base/scope.h"
#include "testing/check.h"

typedef struct conf {
    bool sync;
    uint64_t map_size;
    uint64_t readers;
    uint64_t timeout;
    const char *label;
    const char *mode;
    const char *path;
    const char *spare;
    const char *connection;
} conf;

static const lls_option options[] = {
    LLS_OPTION(conf, sync, LLS_OPT_BOOL, "true", "wait for the disk"),
    LLS_OPTION(conf, map_size, LLS_OPT_SIZE, "1GiB", "bytes", .min = 1024, .max = 1ull << 40),
    LLS_OPTION(conf, readers, LLS_OPT_COUNT, "126", "slots", .min = 1, .max = 1000),
    LLS_OPTION(conf, timeout, LLS_OPT_DURATION, "5s", "to wait"),
    LLS_OPTION(conf, label, LLS_OPT_TEXT, "", "any text"),
    LLS_OPTION(conf, mode, LLS_OPT_CHOICE, "full", "how", .choices = "full|relaxed"),
    LLS_OPTION(conf, path, LLS_OPT_PATH, "/var/lib/x", "folder"),
    LLS_OPTION(conf, spare, LLS_OPT_PATH, "~/spare", "folder"),
    LLS_OPTION(conf, connection, LLS_OPT_CONNINFO, "host=localhost", "server"),
    {0},
};

static int set_home(void **state)
{
    (void)state;
    return setenv("HOME", "/home/x", 1);
}

static void presets_fill_what_nobody_set(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) memory = {0};
    lls_error err = {0};
    conf c = {0};

    assert_ok(lls_options_fill(options, NULL, 0, &c, &memory, &err), err);
    assert_true(c.sync);
    assert_int_equal(c.map_size, 1 << 30);
    assert_int_equal(c.readers, 126);
    assert_int_equal(c.timeout, 5000);
    assert_string_equal(c.label, "");
    assert_string_equal(c.mode, "full");
    assert_string_equal(c.path, "/var/lib/x");
    assert_string_equal(c.spare, "/home/x/spare");
    assert_string_equal(c.connection, "host=localhost");
}

static void the_last_setting_of_a_name_counts(void **state)
{
    (void)state;
    const lls_setting settings[] = {
        {"readers", "7", "llmspell.toml:1:1"},
        {"mode", "relaxed", NULL},
        {"readers", "8", "flag"},
        {"sync", "false", NULL},
        {"path", "~", NULL},
    };
    LLS_AUTO(lls_buf) memory = {0};
    lls_error err = {0};
    conf c = {0};

    assert_ok(lls_options_fill(options, settings, LLS_COUNT(settings), &c, &memory, &err), err);
    assert_int_equal(c.readers, 8);
    assert_string_equal(c.mode, "relaxed");
    assert_string_equal(c.path, "/home/x");
    assert_false(c.sync);
}

static uint64_t number(const char *name, const char *value)
{
    const lls_setting setting = {name, value, NULL};
    LLS_AUTO(lls_buf) memory = {0};
    lls_error err = {0};
    conf c = {0};

    assert_ok(lls_options_fill(options, &setting, 1, &c, &memory, &err), err);
    return name[0] == 'm' ? c.map_size : name[0] == 'r' ? c.readers : c.timeout;
}

static void numbers_have_units(void **state)
{
    (void)state;

    assert_int_equal(number("map_size", "4096"), 4096);
    assert_int_equal(number("map_size", "4096B"), 4096);
    assert_int_equal(number("map_size", "1KiB"), 1024);
    assert_int_equal(number("map_size", "64MiB"), 64 << 20);
    assert_int_equal(number("map_size", "3GiB"), UINT64_C(3) << 30);
    assert_int_equal(number("map_size", "1TiB"), UINT64_C(1) << 40);
    assert_int_equal(number("timeout", "0"), 0);
    assert_int_equal(number("timeout", "500ms"), 500);
    assert_int_equal(number("timeout", "2m"), 120000);
    assert_int_equal(number("timeout", "1h"), 3600000);
    assert_int_equal(number("timeout", "2d"), 172800000);
}

/* The message of a refused setting; nothing may have changed. */
static void assert_refused(const char *name, const char *value, const char *message)
{
    const lls_setting setting = {name, value, "llmspell.toml:3:12"};
    LLS_AUTO(lls_buf) memory = {0};
    lls_error err = {0};
    conf c;
    conf before;

    memset(&c, 0x55, sizeof(c));
    memcpy(&before, &c, sizeof(c));
    lls_buf_add_text(&memory, "kept");
    assert_code(lls_options_fill(options, &setting, 1, &c, &memory, &err), LLS_E_INVALID, err);
    if (!strstr(err.msg, message))
        fail_msg("want '%s', got '%s'", message, err.msg);
    assert_memory_equal(&c, &before, sizeof(c));
    assert_bytes(lls_buf_view(&memory), "kept");
}

static void bad_values_are_named_with_their_origin(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"map_size", ""},
        {"map_size", "-1"},
        {"map_size", "1 MiB"},
        {"map_size", "1MB"},
        {"map_size", "1.5GiB"},
        {"map_size", "18446744073709551616"},
        {"map_size", "99999999999TiB"},
        {"map_size", "0x400"},
        {"map_size", "MiB"},
        {"map_size", "512"},
        {"map_size", "2TiB"},
        {"readers", "0"},
        {"readers", "1001"},
        {"readers", "5KiB"},
        {"timeout", "5"},
        {"timeout", "5 s"},
        {"timeout", "5sec"},
        {"sync", "yes"},
        {"sync", "TRUE"},
        {"sync", ""},
        {"mode", ""},
        {"mode", "ful"},
        {"mode", "fullx"},
        {"mode", "full|relaxed"},
    };

    for (size_t i = 0; i < LLS_COUNT(pairs); i++)
        assert_refused(pairs[i][0], pairs[i][1], "(llmspell.toml:3:12)");
    assert_refused("map_size", "12xx",
                   "option 'map_size' (llmspell.toml:3:12): '12xx' is not a size such as 64MiB");
    assert_refused("readers", "0", "'0' is outside the limits of 1 and 1000");
    assert_refused("mode", "slow", "'slow' is not one of full|relaxed");
}

static void unknown_options_are_named_and_the_nearest_offered(void **state)
{
    (void)state;

    assert_refused("map_sise", "1", "unknown option 'map_sise' (llmspell.toml:3:12)");
    assert_refused("map_sise", "1", "did you mean 'map_size'?");
    assert_refused("reader", "1", "did you mean 'readers'?");
    assert_refused("completely_else", "1", "(there are: sync, map_size,");
    assert_refused("", "1", "unknown option ''");
}

static void what_has_no_preset_is_required(void **state)
{
    (void)state;
    static const lls_option needed[] = {
        {.name = "connection", .type = LLS_OPT_CONNINFO, .meaning = "server"},
        {0},
    };
    LLS_AUTO(lls_buf) memory = {0};
    const char *connection = NULL;
    lls_error err = {0};

    assert_code(lls_options_fill(needed, NULL, 0, &connection, &memory, &err), LLS_E_INVALID, err);
    assert_string_equal(err.msg, "option 'connection' is required");
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    char longest[5000];
    lls_err e;
    long n = 0;

    memset(longest, 'p', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    const lls_setting settings[] = {{"path", longest, NULL}, {"spare", "~/s", NULL}};
    do {
        LLS_AUTO(lls_buf) memory = {0};
        lls_error err = {0};
        conf c = {0};
        lls_alloc_fail_after(n++);
        e = lls_options_fill(options, settings, 2, &c, &memory, &err);
        lls_alloc_fail_after(-1);
        assert_true(e == LLS_OK || e == LLS_E_NOMEM);
        if (e == LLS_OK) {
            assert_string_equal(c.path, longest);
            assert_string_equal(c.spare, "/home/x/s");
        } else {
            assert_null(c.path);
        }
    } while (e != LLS_OK);
    assert_true(n > 1);
}

static void types_say_what_they_look_like(void **state)
{
    (void)state;

    for (int type = LLS_OPT_BOOL; type <= LLS_OPT_CONNINFO; type++)
        assert_true(strlen(lls_option_type_text((lls_option_type)type)) > 3);
    assert_ptr_equal(lls_option_find(options, LLS_STR("readers")), &options[2]);
    assert_null(lls_option_find(options, LLS_STR("reader")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_fill_what_nobody_set),
        cmocka_unit_test(the_last_setting_of_a_name_counts),
        cmocka_unit_test(numbers_have_units),
        cmocka_unit_test(bad_values_are_named_with_their_origin),
        cmocka_unit_test(unknown_options_are_named_and_the_nearest_offered),
        cmocka_unit_test(what_has_no_preset_is_required),
        cmocka_unit_test(every_failing_allocation_is_survived),
        cmocka_unit_test(types_say_what_they_look_like),
    };

    return cmocka_run_group_tests(tests, set_home, NULL);
}
