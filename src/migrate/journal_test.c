#include "migrate/journal.h"

#include "base/file.h"
#include "base/scope.h"
#include "testing/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { COMMITS = 6 };

/* A folder with a journal in it, and its bytes. */
typedef struct fixture {
    char folder[64];
    lls_buf path;
    lls_buf bytes;
    size_t ends[COMMITS + 1]; /* of the file after each commit */
} fixture;

static lls_entry entry(size_t i)
{
    lls_entry e = {.type = LLS_ENTRY_PROGRESS,
                   .at_usec = (int64_t)i,
                   .component = (uint32_t)i,
                   .sum = {i * 10, i * 100, {i, i + 1}},
                   .text = LLS_STR("agent:x:y")};

    return e;
}

static void read_bytes(fixture *f)
{
    lls_error err = {0};

    lls_buf_clear(&f->bytes);
    assert_ok(lls_file_read(lls_buf_cstr(&f->path), 1 << 20, &f->bytes, &err), err);
}

static void write_bytes(const fixture *f, lls_bytes bytes)
{
    lls_error err = {0};
    lls_buf path = {0};

    lls_buf_add(&path, lls_buf_view(&f->path));
    assert_ok(lls_file_replace(lls_buf_cstr(&path), bytes, 0600, &err), err);
    lls_buf_fini(&path);
}

static void setup(fixture *f)
{
    lls_journal *journal = NULL;
    lls_error err = {0};
    lls_entry first = {.type = LLS_ENTRY_RUN, .text = LLS_STR("migration-1"), .digest = {1, 2}};

    *f = (fixture){.folder = "/tmp/lls-journal-XXXXXX"};
    assert_non_null(mkdtemp(f->folder));
    lls_buf_printf(&f->path, "%s/journal", f->folder);
    assert_ok(lls_journal_create(lls_buf_cstr(&f->path), &first, &journal, &err), err);
    for (size_t i = 0; i < COMMITS; i++) {
        lls_entry e = entry(i);
        lls_entry phase = {.type = LLS_ENTRY_PHASE, .phase = LLS_PHASE_COPYING};
        read_bytes(f);
        f->ends[i] = f->bytes.len;
        lls_journal_add(journal, &e);
        lls_journal_add(journal, &phase);
        assert_ok(lls_journal_commit(journal, &err), err);
    }
    lls_journal_close(journal);
    read_bytes(f);
    f->ends[COMMITS] = f->bytes.len;
}

static void teardown(fixture *f)
{
    (void)unlink(lls_buf_cstr(&f->path));
    assert_int_equal(rmdir(f->folder), 0);
    lls_buf_fini(&f->path);
    lls_buf_fini(&f->bytes);
}

/* What a reading told. */
typedef struct told {
    size_t runs;
    size_t phases;
    size_t progress;
} told;

static lls_err count(void *user, const lls_entry *e, lls_error *err)
{
    told *t = user;

    (void)err;
    t->runs += e->type == LLS_ENTRY_RUN;
    t->phases += e->type == LLS_ENTRY_PHASE;
    if (e->type == LLS_ENTRY_PROGRESS) {
        lls_entry want = entry(t->progress++);
        assert_int_equal(e->at_usec, want.at_usec);
        assert_int_equal(e->component, want.component);
        assert_memory_equal(&e->sum, &want.sum, sizeof(want.sum));
        assert_true(lls_str_eq(e->text, want.text));
    }
    return LLS_OK;
}

static void tells_what_was_committed(void **state)
{
    fixture f;
    told t = {0};
    lls_error err = {0};

    (void)state;
    setup(&f);
    assert_ok(lls_journal_read(lls_buf_cstr(&f.path), count, &t, &err), err);
    assert_int_equal(t.runs, 1);
    assert_int_equal(t.phases, COMMITS);
    assert_int_equal(t.progress, COMMITS);
    teardown(&f);
}

static void cut_at_any_byte_it_tells_the_commits_before(void **state)
{
    fixture f;

    (void)state;
    setup(&f);
    for (size_t len = 0; len < f.bytes.len; len++) {
        lls_journal *journal = NULL;
        lls_error err = {0};
        told t = {0};
        size_t whole = 0;

        write_bytes(&f, (lls_bytes){f.bytes.data, len});
        lls_err e = lls_journal_open(lls_buf_cstr(&f.path), count, &t, &journal, &err);
        if (len < f.ends[0]) { // not even its first commit is there: the run never began
            assert_int_equal(e, LLS_E_CORRUPT);
            continue;
        }
        assert_int_equal(e, LLS_OK);
        while (whole < COMMITS && f.ends[whole + 1] <= len)
            whole++;
        assert_int_equal(t.progress, whole);
        assert_int_equal(t.phases, whole);

        // What is added now comes right behind.
        lls_entry next = entry(whole);
        lls_journal_add(journal, &next);
        assert_ok(lls_journal_commit(journal, &err), err);
        lls_journal_close(journal);
        t = (told){0};
        assert_ok(lls_journal_read(lls_buf_cstr(&f.path), count, &t, &err), err);
        assert_int_equal(t.progress, whole + 1);
    }
    teardown(&f);
}

static void damage_before_the_last_commit_is_named(void **state)
{
    fixture f;

    (void)state;
    setup(&f);
    for (size_t at = 0; at < f.ends[COMMITS - 1]; at++) {
        LLS_AUTO(lls_buf) bad = {0};
        lls_error err = {0};
        told t = {0};

        lls_buf_add(&bad, lls_buf_view(&f.bytes));
        bad.data[at] ^= 0x10;
        write_bytes(&f, lls_buf_view(&bad));
        lls_err e = lls_journal_read(lls_buf_cstr(&f.path), count, &t, &err);
        assert_true(e == LLS_E_CORRUPT || e == LLS_E_NEWER);
        assert_non_null(strstr(err.msg, "byte"));
    }
    teardown(&f);
}

