#include "tools/lines.h"

#include "base/alloc.h"
#include "base/scope.h"
#include "testing/check.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static int file_with(const char *text, size_t len)
{
    FILE *file = tmpfile();

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fflush(file), 0);
    int fd = dup(fileno(file));
    (void)fclose(file);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

#define READ(text) ((lls_lines){.fd = file_with(text, sizeof(text) - 1)})

static void done(lls_lines *lines)
{
    (void)close(lines->fd);
    lls_lines_fini(lines);
}

static void assert_line(lls_lines *lines, const char *want)
{
    lls_error err = {0};
    lls_str line = {0};

    assert_ok(lls_lines_next(lines, &line, &err), err);
    assert_int_equal(line.len, strlen(want));
    assert_memory_equal(line.data, want, line.len);
}

static void assert_end(lls_lines *lines)
{
    lls_error err = {0};
    lls_str line = {0};

    assert_code(lls_lines_next(lines, &line, &err), LLS_END, err);
    assert_code(lls_lines_next(lines, &line, &err), LLS_END, err); // and again
}

static void a_file_is_split_at_line_breaks(void **state)
{
    lls_lines lines = READ("one\n\ntwo\r\nthree");

    (void)state;
    assert_line(&lines, "one");
    assert_line(&lines, "");
    assert_line(&lines, "two");
    assert_int_equal(lines.number, 3);
    assert_line(&lines, "three"); // the last may lack its line break
    assert_end(&lines);
    assert_int_equal(lines.number, 4);
    assert_int_equal(lines.bytes, 15);
    done(&lines);
}

static void an_empty_file_has_no_line(void **state)
{
    lls_lines lines = READ("");

    (void)state;
    assert_end(&lines);
    done(&lines);
}

static void a_line_may_hold_any_byte_but_a_line_break(void **state)
{
    lls_lines lines = READ("a\0b\xFF\r\r\n");
    lls_error err = {0};
    lls_str line = {0};

    (void)state;
    assert_ok(lls_lines_next(&lines, &line, &err), err);
    assert_bytes(lls_bytes_of(line), "a\0b\xFF\r");
    done(&lines);
}

static void a_line_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
    lls_lines lines = READ("12345678\n123456789\n");
    lls_error err = {0};
    lls_str line = {0};

    (void)state;
    lines.max = 8;
    assert_line(&lines, "12345678");
    assert_code(lls_lines_next(&lines, &line, &err), LLS_E_PARSE, err);
    assert_string_equal(err.msg, "line 2: longer than 8 bytes");
    done(&lines);
}

static void lines_longer_than_a_block_are_whole(void **state)
{
    LLS_AUTO(lls_buf) text = {0};
    size_t lens[] = {700000, 1, 262143, 262144, 262145, 0, 3};

    (void)state;
    for (size_t i = 0; i < LLS_COUNT(lens); i++) {
        for (size_t at = 0; at < lens[i]; at++)
            lls_buf_add(&text, (lls_bytes){(const uint8_t *)&"0123456789"[(i + at) % 10], 1});
        lls_buf_add_text(&text, "\n");
    }
    lls_lines lines = {.fd = file_with((const char *)text.data, text.len)};
    size_t offset = 0;
    for (size_t i = 0; i < LLS_COUNT(lens); i++) {
        lls_error err = {0};
        lls_str line = {0};
        assert_ok(lls_lines_next(&lines, &line, &err), err);
        assert_int_equal(line.len, lens[i]);
        assert_memory_equal(line.data, text.data + offset, lens[i]);
        offset += lens[i] + 1;
    }
    assert_end(&lines);
    done(&lines);
}

static void a_byte_order_mark_is_refused(void **state)
{
    lls_lines lines = READ("\xEF\xBB\xBF{}\n");
    lls_error err = {0};
    lls_str line = {0};

    (void)state;
    assert_code(lls_lines_next(&lines, &line, &err), LLS_E_PARSE, err);
    assert_string_equal(
        err.msg, "line 1: begins with a byte order mark: write the file as UTF-8 without it");
    done(&lines);
}

static void a_failing_read_names_its_line(void **state)
{
    lls_lines lines = {.fd = -1};
    lls_error err = {0};
    lls_str line = {0};

    (void)state;
    assert_code(lls_lines_next(&lines, &line, &err), LLS_E_IO, err);
    assert_string_equal(err.msg, "line 1: read: Bad file descriptor");
    lls_lines_fini(&lines);
}

typedef struct interruption {
    volatile int cancel;
    volatile int over;
    pthread_t reader;
} interruption;

static void on_signal(int signal_number)
{
    (void)signal_number;
}

static void *interrupt(void *user)
{
    interruption *it = user;

    it->cancel = 1;
    while (!it->over) { // the first may come before the read begins
        (void)pthread_kill(it->reader, SIGUSR1);
        (void)usleep(1000);
    }
    return NULL;
}

static void a_signal_ends_the_wait_for_a_pipe(void **state)
{
    struct sigaction action = {.sa_handler = on_signal};
    interruption it = {.reader = pthread_self()};
    lls_error err = {0};
    lls_str line = {0};
    pthread_t thread;
    int ends[2];

    (void)state;
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    assert_int_equal(pipe(ends), 0);
    lls_lines lines = {.fd = ends[0], .cancel = &it.cancel};
    assert_int_equal(write(ends[1], "one\n", 4), 4);
    assert_line(&lines, "one");
    assert_int_equal(pthread_create(&thread, NULL, interrupt, &it), 0);
    assert_code(lls_lines_next(&lines, &line, &err), LLS_E_CANCELLED, err);
    assert_string_equal(err.msg, "cancelled behind line 1");
    it.over = 1;
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(ends[1]);
    done(&lines);
}

static void no_memory_is_reported(void **state)
{
    lls_lines lines = READ("one\n");
    lls_error err = {0};
    lls_str line = {0};

    (void)state;
    lls_alloc_fail_after(0);
    assert_code(lls_lines_next(&lines, &line, &err), LLS_E_NOMEM, err);
    lls_alloc_fail_after(-1);
    done(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_split_at_line_breaks),
        cmocka_unit_test(an_empty_file_has_no_line),
        cmocka_unit_test(a_line_may_hold_any_byte_but_a_line_break),
        cmocka_unit_test(a_line_may_be_as_long_as_the_limit_and_no_longer),
        cmocka_unit_test(lines_longer_than_a_block_are_whole),
        cmocka_unit_test(a_byte_order_mark_is_refused),
        cmocka_unit_test(a_failing_read_names_its_line),
        cmocka_unit_test(a_signal_ends_the_wait_for_a_pipe),
        cmocka_unit_test(no_memory_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
