#include <llmspell/transfer.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/scope.h"
#include "testing/component_suite.h"
#include "testing/transfer.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#define AGENTS LLS_STR("agent_state")

static const lls_transfer_options full = {.abi = LLS_ABI, .full = true};

static int open_store(void **state)
{
    static const char *const flags[] = {"storage.backend=memory"};

    (void)signal(SIGPIPE, SIG_IGN); // as a program does that wants EPIPE instead
    return lls_component_open(flags, LLS_COUNT(flags), state);
}

static lls_store *store_of(void **state)
{
    const lls_component_fixture *fixture = *state;

    return fixture->store;
}

static void read_file(const char *path, lls_buf *out)
{
    lls_error err = {0};

    assert_ok(lls_file_read(path, 1 << 20, out, &err), err);
}

static void what_was_exported_in_full_imports_exactly(void **state)
{
    LLS_AUTO(lls_buf) golden = {0};
    lls_error err = {0};
    uint64_t records = 0;

    read_file(LLS_SOURCE_DIR "/tests/golden/transfer-full.jsonl", &golden);
    assert_ok(lls_import_text(store_of(state), AGENTS, lls_buf_view(&golden), NULL, &records, &err),
              err);
    assert_int_equal(records, 6);
    lls_assert_export(store_of(state), AGENTS, &full, lls_buf_view(&golden));

    // Repeating it is harmless.
    assert_ok(lls_import_text(store_of(state), AGENTS, lls_buf_view(&golden), NULL, &records, &err),
              err);
    lls_assert_export(store_of(state), AGENTS, &full, lls_buf_view(&golden));
}

static void the_samples_come_out_as_they_went_in(void **state)
{
    static const char *const components[] = {"agent_state", "workflow_state", "sessions"};

    for (size_t i = 0; i < LLS_COUNT(components); i++) {
        LLS_AUTO(lls_buf) path = {0};
        LLS_AUTO(lls_buf) sample = {0};
        lls_error err = {0};
        uint64_t records = 0;
        lls_buf_printf(&path, LLS_SOURCE_DIR "/share/samples/%s.jsonl", components[i]);
        read_file(lls_buf_cstr(&path), &sample);
        assert_ok(lls_import_text(store_of(state), lls_str_of(components[i]), lls_buf_view(&sample),
                                  NULL, &records, &err),
                  err);
        assert_int_equal(records, 24);
        lls_assert_export(store_of(state), lls_str_of(components[i]), NULL, lls_buf_view(&sample));
    }
}

typedef struct feeder {
    int fd;
    lls_bytes text;
} feeder;

static void *feed(void *user)
{
    feeder *it = user;

    while (it->text.len) { // a few bytes at a time, so that lines are torn
        ssize_t n = write(it->fd, it->text.data, it->text.len < 777 ? it->text.len : 777);
        if (n < 0)
            break;
        it->text.data += n;
        it->text.len -= (size_t)n;
    }
    (void)close(it->fd);
    return NULL;
}

static void pipes_work_at_both_ends(void **state)
{
    LLS_AUTO(lls_buf) text = {0};
    lls_error err = {0};
    uint64_t records = 0;
    pthread_t thread;
    int ends[2];

    for (int i = 0; i < 5000; i++)
        lls_buf_printf(&text, "{\"key\": \"agent:a:%05d\", \"value\": {\"n\": %d}}\n", i, i);
    assert_int_equal(pipe(ends), 0);
    feeder it = {.fd = ends[1], .text = lls_buf_view(&text)};
    assert_int_equal(pthread_create(&thread, NULL, feed, &it), 0);
    assert_ok(lls_import(store_of(state), AGENTS, ends[0], NULL, &records, &err), err);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(ends[0]);
    assert_int_equal(records, 5000);
    lls_assert_export(store_of(state), AGENTS, NULL, lls_buf_view(&text));
}

static void a_reader_that_left_is_an_error(void **state)
{
    lls_error err = {0};
    uint64_t records = 99;
    int ends[2];

    assert_ok(lls_import_text(store_of(state), AGENTS, B("{\"key\": \"agent:a:1\", \"value\": {}}"),
                              NULL, NULL, &err),
              err);
    assert_int_equal(pipe(ends), 0);
    (void)close(ends[0]);
    assert_code(lls_export(store_of(state), AGENTS, ends[1], NULL, &records, &err), LLS_E_IO, err);
    assert_string_equal(err.msg, "export 'agent_state': write 'the destination of the export': "
                                 "Broken pipe");
    assert_int_equal(records, 99); // as it was
    (void)close(ends[1]);
}

static void a_full_disk_is_an_error(void **state)
{
    LLS_AUTO(lls_fd) fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    lls_error err = {0};

    if (fd < 0)
        skip();
    assert_ok(lls_import_text(store_of(state), AGENTS, B("{\"key\": \"agent:a:1\", \"value\": {}}"),
                              NULL, NULL, &err),
              err);
    assert_code(lls_export(store_of(state), AGENTS, fd, NULL, NULL, &err), LLS_E_FULL, err);
    assert_non_null(strstr(err.msg, "No space left on device"));
}

typedef struct progress {
    volatile int cancel;
    uint64_t stop_at; // 0: never
    uint64_t calls;
    uint64_t records;
    uint64_t bytes;
} progress;

static void on_progress(void *user, uint64_t records, uint64_t bytes)
{
    progress *it = user;

    assert_true(records >= it->records && bytes >= it->bytes);
    it->calls++;
    it->records = records;
    it->bytes = bytes;
    it->cancel = it->stop_at && records >= it->stop_at;
}

