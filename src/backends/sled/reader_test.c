/* The reader against databases that the real engine wrote: tests/sled/README.md. */
#include "backends/sled/reader.h"

#include "base/file.h"
#include "base/scope.h"
#include "testing/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIXTURES LLS_SOURCE_DIR "/tests/sled/"

static void add_hex(lls_bytes bytes, lls_buf *out)
{
    for (size_t i = 0; i < bytes.len; i++)
        lls_buf_printf(out, "%02x", bytes.data[i]);
}

/* As the expected contents are written: tree, key and value in hexadecimal. */
static lls_err dump(const char *path, sled_tail tail, lls_buf *out, lls_error *err)
{
    LLS_AUTO(sled_db_ref) db = NULL;
    lls_bytes tree;

    LLS_TRY(sled_open(path, tail, &db, err));
    for (size_t i = 0; sled_tree_at(db, i, &tree) == LLS_OK; i++) {
        LLS_AUTO(sled_cursor_ref) cursor = NULL;
        lls_bytes key;
        lls_bytes value;
        lls_err e;
        LLS_TRY(sled_cursor_open(db, tree, (lls_bytes){0}, &cursor, err));
        while ((e = sled_cursor_next(cursor, &key, &value, err)) == LLS_OK) {
            lls_buf_add(out, tree);
            lls_buf_add_text(out, "\t");
            add_hex(key, out);
            lls_buf_add_text(out, "\t");
            add_hex(value, out);
            lls_buf_add_text(out, "\n");
        }
        if (e != LLS_END)
            return e;
    }
    return LLS_OK;
}

static void the_contents_are_what_the_engine_lists(void **state)
{
    static const char *const names[] = {"churn_seg8192", "empty",      "mergeop", "ten",
                                        "ten_reopened",  "ten_seg512", "ten_zstd"};

    (void)state;
    for (size_t i = 0; i < LLS_COUNT(names); i++) {
        LLS_AUTO(lls_buf) got = {0};
        LLS_AUTO(lls_buf) want = {0};
        char path[512];
        lls_error err = {0};
        (void)snprintf(path, sizeof(path), FIXTURES "%s", names[i]);
        assert_ok(dump(path, SLED_TAIL_REFUSE, &got, &err), err);
        (void)snprintf(path, sizeof(path), FIXTURES "%s.tsv", names[i]);
        assert_ok(lls_file_read(path, 64 << 20, &want, &err), err);
        if (!lls_str_eq(lls_buf_str(&got), lls_buf_str(&want)))
            fail_msg("%s: other contents than the engine's", names[i]);
    }
}

static void damage_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *name;
        const char *part;
    } bad[] = {
        {"bad_conf", "bad_conf/conf' at byte 58: the checksum is wrong"},
        {"bad_flip_value", "bad_flip_value/db' at byte 114688"},
        {"bad_header", "bad_header/db' at byte 40960"},
        {"bad_snapshot", "bad_snapshot/snap.00000000000001B8' at byte 0"},
    };

    (void)state;
    for (size_t i = 0; i < LLS_COUNT(bad); i++) {
        LLS_AUTO(lls_buf) got = {0};
        char path[512];
        lls_error err = {0};
        (void)snprintf(path, sizeof(path), FIXTURES "%s", bad[i].name);
        assert_code(dump(path, SLED_TAIL_REFUSE, &got, &err), LLS_E_CORRUPT, err);
        if (!strstr(err.msg, bad[i].part))
            fail_msg("%s: '%s'", bad[i].name, err.msg);
    }
}

static void keys_are_found_and_walked_from_anywhere(void **state)
{
    LLS_AUTO(sled_db_ref) db = NULL;
    LLS_AUTO(sled_cursor_ref) cursor = NULL;
    LLS_AUTO(lls_buf) value = {0};
    lls_bytes tree = B(SLED_DEFAULT_TREE);
    lls_bytes key;
    lls_bytes ignored;
    lls_error err = {0};

    (void)state;
    assert_ok(sled_open(FIXTURES "ten", SLED_TAIL_REFUSE, &db, &err), err);
    assert_ok(sled_get(db, tree, B("key7"), &value, &err), err);
    assert_bytes(lls_buf_view(&value), "value 7");
    assert_code(sled_get(db, tree, B("key77"), &value, &err), LLS_E_NOTFOUND, err);
    assert_code(sled_get(db, B("no tree"), B("key7"), &value, &err), LLS_E_NOTFOUND, err);
    assert_ok(sled_cursor_open(db, tree, B("key3x"), &cursor, &err), err);
    assert_ok(sled_cursor_next(cursor, &key, &ignored, &err), err);
    assert_bytes(key, "key4");
}

/* A copy of a fixture in a folder of its own, for tests that change it. */
static void copy_fixture(const char *name, char out[64])
{
    char command[700];

    (void)snprintf(out, 64, "/tmp/lls-sled-XXXXXX");
    assert_non_null(mkdtemp(out));
    (void)snprintf(command, sizeof(command), "cp -r '" FIXTURES "%s/.' %s", name, out);
    assert_int_equal(system(command), 0);
}

