/* Words are short, valid and folded; a text that stands twice has each of them twice. */
#include "text/tokenize.h"

#include "base/json.h"
#include "base/scope.h"
#include "fuzz.h"
#include "text/letters.h"

/* A word of a script with spaces has itself as its only word. */
static void read_again(lls_str word)
{
    lls_text_walk walk;
    lls_str again;

    lls_text_walk_begin(&walk, word);
    must(lls_text_walk_next(&walk, &again));
    if (lls_text_count(word) == 1)
        must(lls_str_eq(word, again));
    else // a pair: its first character is a word, and so are the second and both
        must(lls_text_count(word) == 3 && again.len < word.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    LLS_AUTO(lls_buf) twice = {0};
    lls_text_walk walk;
    lls_str word;
    uint64_t count = 0;

    lls_text_walk_begin(&walk, text_of(data, size));
    while (lls_text_walk_next(&walk, &word)) {
        must(word.len > 0 && word.len <= LLS_TEXT_WORD_MAX);
        must(lls_utf8_check(lls_bytes_of(word)));
        read_again(word);
        count++;
    }
    must(!lls_text_walk_next(&walk, &word));
    must(lls_text_count(text_of(data, size)) == count);

    lls_buf_add(&twice, (lls_bytes){data, size});
    lls_buf_add_text(&twice, " ");
    lls_buf_add(&twice, (lls_bytes){data, size});
    must(lls_text_count(lls_buf_str(&twice)) == 2 * count);
    return 0;
}
