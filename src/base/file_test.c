#include "base/file.h"

#include "base/alloc.h"
#include "base/scope.h"
#include "testing/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each test begins in an empty folder of its own. */
static int enter_folder(void **state)
{
    char name[] = "/tmp/lls-file-test-XXXXXX";

    if (!mkdtemp(name) || chdir(name) != 0)
        return -1;
    *state = strdup(name);
    return *state ? 0 : -1;
}

static int leave_folder(void **state)
{
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -rf '%s'", (const char *)*state);
    free(*state);
    return chdir("/") == 0 ? system(command) : -1;
}

static size_t names_in(const char *path)
{
    DIR *folder = opendir(path);
    size_t count = 0;

    assert_non_null(folder);
    while (readdir(folder))
        count++;
    (void)closedir(folder);
    return count - 2; // . and ..
}

static void assert_contents(const char *path, const char *want)
{
    LLS_AUTO(lls_buf) got = {0};
    lls_error err = {0};

    assert_ok(lls_file_read(path, 1000000, &got, &err), err);
    assert_string_equal(lls_buf_cstr(&got), want);
}

static void folders_are_made_and_made_again(void **state)
{
    (void)state;
    lls_error err = {0};
    struct stat st;

    assert_ok(lls_file_mkdirs("a/b//c/", &err), err);
    assert_ok(lls_file_mkdirs("a/b/c", &err), err);
    assert_int_equal(stat("a/b/c", &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_ok(lls_file_replace("a/file", B("x"), 0600, &err), err);
    assert_true(lls_file_mkdirs("a/file", &err) != LLS_OK);
    assert_non_null(strstr(err.msg, "a/file"));
    assert_true(lls_file_mkdirs("a/file/below", &err) != LLS_OK);
}

static void replace_is_whole_and_leaves_nothing_beside(void **state)
{
    (void)state;
    lls_error err = {0};
    struct stat st;

    assert_ok(lls_file_replace("f", B("first"), 0600, &err), err);
    assert_ok(lls_file_replace("f", B("second"), 0640, &err), err);
    assert_contents("f", "second");
    assert_int_equal(stat("f", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_ok(lls_file_replace("f", (lls_bytes){0}, 0600, &err), err);
    assert_contents("f", "");
    assert_int_equal(names_in("."), 1);
}

/* Each thread writes its own letter; whoever reads sees one letter alone. */
static void *replace_often(void *letter)
{
    static const char *const texts[] = {"aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"};
    const char *text = texts[*(const char *)letter - 'a'];
    lls_error err = {0};

    for (int i = 0; i < 200; i++)
        if (lls_file_replace("f", lls_bytes_of(lls_str_of(text)), 0600, &err) != LLS_OK)
            return letter;
    return NULL;
}

static void threads_may_replace_the_same_file(void **state)
{
    (void)state;
    char letters[] = "ab";
    pthread_t threads[2];
    lls_error err = {0};

    assert_ok(lls_file_replace("f", B("aaaaaaaaaaaaaaaa"), 0600, &err), err);
    for (size_t i = 0; i < LLS_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, replace_often, &letters[i]), 0);
    for (int i = 0; i < 200; i++) {
        LLS_AUTO(lls_buf) out = {0};
        assert_ok(lls_file_read("f", 100, &out, &err), err);
        assert_int_equal(out.len, 16);
        assert_int_equal(out.data[0], out.data[15]);
    }
    for (size_t i = 0; i < LLS_COUNT(threads); i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(names_in("."), 1);
}

static void a_failed_replace_keeps_the_old_file(void **state)
{
    (void)state;
    lls_error err = {0};

    assert_code(lls_file_replace("none/f", B("x"), 0600, &err), LLS_E_NOTFOUND, err);
    assert_non_null(strstr(err.msg, "none/f"));
    assert_int_equal(mkdir("folder", 0700), 0);
    assert_ok(lls_file_replace("folder/f", B("x"), 0600, &err), err);
    assert_true(lls_file_replace("folder", B("x"), 0600, &err) != LLS_OK);
    assert_contents("folder/f", "x");
    assert_int_equal(names_in("."), 1);
}

static void a_full_disk_keeps_the_old_file(void **state)
{
    (void)state;
    static uint8_t big[300000];
    lls_error err = {0};

    assert_int_equal(mkdir("small", 0700), 0);
    if (mount("tmpfs", "small", "tmpfs", 0, "size=64k") != 0)
        skip(); // only root may mount
    lls_err before = lls_file_replace("small/f", B("old"), 0600, &err);
    lls_err after = lls_file_replace("small/f", (lls_bytes){big, sizeof(big)}, 0600, &err);
    size_t left = names_in("small");
    LLS_AUTO(lls_buf) got = {0};
    lls_err read = lls_file_read("small/f", 1000, &got, NULL);
    assert_int_equal(umount("small"), 0);

    assert_ok(before, err);
    assert_code(after, LLS_E_FULL, err);
    assert_ok(read, err);
    assert_bytes(lls_buf_view(&got), "old");
    assert_int_equal(left, 1);
}

static void a_write_to_a_full_device_says_so(void **state)
{
    (void)state;
    lls_error err = {0};
    LLS_AUTO(lls_fd) fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_code(lls_file_write(fd, B("x"), "/dev/full", &err), LLS_E_FULL, err);
    assert_string_equal(err.msg, "write '/dev/full': No space left on device");
    assert_ok(lls_file_write(fd, (lls_bytes){0}, "/dev/full", &err), err);
}

static void reading_appends_up_to_its_limit(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) out = {0};
    static uint8_t big[100000];
    lls_error err = {0};

    lls_buf_add_text(&out, "x");
    assert_code(lls_file_read("none", 10, &out, &err), LLS_E_NOTFOUND, err);
    assert_true(lls_file_read(".", 10, &out, &err) != LLS_OK);
    assert_ok(lls_file_replace("f", (lls_bytes){big, sizeof(big)}, 0600, &err), err);
    assert_code(lls_file_read("f", sizeof(big) - 1, &out, &err), LLS_E_FULL, err);
    assert_bytes(lls_buf_view(&out), "x");
    assert_ok(lls_file_read("f", sizeof(big), &out, &err), err);
    assert_int_equal(out.len, 1 + sizeof(big));
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    static uint8_t big[100000];
    lls_error err = {0};
    long n = 0;
    lls_err e;

    assert_ok(lls_file_replace("f", (lls_bytes){big, sizeof(big)}, 0600, &err), err);
    do {
        LLS_AUTO(lls_buf) out = {0};
        lls_alloc_fail_after(n++);
        e = lls_file_read("f", sizeof(big), &out, &err);
        lls_alloc_fail_after(-1);
        assert_int_equal(out.len, e == LLS_OK ? sizeof(big) : 0);
        assert_true(e == LLS_OK || e == LLS_E_NOMEM);
    } while (e != LLS_OK);
    assert_true(n > 2);

    n = 0;
    do {
        lls_alloc_fail_after(n++);
        e = lls_file_replace("f", B("new"), 0600, &err);
        lls_alloc_fail_after(-1);
        assert_true(e == LLS_OK || e == LLS_E_NOMEM);
        assert_int_equal(names_in("."), 1);
    } while (e != LLS_OK);
    assert_true(n > 2);
    assert_contents("f", "new");
}

static void assert_expanded(const char *text, const char *want)
{
    LLS_AUTO(lls_buf) out = {0};
    lls_error err = {0};

    assert_ok(lls_file_expand(lls_str_of(text), &out, &err), err);
    assert_string_equal(lls_buf_cstr(&out), want);
}

static void paths_are_expanded_as_xdg_says(void **state)
{
    (void)state;
    lls_error err = {0};
    LLS_AUTO(lls_buf) out = {0};

    assert_int_equal(setenv("HOME", "/home/x", 1), 0);
    assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
    assert_int_equal(setenv("XDG_DATA_HOME", "/data", 1), 0);
    assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0);
    assert_expanded("/plain/~/{data}", "/plain/~/{data}");
    assert_expanded("~", "/home/x");
    assert_expanded("~/f", "/home/x/f");
    assert_expanded("~user/f", "~user/f");
    assert_expanded("{config}/f", "/home/x/.config/llmspell/f");
    assert_expanded("{data}", "/data/llmspell");
    assert_expanded("{data}x", "{data}x");
    assert_expanded("{state}/s", "/home/x/.local/state/llmspell/s");
    assert_expanded("", "");
    assert_int_equal(unsetenv("HOME"), 0);
    assert_code(lls_file_expand(LLS_STR("~/f"), &out, &err), LLS_E_INVALID, err);
    assert_expanded("{data}/f", "/data/llmspell/f");
}

static void the_folder_of_a_path_is_synced(void **state)
{
    (void)state;
    lls_error err = {0};

    assert_ok(lls_file_sync_parent("f", &err), err);
    assert_ok(lls_file_sync_parent("/f", &err), err);
    assert_code(lls_file_sync_parent("none/f", &err), LLS_E_NOTFOUND, err);
    assert_true(lls_file_exists("."));
    assert_false(lls_file_exists("none"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folders_are_made_and_made_again, enter_folder,
                                        leave_folder),
        cmocka_unit_test_setup_teardown(replace_is_whole_and_leaves_nothing_beside, enter_folder,
                                        leave_folder),
        cmocka_unit_test_setup_teardown(threads_may_replace_the_same_file, enter_folder,
                                        leave_folder),
        cmocka_unit_test_setup_teardown(a_failed_replace_keeps_the_old_file, enter_folder,
                                        leave_folder),
        cmocka_unit_test_setup_teardown(a_full_disk_keeps_the_old_file, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(a_write_to_a_full_device_says_so, enter_folder,
                                        leave_folder),
        cmocka_unit_test_setup_teardown(reading_appends_up_to_its_limit, enter_folder,
                                        leave_folder),
        cmocka_unit_test_setup_teardown(every_failing_allocation_is_survived, enter_folder,
                                        leave_folder),
        cmocka_unit_test_setup_teardown(paths_are_expanded_as_xdg_says, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(the_folder_of_a_path_is_synced, enter_folder, leave_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
