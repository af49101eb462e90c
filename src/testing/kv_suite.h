/**
 * kv_suite.h - what every key/value backend must do, as tests. A backend's own test file names a
 * group setup that leaves an open, writable `lls_backend *` in `*state`, and lists LLS_KV_SUITE.
 */
#ifndef LLS_TESTING_KV_SUITE_H
#define LLS_TESTING_KV_SUITE_H

#include "testing/check.h"

/* kv_suite.c: one record, one batch */
void kv_get_of_missing_key_is_notfound(void **state);
void kv_put_then_get(void **state);
void kv_put_replaces_and_counts_versions(void **state);
void kv_value_may_hold_any_byte(void **state);
void kv_empty_value_is_a_value(void **state);
void kv_longest_key_and_largest_value(void **state);
void kv_bad_keys_and_spaces_are_refused(void **state);
void kv_create_meets_what_is_there(void **state);
void kv_replace_is_compare_and_set(void **state);
void kv_delete_may_ask_for_a_version(void **state);
void kv_restore_keeps_every_field(void **state);
void kv_apply_is_all_or_nothing(void **state);
void kv_apply_is_in_order(void **state);
void kv_version_begins_again_after_delete(void **state);
void kv_collections_and_tenants_do_not_mix(void **state);
void kv_clear_empties_one_space(void **state);
void kv_count_and_stats_count(void **state);
void kv_keys_may_begin_with_others(void **state);
void kv_names_may_be_as_long_as_allowed(void **state);
void kv_large_batch_is_all_or_nothing(void **state);
void kv_versions_go_on_after_restore(void **state);

/* kv_suite_scan.c: order, ranges, stable views */
void kv_scan_is_in_byte_order(void **state);
void kv_scan_by_prefix(void **state);
void kv_scan_after_resumes(void **state);
void kv_scan_end_repeats(void **state);
void kv_scan_sees_one_moment(void **state);
void kv_scans_may_be_open_together(void **state);
void kv_scan_gives_meta_and_large_values(void **state);

/* kv_suite_ttl.c: expiry */
void kv_expired_record_is_not_there(void **state);
void kv_expired_record_gives_way(void **state);
void kv_sweep_removes_what_expired(void **state);
void kv_expired_record_leaves_outputs_alone(void **state);
void kv_stats_count_what_nobody_swept(void **state);
void kv_every_write_sets_the_expiry(void **state);
void kv_restore_may_bring_back_what_expired(void **state);

/* kv_suite_threads.c: many at once, and long histories */
void kv_threads_lose_no_update(void **state);
void kv_threads_create_each_key_once(void **state);
void kv_readers_see_whole_batches(void **state);
void kv_history_matches_a_model(void **state);

/* kv_suite_history.c */
void kv_history_of_several_spaces_matches_a_model(void **state);

int kv_empty(void **state); /**< Empties the spaces that the suite uses. */

#define LLS_KV_TEST(name) cmocka_unit_test_setup(name, kv_empty)
/* Without the largest value; the records of a vector port pass these too: vec_suite.h. */
#define LLS_KV_SMALL_SUITE                                                                         \
    LLS_KV_TEST(kv_get_of_missing_key_is_notfound), LLS_KV_TEST(kv_put_then_get),                  \
        LLS_KV_TEST(kv_put_replaces_and_counts_versions), LLS_KV_TEST(kv_value_may_hold_any_byte), \
        LLS_KV_TEST(kv_empty_value_is_a_value), LLS_KV_TEST(kv_bad_keys_and_spaces_are_refused),   \
        LLS_KV_TEST(kv_create_meets_what_is_there), LLS_KV_TEST(kv_replace_is_compare_and_set),    \
        LLS_KV_TEST(kv_delete_may_ask_for_a_version), LLS_KV_TEST(kv_restore_keeps_every_field),   \
        LLS_KV_TEST(kv_apply_is_all_or_nothing), LLS_KV_TEST(kv_apply_is_in_order),                \
        LLS_KV_TEST(kv_version_begins_again_after_delete),                                         \
        LLS_KV_TEST(kv_collections_and_tenants_do_not_mix),                                        \
        LLS_KV_TEST(kv_clear_empties_one_space), LLS_KV_TEST(kv_count_and_stats_count),            \
        LLS_KV_TEST(kv_scan_is_in_byte_order), LLS_KV_TEST(kv_scan_by_prefix),                     \
        LLS_KV_TEST(kv_scan_after_resumes), LLS_KV_TEST(kv_scan_end_repeats),                      \
        LLS_KV_TEST(kv_scan_sees_one_moment), LLS_KV_TEST(kv_scans_may_be_open_together),          \
        LLS_KV_TEST(kv_scan_gives_meta_and_large_values),                                          \
        LLS_KV_TEST(kv_expired_record_is_not_there), LLS_KV_TEST(kv_expired_record_gives_way),     \
        LLS_KV_TEST(kv_sweep_removes_what_expired), LLS_KV_TEST(kv_threads_lose_no_update),        \
        LLS_KV_TEST(kv_readers_see_whole_batches), LLS_KV_TEST(kv_history_matches_a_model),        \
        LLS_KV_TEST(kv_keys_may_begin_with_others),                                                \
        LLS_KV_TEST(kv_names_may_be_as_long_as_allowed),                                           \
        LLS_KV_TEST(kv_large_batch_is_all_or_nothing),                                             \
        LLS_KV_TEST(kv_versions_go_on_after_restore),                                              \
        LLS_KV_TEST(kv_expired_record_leaves_outputs_alone),                                       \
        LLS_KV_TEST(kv_stats_count_what_nobody_swept),                                             \
        LLS_KV_TEST(kv_every_write_sets_the_expiry),                                               \
        LLS_KV_TEST(kv_restore_may_bring_back_what_expired),                                       \
        LLS_KV_TEST(kv_threads_create_each_key_once),                                              \
        LLS_KV_TEST(kv_history_of_several_spaces_matches_a_model)
#define LLS_KV_SUITE LLS_KV_TEST(kv_longest_key_and_largest_value), LLS_KV_SMALL_SUITE

#endif
