/** open_test.c - what is refused, with which words, and what a full disk does. */
#include "backends/lmdb/env.h"
#include "base/file.h"
#include "testing/lmdb_fixture.h"
#include "testing/small_disk.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void expect_refusal(const char *path, lls_access access, lls_err code, const char *words)
{
    lls_backend *backend = NULL;
    lls_error err = {0};

    assert_code(fixture_try(path, "1MiB", access, &backend, &err), code, err);
    assert_null(backend);
    if (!strstr(err.msg, words))
        fail_msg("'%s' is not in '%s'", words, err.msg);
}

static void make_store(const char *path, unsigned records)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(path);
    lls_error err = {0};

    for (unsigned i = 0; i < records; i++)
        assert_ok(fixture_put(backend, i, 1, 1000, &err), err);
}

static void write_file(const char *folder, const char *name, lls_bytes contents)
{
    LLS_AUTO(lls_buf) path = {0};
    lls_error err = {0};

    lls_buf_printf(&path, "%s/%s", folder, name);
    assert_ok(lls_file_replace(lls_buf_cstr(&path), contents, 0600, &err), err);
}

static void data_file(const char *folder, char out[80])
{
    (void)snprintf(out, 80, "%s/data.mdb", folder);
}

static void folder_and_files_are_private(void **state)
{
    struct stat st;
    char path[80];

    make_store(*state, 1);
    assert_int_equal(stat(*state, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    data_file(*state, path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void reading_what_is_not_there_creates_nothing(void **state)
{
    expect_refusal(*state, LLS_READ_ONLY, LLS_E_NOTFOUND, "no store in");
    assert_false(lls_file_exists(*state));
    assert_int_equal(mkdir(*state, 0700), 0);
    expect_refusal(*state, LLS_READ_ONLY, LLS_E_NOTFOUND, "no store in");
    assert_int_equal(rmdir(*state), 0); // it is still empty
}

static void a_file_is_not_a_store(void **state)
{
    int fd = open(*state, O_CREAT | O_WRONLY, 0600);

    assert_true(fd >= 0);
    (void)close(fd);
    expect_refusal(*state, LLS_READ_WRITE, LLS_E_INVALID, "is a file, not a folder");
    expect_refusal(*state, LLS_READ_ONLY, LLS_E_INVALID, "is a file, not a folder");
}

static void other_files_are_not_taken_for_a_store(void **state)
{
    static const uint8_t noise[8192] = "this is a text of some length and no database at all";

    assert_int_equal(mkdir(*state, 0700), 0);
    write_file(*state, "data.mdb", (lls_bytes){noise, sizeof(noise)});
    expect_refusal(*state, LLS_READ_WRITE, LLS_E_CORRUPT, "is not an LMDB file");
    expect_refusal(*state, LLS_READ_ONLY, LLS_E_CORRUPT, "is not an LMDB file");
}

static void a_file_that_was_cut_off_is_refused(void **state)
{
    struct stat st;
    char path[80];

    make_store(*state, 300);
    data_file(*state, path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size / 2), 0);
    expect_refusal(*state, LLS_READ_WRITE, LLS_E_CORRUPT, "is cut off");
    expect_refusal(*state, LLS_READ_ONLY, LLS_E_CORRUPT, "is cut off");
}

/* Put `format` where a store says its format; 0: have a table of another program instead. */
static void tamper(const char *path, uint8_t format)
{
    uint8_t bytes[4] = {format};
    char name[] = "format";
    MDB_val key = {sizeof(name) - 1, name};
    MDB_val val = {sizeof(bytes), bytes};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;

    (void)mkdir(path, 0700);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 4), 0);
    assert_int_equal(mdb_env_open(env, path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, format ? "meta" : "wallet", MDB_CREATE, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &key, &val, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void a_newer_format_is_refused_naming_both(void **state)
{
    make_store(*state, 1);
    tamper(*state, 3);
    expect_refusal(*state, LLS_READ_WRITE, LLS_E_NEWER, "format 3");
    expect_refusal(*state, LLS_READ_ONLY, LLS_E_NEWER, "up to 2");
}

static void the_environment_of_another_program_is_left_alone(void **state)
{
    tamper(*state, 0);
    expect_refusal(*state, LLS_READ_WRITE, LLS_E_INVALID, "of another program");
    expect_refusal(*state, LLS_READ_ONLY, LLS_E_NOTFOUND, "no store in");
}

static void options_out_of_range_are_named(void **state)
{
    const lls_setting settings[] = {{"path", *state, NULL}, {"durability", "none", NULL}};
    lls_backend *backend = NULL;
    lls_error err = {0};

    assert_code(lls_backend_open(LLS_STR("lmdb"), settings, 2, NULL, &backend, &err), LLS_E_INVALID,
                err);
    assert_non_null(strstr(err.msg, "durability"));
    assert_false(lls_file_exists(*state));
}

/* ---- rights ---- */

/* In a child without root's rights: what opening gives. */
static lls_err open_as_nobody(const char *path, lls_access access)
{
    pid_t pid = fork();

    if (pid == 0) {
        lls_backend *backend = NULL;
        LLS_AUTO(lls_buf) value = {0};
        lls_error err = {0};
        char key[16];
        if (geteuid() == 0 && (setegid(65534) != 0 || seteuid(65534) != 0))
            _exit(100);
        lls_err e = fixture_try(path, "1MiB", access, &backend, &err);
        if (e == LLS_OK)
            e = lls_kv_get(backend->kv, fixture_space, fixture_key(0, key), &value, NULL, &err);
        lls_backend_close(backend);
        _exit(-e);
    }
    return (lls_err)-fixture_wait(pid);
}

static void set_modes(const char *path, mode_t folder, mode_t data, mode_t lock)
{
    char file[80];

    data_file(path, file);
    assert_int_equal(chmod(file, data), 0);
    (void)snprintf(file, sizeof(file), "%s/lock.mdb", path);
    assert_int_equal(chmod(file, lock), 0);
    assert_int_equal(chmod(path, folder), 0);
    *strrchr(file, '/') = '\0';
    *strrchr(file, '/') = '\0';
    assert_int_equal(chmod(file, 0755), 0);
}

static void rights_decide_how_it_can_be_opened(void **state)
{
    make_store(*state, 1);
    set_modes(*state, 0755, 0600, 0600);
    assert_int_equal(open_as_nobody(*state, LLS_READ_ONLY), LLS_E_DENIED);
    set_modes(*state, 0755, 0644, 0644); // somebody may write, and would not see the reader
    assert_int_equal(open_as_nobody(*state, LLS_READ_ONLY), LLS_E_DENIED);
    assert_int_equal(open_as_nobody(*state, LLS_READ_WRITE), LLS_E_DENIED);
    set_modes(*state, 0555, 0444, 0444); // nobody writes
    assert_int_equal(open_as_nobody(*state, LLS_READ_ONLY), LLS_OK);
    assert_int_equal(open_as_nobody(*state, LLS_READ_WRITE), LLS_E_DENIED);
}

/* ---- full disks ---- */

static int fill_until_refused(const char *path, const struct rlimit *limit)
{
    const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    lls_backend *backend = NULL;
    lls_error err = {0};
    lls_err e = fixture_try(path, "1MiB", LLS_READ_WRITE, &backend, &err);
    unsigned i = 0;

    if (e != LLS_OK || (limit && setrlimit(RLIMIT_FSIZE, limit) != 0))
        return 1;
    while (e == LLS_OK && i < 10000)
        e = fixture_put(backend, i++, 1, 20000, &err);
    if (e != LLS_E_FULL) {
        print_message("not full: %s\n", err.msg);
        return 2;
    }
    if (fixture_count(backend) != i - 1)
        return 3;
    for (unsigned n = 0; n < i - 1; n++)
        fixture_expect(backend, n, 1, 20000);
    if (limit && setrlimit(RLIMIT_FSIZE, &none) != 0)
        return 4;
    if (!limit && lls_kv_clear(backend->kv, fixture_space, &err) != LLS_OK)
        return 5;
    if (fixture_put(backend, i, 2, 20000, &err) != LLS_OK) { // there is room again
        print_message("full still: %s\n", err.msg);
        return 6;
    }
    fixture_expect(backend, i, 2, 20000);
    lls_backend_close(backend);
    return 0;
}

static void a_limit_on_the_file_size_changes_nothing(void **state)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct rlimit limit = {3 << 20, RLIM_INFINITY};
        (void)signal(SIGXFSZ, SIG_IGN); // as a full disk: an error, not a signal
        _exit(fill_until_refused(*state, &limit));
    }
    assert_int_equal(fixture_wait(pid), 0);
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    assert_int_equal(fixture_faults(backend), 0);
}

static void a_full_disk_changes_nothing(void **state)
{
    char path[80];

    small_disk_mount(*state, "size=4m");
    (void)snprintf(path, sizeof(path), "%s/inside", (const char *)*state);
    pid_t pid = fork();
    if (pid == 0)
        _exit(fill_until_refused(path, NULL));
    int result = fixture_wait(pid);
    assert_int_equal(umount2(*state, MNT_DETACH), 0);
    assert_int_equal(result, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        T(folder_and_files_are_private),
        T(reading_what_is_not_there_creates_nothing),
        T(a_file_is_not_a_store),
        T(other_files_are_not_taken_for_a_store),
        T(a_file_that_was_cut_off_is_refused),
        T(a_newer_format_is_refused_naming_both),
        T(the_environment_of_another_program_is_left_alone),
        T(options_out_of_range_are_named),
        T(rights_decide_how_it_can_be_opened),
        T(a_limit_on_the_file_size_changes_nothing),
        T(a_full_disk_changes_nothing),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