static void remove_copy(const char *path)
{
    char command[100];

    (void)snprintf(command, sizeof(command), "rm -rf %s", path);
    assert_int_equal(system(command), 0);
}

static void a_database_that_is_open_elsewhere_is_refused(void **state)
{
    LLS_AUTO(sled_db_ref) db = NULL;
    char path[64];
    char file[100];
    lls_error err = {0};

    (void)state;
    copy_fixture("ten", path);
    (void)snprintf(file, sizeof(file), "%s/db", path);
    int fd = open(file, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_code(sled_open(path, SLED_TAIL_REFUSE, &db, &err), LLS_E_BUSY, err);
    (void)close(fd);
    assert_ok(sled_open(path, SLED_TAIL_REFUSE, &db, &err), err);
    remove_copy(path);
}

/* What it is, how large, and when it was changed. */
static void look(const char *path, lls_buf *out)
{
    char command[200];
    char line[512];

    (void)snprintf(command, sizeof(command),
                   "cd %s && find . -printf '%%p %%s %%T@ %%C@\\n' | sort && sha256sum db conf",
                   path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    while (fgets(line, sizeof(line), pipe))
        lls_buf_add_text(out, line);
    assert_int_equal(pclose(pipe), 0);
}

static void reading_changes_nothing(void **state)
{
    LLS_AUTO(lls_buf) before = {0};
    LLS_AUTO(lls_buf) after = {0};
    LLS_AUTO(lls_buf) contents = {0};
    char path[64];
    lls_error err = {0};

    (void)state;
    copy_fixture("ten_reopened", path);
    look(path, &before);
    assert_ok(dump(path, SLED_TAIL_REFUSE, &contents, &err), err);
    look(path, &after);
    assert_true(lls_str_eq(lls_buf_str(&before), lls_buf_str(&after)));
    remove_copy(path);
}

/* Every byte of a small log damaged in turn: an error, or what was there, or less at the end. */
static void no_damaged_byte_makes_a_wrong_value(void **state)
{
    LLS_AUTO(lls_buf) whole = {0};
    LLS_AUTO(lls_buf) log = {0};
    char path[64];
    char file[100];
    size_t refused = 0;
    lls_error err = {0};

    (void)state;
    copy_fixture("ten", path);
    (void)snprintf(file, sizeof(file), "%s/db", path);
    assert_ok(dump(path, SLED_TAIL_REFUSE, &whole, &err), err);
    assert_ok(lls_file_read(file, 1 << 20, &log, &err), err);
    for (size_t i = 0; i < log.len; i++) {
        LLS_AUTO(lls_buf) got = {0};
        log.data[i] ^= 0x10;
        assert_ok(lls_file_replace(file, lls_buf_view(&log), 0600, &err), err);
        log.data[i] ^= 0x10;
        if (dump(path, SLED_TAIL_REFUSE, &got, &err) == LLS_OK)
            assert_true(lls_str_eq(lls_buf_str(&got), lls_buf_str(&whole)));
        else
            refused++;
    }
    assert_true(refused > log.len / 2);
    remove_copy(path);
}

/* A log that ends anywhere: what a crash leaves. Never a value that was not there. */
static void a_log_cut_anywhere_has_no_wrong_value(void **state)
{
    LLS_AUTO(lls_buf) log = {0};
    char path[64];
    char file[100];
    lls_error err = {0};

    (void)state;
    copy_fixture("ten", path);
    (void)snprintf(file, sizeof(file), "%s/db", path);
    assert_ok(lls_file_read(file, 1 << 20, &log, &err), err);
    for (size_t len = 0; len <= log.len; len++) {
        LLS_AUTO(sled_db_ref) db = NULL;
        LLS_AUTO(lls_buf) value = {0};
        assert_int_equal(truncate(file, (off_t)len), 0);
        if (sled_open(path, SLED_TAIL_ACCEPT, &db, &err) == LLS_OK &&
            sled_get(db, B(SLED_DEFAULT_TREE), B("key5"), &value, &err) == LLS_OK)
            assert_bytes(lls_buf_view(&value), "value 5");
        sled_close(db);
        db = NULL;
        assert_ok(lls_file_replace(file, lls_buf_view(&log), 0600, &err), err);
    }
    remove_copy(path);
}

/* With `count` bytes from `at` of the log zeroed. */
static lls_err dump_wiped(const char *path, const lls_buf *log, size_t at, size_t count,
                          lls_buf *out, lls_error *err)
{
    char file[100];

    (void)snprintf(file, sizeof(file), "%s/db", path);
    LLS_AUTO(lls_buf) wiped = {0};
    lls_buf_add(&wiped, lls_buf_view(log));
    memset(wiped.data + at, 0, count);
    LLS_TRY(lls_file_replace(file, lls_buf_view(&wiped), 0600, err));
    return dump(path, SLED_TAIL_ACCEPT, out, err);
}

static void a_slot_that_was_being_wiped_is_told_from_a_lost_one(void **state)
{
    enum { SLOT = 8192, USED = 12 * SLOT, UNUSED = 11 * SLOT }; // wiped by half is the tenth
    LLS_AUTO(lls_buf) want = {0};
    LLS_AUTO(lls_buf) got = {0};
    LLS_AUTO(lls_buf) log = {0};
    char path[64];
    lls_error err = {0};

    (void)state;
    copy_fixture("half_wiped", path);
    assert_ok(lls_file_read(FIXTURES "half_wiped/db", 1 << 20, &log, &err), err);
    assert_ok(lls_file_read(FIXTURES "churn_seg8192.tsv", 1 << 20, &want, &err), err);
    assert_code(dump(path, SLED_TAIL_REFUSE, &got, &err), LLS_E_CORRUPT, err);
    assert_non_null(strstr(err.msg, "at byte 81920: torn tail: a segment was being wiped"));
    lls_buf_clear(&got);
    assert_ok(dump_wiped(path, &log, 0, 0, &got, &err), err);
    assert_true(lls_str_eq(lls_buf_str(&got), lls_buf_str(&want)));
    assert_code(dump_wiped(path, &log, USED, 100, &got, &err), LLS_E_CORRUPT, err);
    assert_non_null(strstr(err.msg, "the header of a segment is damaged"));
    assert_code(dump_wiped(path, &log, UNUSED, 100, &got, &err), LLS_E_CORRUPT, err);
    remove_copy(path);
}

/* What may befall one file of a database beside its log. Each ends the file differently. */
typedef struct damage {
    size_t keep; /* bytes of it */
    bool flip;   /* and the last of these with a bit changed */
} damage;

/* With the file as it is: the contents, or an error that names a file and a place in it. */
static bool is_refused(const char *path, const char *name, const lls_buf *whole)
{
    LLS_AUTO(lls_buf) got = {0};
    lls_error err = {0};
    lls_err e = dump(path, SLED_TAIL_REFUSE, &got, &err);

    if (e == LLS_OK) {
        if (!lls_str_eq(lls_buf_str(&got), lls_buf_str(whole)))
            fail_msg("'%s' was damaged, and other contents were found", name);
        return false;
    }
    if (e != LLS_E_CORRUPT || !strstr(err.msg, path) || !strstr(err.msg, "' at byte "))
        fail_msg("'%s' was damaged, and that is told as '%s'", name, err.msg);
    return true;
}

/* Cut, flip and take away one file; gives how many of the damages were refused. */
static size_t damage_file(const char *fixture, const char *name)
{
    LLS_AUTO(lls_buf) whole = {0};
    LLS_AUTO(lls_buf) before = {0};
    LLS_AUTO(lls_buf) bytes = {0};
    char path[64];
    char file[200];
    size_t refused = 0;
    size_t step;
    lls_error err = {0};

    copy_fixture(fixture, path);
    (void)snprintf(file, sizeof(file), "%s/%s", path, name);
    assert_ok(dump(path, SLED_TAIL_REFUSE, &whole, &err), err);
    assert_ok(lls_file_read(file, 16 << 20, &before, &err), err);
    step = before.len / 200 + 1;
    for (size_t len = 0; len < before.len; len += step) {
        const damage both[] = {{len, false}, {before.len, true}};
        for (size_t i = 0; i < LLS_COUNT(both); i++) {
            lls_buf_clear(&bytes);
            lls_buf_add(&bytes, (lls_bytes){before.data, both[i].keep});
            if (both[i].flip)
                bytes.data[len] ^= 0x10;
            assert_ok(lls_file_replace(file, lls_buf_view(&bytes), 0600, &err), err);
            refused += is_refused(path, name, &whole);
        }
    }
    assert_int_equal(unlink(file), 0);
    refused += is_refused(path, name, &whole);
    remove_copy(path);
    return refused;
}

static void a_damaged_blob_gives_no_other_contents(void **state)
{
    (void)state;
    assert_true(damage_file("ten_seg512", "blobs/294") > 100);
}

/* Without its snapshot the log tells all, or is known not to: segments that it stands for may have
 * been used again. */
static void a_damaged_snapshot_gives_no_other_contents(void **state)
{
    (void)state;
    assert_true(damage_file("ten_reopened", "snap.00000000000001B8") > 100);
    assert_true(damage_file("churn_seg8192", "snap.0000000000131F14") > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_contents_are_what_the_engine_lists),
        cmocka_unit_test(damage_is_refused_with_its_place),
        cmocka_unit_test(keys_are_found_and_walked_from_anywhere),
        cmocka_unit_test(a_database_that_is_open_elsewhere_is_refused),
        cmocka_unit_test(reading_changes_nothing),
        cmocka_unit_test(no_damaged_byte_makes_a_wrong_value),
        cmocka_unit_test(a_log_cut_anywhere_has_no_wrong_value),
        cmocka_unit_test(a_slot_that_was_being_wiped_is_told_from_a_lost_one),
        cmocka_unit_test(a_damaged_blob_gives_no_other_contents),
        cmocka_unit_test(a_damaged_snapshot_gives_no_other_contents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