static void progress_is_told_and_may_cancel(void **state)
{
    LLS_AUTO(lls_buf) text = {0};
    LLS_AUTO(lls_fd) fd = lls_temporary_file();
    progress it = {0};
    lls_transfer_options options = {
        .abi = LLS_ABI, .progress = on_progress, .user = &it, .cancel = &it.cancel};
    lls_error err = {0};
    uint64_t records = 0;

    for (int i = 0; i < 35000; i++)
        lls_buf_printf(&text, "{\"key\": \"agent:a:%05d\", \"value\": {}}\n", i);
    it.stop_at = 10000;
    assert_code(
        lls_import_text(store_of(state), AGENTS, lls_buf_view(&text), &options, &records, &err),
        LLS_E_CANCELLED, err);
    assert_int_equal(records % 1000, 0); // whole batches
    assert_true(records < 35000);

    it = (progress){0};
    assert_ok(
        lls_import_text(store_of(state), AGENTS, lls_buf_view(&text), &options, &records, &err),
        err);
    assert_int_equal(it.records, 35000);
    assert_int_equal(it.bytes, text.len);
    assert_true(it.calls >= 4);

    it = (progress){0};
    assert_ok(lls_export(store_of(state), AGENTS, fd, &options, &records, &err), err);
    assert_int_equal(it.records, 35000);
    assert_int_equal(it.bytes, text.len);
    assert_true(it.calls >= 4);

    it = (progress){.stop_at = 10000};
    assert_code(lls_export(store_of(state), AGENTS, fd, &options, &records, &err), LLS_E_CANCELLED,
                err);
    assert_string_equal(err.msg, "export 'agent_state': cancelled");
}

static void the_largest_value_goes_through(void **state)
{
    // A line break makes it base64: the longest line that there is.
    LLS_AUTO(lls_buf) value = {0};
    LLS_AUTO(lls_buf) back = {0};
    LLS_AUTO(lls_fd) fd = lls_temporary_file();
    lls_record record = {.component = AGENTS, .key = B("agent:a:1")};
    lls_error err = {0};

    lls_buf_add_text(&value, "{\n\"a\": \"");
    lls_buf_reserve(&value, LLS_VALUE_MAX - value.len);
    assert_ok(lls_buf_status(&value, &err), err);
    memset(value.data + value.len, 'x', LLS_VALUE_MAX - value.len);
    value.len = LLS_VALUE_MAX;
    memcpy(value.data + value.len - 2, "\"}", 2);
    record.value = lls_buf_view(&value);
    assert_ok(lls_store_put(store_of(state), &record, LLS_PUT_ANY, &err), err);
    assert_ok(lls_export(store_of(state), AGENTS, fd, &full, NULL, &err), err);
    assert_ok(lls_store_delete(store_of(state), AGENTS, record.key, &err), err);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_ok(lls_import(store_of(state), AGENTS, fd, NULL, NULL, &err), err);
    assert_ok(lls_store_get(store_of(state), AGENTS, record.key, &back, NULL, &err), err);
    assert_true(lls_bytes_eq(lls_buf_view(&back), lls_buf_view(&value)));
}

static void every_allocation_may_fail(void **state)
{
    LLS_AUTO(lls_buf) golden = {0};
    LLS_AUTO(lls_fd) in = lls_temporary_file();
    LLS_AUTO(lls_fd) out = lls_temporary_file();
    lls_error err = {0};
    lls_err imported = LLS_OK;
    lls_err exported = LLS_OK;
    uint64_t records = 0;
    long n = 0;

    read_file(LLS_SOURCE_DIR "/tests/golden/transfer-full.jsonl", &golden);
    assert_ok(lls_file_write(in, lls_buf_view(&golden), "the test's file", &err), err);
    do {
        assert_int_equal(lseek(in, 0, SEEK_SET), 0);
        lls_alloc_fail_after(n);
        imported = lls_import(store_of(state), AGENTS, in, NULL, &records, &err);
        lls_alloc_fail_after(-1);
        assert_true(imported == LLS_OK || imported == LLS_E_NOMEM);
        assert_int_equal(records, imported == LLS_OK ? 6 : 0);
        lls_assert_export(store_of(state), AGENTS, &full,
                          imported == LLS_OK ? lls_buf_view(&golden) : B(""));
        n++;
    } while (imported != LLS_OK);
    assert_true(n > 3);

    n = 0;
    do {
        assert_int_equal(ftruncate(out, 0), 0);
        assert_int_equal(lseek(out, 0, SEEK_SET), 0);
        lls_alloc_fail_after(n++);
        exported = lls_export(store_of(state), AGENTS, out, &full, &records, &err);
        lls_alloc_fail_after(-1);
        assert_true(exported == LLS_OK || exported == LLS_E_NOMEM);
    } while (exported != LLS_OK);
    assert_true(n > 1);
    assert_int_equal(lseek(out, 0, SEEK_END), (off_t)golden.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LLS_COMPONENT_TEST(what_was_exported_in_full_imports_exactly),
        LLS_COMPONENT_TEST(the_samples_come_out_as_they_went_in),
        LLS_COMPONENT_TEST(pipes_work_at_both_ends),
        LLS_COMPONENT_TEST(a_reader_that_left_is_an_error),
        LLS_COMPONENT_TEST(a_full_disk_is_an_error),
        LLS_COMPONENT_TEST(progress_is_told_and_may_cancel),
        LLS_COMPONENT_TEST(the_largest_value_goes_through),
        LLS_COMPONENT_TEST(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, open_store, lls_component_close);
}
