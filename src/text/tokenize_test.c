#include "base/scope.h"
#include "testing/check.h"
#include "text/letters.h"
#include "text/tokenize.h"

/* The words of `text`, each with a bar behind it. */
static lls_buf words_of(lls_str text)
{
    lls_text_walk walk;
    lls_buf joined = {0};
    lls_str word;
    uint64_t count = 0;

    lls_text_walk_begin(&walk, text);
    while (lls_text_walk_next(&walk, &word)) {
        lls_buf_add_str(&joined, word);
        lls_buf_add_text(&joined, "|");
        count++;
    }
    assert_false(lls_text_walk_next(&walk, &word));
    assert_int_equal(lls_text_count(text), count);
    return joined;
}

#define assert_words(literal, wanted)                                                              \
    do {                                                                                           \
        LLS_AUTO(lls_buf) words_ = words_of(LLS_STR(literal));                                     \
        assert_bytes(lls_buf_view(&words_), wanted);                                               \
    } while (0)

static void words_are_runs_of_letters_and_digits(void **state)
{
    (void)state;
    assert_words("", "");
    assert_words(" .,;-_!\n\t", "");
    assert_words("The quick brown-fox, v2.0!", "the|quick|brown|fox|v2|0|");
    assert_words("don't snake_case a", "don|t|snake|case|a|");
    assert_words("one\0two", "one|two|");
}

static void case_is_folded_in_every_script(void **state)
{
    (void)state;
    assert_words("Grüße GRÜẞE ΣΊΣΥΦΟΣ σίσυφος ПРИВЕТ", "grüße|grüße|σίσυφοσ|σίσυφοσ|привет|");
    assert_words("\xe2\x84\xaa \xc4\xb0 Ⱥ",
                 "k|\xc4\xb0|ⱥ|"); // the Kelvin sign; İ has no simple form
}

static void marks_belong_to_words(void **state)
{
    (void)state;
    assert_words("cafe\xcc\x81 caf\xc3\xa9", "cafe\xcc\x81|caf\xc3\xa9|"); // no normal form is made
    assert_words("हिन्दी עִבְרִית", "हिन्दी|עִבְרִית|");
}

static void unspaced_scripts_give_characters_and_pairs(void **state)
{
    (void)state;
    assert_words("東京都", "東|京|東京|都|京都|");
    assert_words("東 京", "東|京|");
    assert_words("iPhone手机ok", "iphone|手|机|手机|ok|");
    assert_words("カ、ナ", "カ|ナ|");
    assert_words("ไทย", "ไ|ท|ไท|ย|ทย|");
    assert_words("한국어 사전", "한국어|사전|"); // Hangul has spaces
}

static void long_words_are_known_by_their_beginning(void **state)
{
    char text[4096];
    lls_text_walk walk;
    lls_str word;

    (void)state;
    memset(text, 'A', sizeof(text));
    lls_text_walk_begin(&walk, (lls_str){text, sizeof(text)});
    assert_true(lls_text_walk_next(&walk, &word));
    assert_int_equal(word.len, LLS_TEXT_WORD_MAX);
    assert_false(lls_text_walk_next(&walk, &word));
    for (size_t i = 1; i + 2 <= sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xa9", 2); // whole characters only: 1 + 31 times 2 bytes
    lls_text_walk_begin(&walk, (lls_str){text, sizeof(text)});
    assert_true(lls_text_walk_next(&walk, &word));
    assert_int_equal(word.len, LLS_TEXT_WORD_MAX - 1);
    assert_int_equal(word.data[0], 'a');
}

static void a_character_that_does_not_fit_ends_the_word(void **state)
{
    char text[LLS_TEXT_WORD_MAX + 4];
    lls_text_walk walk;
    lls_str word;

    (void)state;
    memset(text, 'a', sizeof(text));
    memcpy(text + LLS_TEXT_WORD_MAX - 1, "\xc3\xa9", 2); // does not fit; the 'a' behind it would
    lls_text_walk_begin(&walk, (lls_str){text, sizeof(text)});
    assert_true(lls_text_walk_next(&walk, &word));
    assert_int_equal(word.len, LLS_TEXT_WORD_MAX - 1);
}

static void broken_bytes_part_words(void **state)
{
    (void)state;
    assert_words("a\xff"
                 "b \xc3",
                 "a|b|");
    assert_words("\xed\xa0\x80x\xf4\x90\x80\x80y", "x|y|");
}

static void folding_twice_is_folding_once(void **state)
{
    uint32_t folded = 0;

    (void)state;
    for (uint32_t c = 0; c < 0x110000; c++) {
        uint32_t once = lls_text_fold(c);
        folded += once != c;
        assert_int_equal(lls_text_fold(once), once);
        if (lls_text_is_letter(c))
            assert_true(lls_text_is_letter(once));
        if (lls_text_is_unspaced(c))
            assert_int_equal(once, c); // so that words can be views into the text
    }
    assert_true(folded > 1300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_runs_of_letters_and_digits),
        cmocka_unit_test(case_is_folded_in_every_script),
        cmocka_unit_test(marks_belong_to_words),
        cmocka_unit_test(unspaced_scripts_give_characters_and_pairs),
        cmocka_unit_test(long_words_are_known_by_their_beginning),
        cmocka_unit_test(a_character_that_does_not_fit_ends_the_word),
        cmocka_unit_test(broken_bytes_part_words),
        cmocka_unit_test(folding_twice_is_folding_once),
    };

    return cmocka_run_group_tests_name("tokenize", tests, NULL, NULL);
}
