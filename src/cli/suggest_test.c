#include "cli/suggest.h"

#include "testing/check.h"

static const char *nearest(const char *word)
{
    static const char *const words[] = {"get",    "put",     "list", "import",
                                        "export", "migrate", "plan"};
    cli_suggestion suggestion = {.word = word};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        cli_suggest(&suggestion, words[i]);
    return suggestion.nearest;
}

static void a_near_miss_is_understood(void **state)
{
    (void)state;
    assert_string_equal(nearest("gett"), "get");
    assert_string_equal(nearest("paln"), "plan");
    assert_string_equal(nearest("migrte"), "migrate");
    assert_string_equal(nearest("exprot"), "export");
    assert_string_equal(nearest("migr"), "migrate"); // the beginning of a word
}

static void a_word_from_elsewhere_gets_no_suggestion(void **state)
{
    (void)state;
    assert_null(nearest("frobnicate"));
    assert_null(nearest("x"));
    assert_null(nearest(""));
    assert_null(nearest("a-word-that-is-much-longer-than-any-that-we-have-got"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_near_miss_is_understood),
        cmocka_unit_test(a_word_from_elsewhere_gets_no_suggestion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
