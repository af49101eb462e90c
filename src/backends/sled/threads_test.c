/** threads_test.c - one reader, many threads. */
#include "backends/sled/reader.h"
#include "base/hash.h"
#include "base/scope.h"
#include "testing/check.h"

#include <pthread.h>
#include <stdio.h>

enum { THREADS = 6, TURNS = 3 };

typedef struct job {
    const sled_db *db;
    uint64_t entries;
    lls_digest digest;
    lls_error err;
} job;

static lls_err walk_tree(job *j, lls_bytes tree, lls_error *err)
{
    LLS_AUTO(sled_cursor_ref) cursor = NULL;
    LLS_AUTO(lls_buf) found = {0};
    lls_bytes key;
    lls_bytes value;
    lls_err e;

    LLS_TRY(sled_cursor_open(j->db, tree, (lls_bytes){0}, &cursor, err));
    while ((e = sled_cursor_next(cursor, &key, &value, err)) == LLS_OK) {
        lls_bytes parts[] = {tree, key, value};
        lls_digest_add(&j->digest, lls_digest_of(parts, LLS_COUNT(parts)));
        if (++j->entries % 7 != 0)
            continue;
        lls_buf_clear(&found);
        LLS_TRY(sled_get(j->db, tree, key, &found, err));
        if (!lls_bytes_eq(lls_buf_view(&found), value))
            return lls_fail(err, LLS_E_MISMATCH, "the walk and the look at a key differ");
    }
    return e == LLS_END ? LLS_OK : e;
}

static void *work(void *user)
{
    job *j = user;
    lls_bytes tree;

    for (size_t turn = 0; turn < TURNS && j->err.code == LLS_OK; turn++) {
        j->entries = 0;
        j->digest = (lls_digest){0};
        for (size_t i = 0; sled_tree_at(j->db, i, &tree) == LLS_OK; i++)
            if (walk_tree(j, tree, &j->err) != LLS_OK)
                break;
    }
    return NULL;
}

static void many_threads_read_the_same(void **state)
{
    static const char *const names[] = {"churn_seg8192", "ten_zstd", "ten_reopened"};

    (void)state;
    for (size_t i = 0; i < LLS_COUNT(names); i++) {
        LLS_AUTO(sled_db_ref) db = NULL;
        pthread_t threads[THREADS];
        job jobs[THREADS] = {0};
        lls_error err = {0};
        char path[512];
        (void)snprintf(path, sizeof(path), LLS_SOURCE_DIR "/tests/sled/%s", names[i]);
        assert_ok(sled_open(path, SLED_TAIL_REFUSE, &db, &err), err);
        for (size_t t = 0; t < THREADS; t++) {
            jobs[t].db = db;
            assert_int_equal(pthread_create(&threads[t], NULL, work, &jobs[t]), 0);
        }
        for (size_t t = 0; t < THREADS; t++) {
            assert_int_equal(pthread_join(threads[t], NULL), 0);
            assert_ok(jobs[t].err.code, jobs[t].err);
            assert_int_equal(jobs[t].entries, jobs[0].entries);
            assert_true(lls_digest_eq(jobs[t].digest, jobs[0].digest));
        }
        assert_true(jobs[0].entries > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_read_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