static void the_offset_of_the_damage_is_told(void **state)
{
    fixture f;
    lls_error err = {0};
    told t = {0};
    LLS_AUTO(lls_buf) want = {0};

    (void)state;
    setup(&f);
    f.bytes.data[f.ends[2] + 12] ^= 1;
    write_bytes(&f, lls_buf_view(&f.bytes));
    assert_code(lls_journal_read(lls_buf_cstr(&f.path), count, &t, &err), LLS_E_CORRUPT, err);
    lls_buf_printf(&want, "'%s' is damaged at byte %zu", lls_buf_cstr(&f.path), f.ends[2]);
    assert_string_equal(err.msg, lls_buf_cstr(&want));
    teardown(&f);
}

static void only_one_may_have_it_open(void **state)
{
    fixture f;
    lls_journal *one = NULL;
    lls_journal *two = NULL;
    lls_error err = {0};
    told t = {0};

    (void)state;
    setup(&f);
    assert_false(lls_journal_is_open(lls_buf_cstr(&f.path)));
    assert_ok(lls_journal_open(lls_buf_cstr(&f.path), count, &t, &one, &err), err);
    assert_true(lls_journal_is_open(lls_buf_cstr(&f.path)));
    assert_code(lls_journal_open(lls_buf_cstr(&f.path), count, &t, &two, &err), LLS_E_BUSY, err);
    lls_journal_close(one);
    assert_false(lls_journal_is_open(lls_buf_cstr(&f.path)));
    teardown(&f);
}

static void what_was_not_committed_is_not_there(void **state)
{
    fixture f;
    lls_journal *journal = NULL;
    lls_error err = {0};
    told t = {0};
    lls_entry more = entry(COMMITS);

    (void)state;
    setup(&f);
    assert_ok(lls_journal_open(lls_buf_cstr(&f.path), count, &t, &journal, &err), err);
    lls_journal_add(journal, &more);
    lls_journal_close(journal);
    t = (told){0};
    assert_ok(lls_journal_read(lls_buf_cstr(&f.path), count, &t, &err), err);
    assert_int_equal(t.progress, COMMITS);
    teardown(&f);
}

/* A journal of format 1, as it was first written: it must be read for ever. */
static const char golden[] =
    "4c4c534a524e4c0a01000000525374b628000000045882ec0101000000000000000b0000006d6967"
    "726174696f6e2d3102000000000000000100000000000000b1000000e57c9a160202000000000000"
    "000a0000007069642031206f6e206103030000000000000006010404000000000000000100000005"
    "00000000000000060000000000000008000000000000000700000000000000010000006b05090000"
    "00000000000200000001000000000000000200000000000000040000000000000003000000000000"
    "00050000000000000006000000000000000800000000000000070000000000000009000000000000"
    "000a00000000000000";

static lls_err check_golden(void *user, const lls_entry *e, lls_error *err)
{
    size_t *n = user;

    (void)err;
    switch ((*n)++) {
    case 0:
        assert_int_equal(e->type, LLS_ENTRY_RUN);
        assert_true(lls_str_eq(e->text, LLS_STR("migration-1")));
        assert_int_equal(e->digest.high, 1);
        assert_int_equal(e->digest.low, 2);
        break;
    case 1:
        assert_int_equal(e->type, LLS_ENTRY_HOLDER);
        assert_true(lls_str_eq(e->text, LLS_STR("pid 1 on a")));
        break;
    case 2:
        assert_int_equal(e->type, LLS_ENTRY_PHASE);
        assert_int_equal(e->phase, LLS_PHASE_UNDOING);
        assert_true(e->published);
        break;
    case 3:
        assert_int_equal(e->type, LLS_ENTRY_PROGRESS);
        assert_int_equal(e->component, 1);
        assert_int_equal(e->sum.bytes, 6);
        assert_int_equal(e->sum.digest.high, 7);
        break;
    default:
        assert_int_equal(e->type, LLS_ENTRY_OUTCOME);
        assert_int_equal(e->at_usec, 9);
        assert_int_equal(e->component, 2);
        assert_int_equal(e->target.count, 5);
        assert_int_equal(e->verified, 9);
        assert_int_equal(e->replaced, 10);
    }
    return LLS_OK;
}

static unsigned digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void a_journal_of_the_first_version_is_read(void **state)
{
    fixture f;
    LLS_AUTO(lls_buf) bytes = {0};
    lls_error err = {0};
    size_t entries = 0;

    (void)state;
    setup(&f);
    for (size_t i = 0; golden[i]; i += 2) {
        uint8_t byte = (uint8_t)(digit(golden[i]) << 4 | digit(golden[i + 1]));
        lls_buf_add(&bytes, (lls_bytes){&byte, 1});
    }
    write_bytes(&f, lls_buf_view(&bytes));
    assert_ok(lls_journal_read(lls_buf_cstr(&f.path), check_golden, &entries, &err), err);
    assert_int_equal(entries, 5);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_was_committed),
        cmocka_unit_test(cut_at_any_byte_it_tells_the_commits_before),
        cmocka_unit_test(damage_before_the_last_commit_is_named),
        cmocka_unit_test(the_offset_of_the_damage_is_told),
        cmocka_unit_test(only_one_may_have_it_open),
        cmocka_unit_test(what_was_not_committed_is_not_there),
        cmocka_unit_test(a_journal_of_the_first_version_is_read),
    };

    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
