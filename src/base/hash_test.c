#include "base/hash.h"

#include "base/little.h"
#include "base/scope.h"
#include "testing/check.h"

#include <xxhash.h>

static lls_digest of_two(lls_bytes a, lls_bytes b)
{
    const lls_bytes parts[] = {a, b};

    return lls_digest_of(parts, 2);
}

/* Stored in journals and backups: a change of these breaks what users have on disk. */
static void digests_and_checksums_never_change(void **state)
{
    (void)state;
    const lls_bytes parts[] = {B("ab"), B("c")};
    char text[LLS_DIGEST_TEXT];

    lls_digest_format(lls_digest_of(parts, 2), text);
    assert_string_equal(text, "f2eda2708bcfd51cc05c0ee4c9f60440");
    lls_digest_format(lls_digest_of(NULL, 0), text);
    assert_string_equal(text, "99aa06d3014798d86001c324468d497f"); // XXH3-128 of nothing
    assert_int_equal(lls_checksum(parts, 2), 0x892f3950);
}

static void parts_are_told_apart(void **state)
{
    (void)state;

    assert_false(lls_digest_eq(of_two(B("ab"), B("c")), of_two(B("a"), B("bc"))));
    assert_false(lls_digest_eq(of_two(B(""), B("a")), of_two(B("a"), B(""))));
    assert_true(lls_digest_eq(of_two(B("ab"), (lls_bytes){0}), of_two(B("ab"), B(""))));
}

static void a_sum_does_not_depend_on_order(void **state)
{
    (void)state;
    lls_digest a = of_two(B("1"), B("2"));
    lls_digest b = of_two(B("3"), B("4"));
    lls_digest ab = {0};
    lls_digest ba = {0};

    lls_digest_add(&ab, a);
    lls_digest_add(&ab, b);
    lls_digest_add(&ba, b);
    lls_digest_add(&ba, a);
    assert_true(lls_digest_eq(ab, ba));
    lls_digest_add(&ba, a);
    assert_false(lls_digest_eq(ab, ba)); // a record twice is not nothing
}

static void a_sum_carries_and_wraps(void **state)
{
    (void)state;
    lls_digest sum = {.high = 1, .low = UINT64_MAX};

    lls_digest_add(&sum, (lls_digest){.low = 1});
    assert_true(lls_digest_eq(sum, (lls_digest){.high = 2, .low = 0}));
    sum = (lls_digest){UINT64_MAX, UINT64_MAX};
    lls_digest_add(&sum, (lls_digest){.low = 1});
    assert_true(lls_digest_eq(sum, (lls_digest){0}));
}

static void text_round_trips(void **state)
{
    (void)state;
    lls_digest d = {.high = UINT64_C(0x00123456789abcde), .low = UINT64_C(0xfedcba9876543210)};
    lls_digest back = {0};
    lls_error err = {0};
    char text[LLS_DIGEST_TEXT];

    lls_digest_format(d, text);
    assert_string_equal(text, "00123456789abcdefedcba9876543210");
    assert_ok(lls_digest_parse(lls_str_of(text), &back, &err), err);
    assert_true(lls_digest_eq(d, back));
}

static void other_texts_are_no_digests(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "0",
        "00123456789abcdefedcba987654321",
        "00123456789abcdefedcba98765432100",
        "00123456789ABCDEfedcba9876543210",
        "00123456789abcdefedcba987654321g",
        " 0123456789abcdefedcba9876543210",
    };

    for (size_t i = 0; i < LLS_COUNT(bad); i++) {
        lls_digest d = {1, 2};
        lls_error err = {0};
        assert_code(lls_digest_parse(lls_str_of(bad[i]), &d, &err), LLS_E_PARSE, err);
        assert_true(lls_digest_eq(d, (lls_digest){1, 2}));
    }
}

/* Short input is gathered and hashed at once, long input streamed: both must agree with XXH3-128 of
 * each part behind its length. */
static void digests_are_of_lengths_and_parts(void **state)
{
    (void)state;
    uint8_t bytes[3000] = {0};
    uint8_t framed[sizeof(bytes) + 16] = {0};

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    for (size_t len = 0; len <= sizeof(bytes); len += len < 1100 ? 1 : 97) {
        const lls_bytes parts[] = {{bytes, len / 3}, {bytes + len / 3, len - len / 3}};
        size_t second = 8 + parts[0].len;
        lls_little_set_u64(framed, parts[0].len);
        memcpy(framed + 8, parts[0].data, parts[0].len);
        lls_little_set_u64(framed + second, parts[1].len);
        memcpy(framed + second + 8, parts[1].data, parts[1].len);
        XXH128_hash_t want = XXH3_128bits(framed, len + 16);
        lls_digest got = lls_digest_of(parts, LLS_COUNT(parts));
        assert_true(got.high == want.high64 && got.low == want.low64);
    }
}

/* The same of checksums, without lengths. */
static void checksums_do_not_depend_on_the_cuts(void **state)
{
    (void)state;
    uint8_t bytes[4000];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    for (size_t len = 0; len <= sizeof(bytes); len += len < 1100 ? 1 : 97) {
        const lls_bytes whole[] = {{bytes, len}};
        const lls_bytes cut[] = {{bytes, len / 3}, {NULL, 0}, {bytes + len / 3, len - len / 3}};
        assert_int_equal(lls_checksum(whole, 1), lls_checksum(cut, 3));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_and_checksums_never_change),
        cmocka_unit_test(parts_are_told_apart),
        cmocka_unit_test(a_sum_does_not_depend_on_order),
        cmocka_unit_test(a_sum_carries_and_wraps),
        cmocka_unit_test(text_round_trips),
        cmocka_unit_test(other_texts_are_no_digests),
        cmocka_unit_test(digests_are_of_lengths_and_parts),
        cmocka_unit_test(checksums_do_not_depend_on_the_cuts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
