/**
 * vec_suite.h - what every backend with a vector port must do, as tests. A backend's own test file
 * names a group setup that leaves an open, writable `lls_backend *` with a `vec` in `*state`, and
 * lists LLS_VEC_SUITE.
 *
 * In a second group, whose setup leaves the `backend` of an lls_records_view (records_view.h) in
 * `*state`, it lists LLS_VEC_RECORDS_SUITE: the key/value and stage suites, on its records.
 */
#ifndef LLS_TESTING_VEC_SUITE_H
#define LLS_TESTING_VEC_SUITE_H

#include "testing/kv_suite.h"
#include "testing/records_view.h"
#include "testing/stage_suite.h"

/* vec_suite.c: one record, one batch */
void vec_get_of_missing_id_is_notfound(void **state);
void vec_put_then_get_gives_every_field(void **state);
void vec_defaults_are_filled_in(void **state);
void vec_put_replaces_and_counts_versions(void **state);
void vec_put_may_move_a_record_to_another_space(void **state);
void vec_create_meets_what_is_there(void **state);
void vec_replace_is_compare_and_set(void **state);
void vec_delete_may_ask_for_a_version(void **state);
void vec_restore_keeps_every_field(void **state);
void vec_patch_merges_metadata_and_nothing_else(void **state);
void vec_bad_patches_change_nothing(void **state);
void vec_large_batch_is_all_or_nothing(void **state);
void vec_apply_is_all_or_nothing(void **state);
void vec_apply_is_in_order(void **state);
void vec_ids_may_hold_any_byte(void **state);
void vec_get_many_keeps_the_order_asked_for(void **state);

/* vec_suite_spaces.c: what is refused, and what keeps apart */
void vec_bad_vectors_are_refused(void **state);
void vec_bad_texts_are_refused(void **state);
void vec_spaces_refuse_to_mix(void **state);
void vec_a_batch_may_declare_a_space_anew(void **state);
void vec_a_batch_that_leaves_a_space_mixed_is_refused(void **state);
void vec_cleared_spaces_are_forgotten(void **state);
void vec_names_may_be_as_long_as_allowed(void **state);
void vec_tenants_and_collections_do_not_mix(void **state);

/* vec_suite_search.c: by nearness */
void vec_search_equals_brute_force_in_every_metric(void **state);
void vec_equals_come_in_order_of_their_ids(void **state);
void vec_within_limits_the_distance(void **state);
void vec_dimensions_stand_side_by_side(void **state);
void vec_search_of_unknown_spaces(void **state);
void vec_many_searches_at_once(void **state);
void vec_hits_have_the_fields_asked_for(void **state);
void vec_searches_follow_every_write(void **state);
void vec_recall_of_a_large_collection(void **state);

/* vec_suite_filter.c */
void vec_filters_understand_nasty_metadata(void **state);
void vec_conditions_hold_together(void **state);
void vec_bad_filters_are_refused(void **state);
void vec_filters_by_scope_and_time(void **state);
void vec_expired_records_are_not_there(void **state);
void vec_filtered_search_gives_k_whenever_k_match(void **state);

/* vec_suite_words.c */
void vec_words_rank_by_bm25(void **state);
void vec_words_follow_every_write(void **state);
void vec_words_may_be_very_long(void **state);
void vec_hybrid_fuses_both_lists(void **state);
void vec_bad_words_are_refused(void **state);

/* vec_suite_list.c */
void vec_lists_page_in_both_orders(void **state);
void vec_list_may_begin_behind_what_is_gone(void **state);
void vec_remove_takes_what_the_filter_lets_through(void **state);
void vec_stats_tell_of_each_space(void **state);
void vec_stats_follow_every_write(void **state);

/* vec_suite_records.c */
void vec_records_have_canonical_values(void **state);
void vec_records_are_written_as_items(void **state);
void vec_records_refuse_what_is_not_canonical(void **state);
void vec_records_refuse_to_mix_spaces(void **state);
void vec_records_survive_a_round_trip(void **state);
void vec_records_have_the_same_digest_everywhere(void **state);
void vec_scan_sees_one_moment(void **state);
void vec_published_records_are_found(void **state);
void vec_stages_refuse_to_mix_spaces(void **state);
void vec_stages_refuse_what_is_not_canonical(void **state);

/* vec_suite_threads.c */
void vec_readers_see_whole_batches(void **state);
void vec_patches_of_threads_are_all_there(void **state);

int vec_empty(void **state); /**< Empties the collections that the suite uses. */

#define LLS_VEC_TEST(name) cmocka_unit_test_setup(name, vec_empty)
#define LLS_VEC_SUITE                                                                              \
    LLS_VEC_VERBS_SUITE, LLS_VEC_SEARCH_SUITE, LLS_VEC_FILTER_SUITE, LLS_VEC_WORDS_SUITE,          \
        LLS_VEC_LIST_SUITE, LLS_VEC_CANONICAL_SUITE, LLS_VEC_THREADS_SUITE
#define LLS_VEC_VERBS_SUITE                                                                        \
    LLS_VEC_TEST(vec_get_of_missing_id_is_notfound),                                               \
        LLS_VEC_TEST(vec_put_then_get_gives_every_field),                                          \
        LLS_VEC_TEST(vec_defaults_are_filled_in),                                                  \
        LLS_VEC_TEST(vec_put_replaces_and_counts_versions),                                        \
        LLS_VEC_TEST(vec_put_may_move_a_record_to_another_space),                                  \
        LLS_VEC_TEST(vec_create_meets_what_is_there),                                              \
        LLS_VEC_TEST(vec_replace_is_compare_and_set),                                              \
        LLS_VEC_TEST(vec_delete_may_ask_for_a_version),                                            \
        LLS_VEC_TEST(vec_restore_keeps_every_field),                                               \
        LLS_VEC_TEST(vec_patch_merges_metadata_and_nothing_else),                                  \
        LLS_VEC_TEST(vec_bad_patches_change_nothing),                                              \
        LLS_VEC_TEST(vec_large_batch_is_all_or_nothing),                                           \
        LLS_VEC_TEST(vec_apply_is_all_or_nothing), LLS_VEC_TEST(vec_apply_is_in_order),            \
        LLS_VEC_TEST(vec_ids_may_hold_any_byte), LLS_VEC_TEST(vec_bad_vectors_are_refused),        \
        LLS_VEC_TEST(vec_bad_texts_are_refused), LLS_VEC_TEST(vec_spaces_refuse_to_mix),           \
        LLS_VEC_TEST(vec_a_batch_may_declare_a_space_anew),                                        \
        LLS_VEC_TEST(vec_a_batch_that_leaves_a_space_mixed_is_refused),                            \
        LLS_VEC_TEST(vec_cleared_spaces_are_forgotten),                                            \
        LLS_VEC_TEST(vec_names_may_be_as_long_as_allowed),                                         \
        LLS_VEC_TEST(vec_tenants_and_collections_do_not_mix),                                      \
        LLS_VEC_TEST(vec_get_many_keeps_the_order_asked_for)

#define LLS_VEC_SEARCH_SUITE                                                                       \
    LLS_VEC_TEST(vec_search_equals_brute_force_in_every_metric),                                   \
        LLS_VEC_TEST(vec_within_limits_the_distance),                                              \
        LLS_VEC_TEST(vec_dimensions_stand_side_by_side),                                           \
        LLS_VEC_TEST(vec_search_of_unknown_spaces), LLS_VEC_TEST(vec_many_searches_at_once),       \
        LLS_VEC_TEST(vec_hits_have_the_fields_asked_for),                                          \
        LLS_VEC_TEST(vec_searches_follow_every_write),                                             \
        LLS_VEC_TEST(vec_recall_of_a_large_collection)

#define LLS_VEC_FILTER_SUITE                                                                       \
    LLS_VEC_TEST(vec_filters_understand_nasty_metadata),                                           \
        LLS_VEC_TEST(vec_conditions_hold_together), LLS_VEC_TEST(vec_bad_filters_are_refused),     \
        LLS_VEC_TEST(vec_filters_by_scope_and_time),                                               \
        LLS_VEC_TEST(vec_expired_records_are_not_there),                                           \
        LLS_VEC_TEST(vec_filtered_search_gives_k_whenever_k_match)

#define LLS_VEC_WORDS_SUITE                                                                        \
    LLS_VEC_TEST(vec_words_rank_by_bm25), LLS_VEC_TEST(vec_words_follow_every_write),              \
        LLS_VEC_TEST(vec_words_may_be_very_long), LLS_VEC_TEST(vec_hybrid_fuses_both_lists),       \
        LLS_VEC_TEST(vec_bad_words_are_refused)
#define LLS_VEC_LIST_SUITE                                                                         \
    LLS_VEC_TEST(vec_lists_page_in_both_orders),                                                   \
        LLS_VEC_TEST(vec_list_may_begin_behind_what_is_gone),                                      \
        LLS_VEC_TEST(vec_remove_takes_what_the_filter_lets_through),                               \
        LLS_VEC_TEST(vec_stats_tell_of_each_space), LLS_VEC_TEST(vec_stats_follow_every_write)

#define LLS_VEC_CANONICAL_SUITE                                                                    \
    LLS_VEC_TEST(vec_records_have_canonical_values),                                               \
        LLS_VEC_TEST(vec_records_are_written_as_items),                                            \
        LLS_VEC_TEST(vec_records_refuse_what_is_not_canonical),                                    \
        LLS_VEC_TEST(vec_records_refuse_to_mix_spaces),                                            \
        LLS_VEC_TEST(vec_records_survive_a_round_trip),                                            \
        LLS_VEC_TEST(vec_records_have_the_same_digest_everywhere),                                 \
        LLS_VEC_TEST(vec_scan_sees_one_moment)

/* Of a backend that can be migrated to. */
#define LLS_VEC_STAGE_SUITE                                                                        \
    LLS_VEC_TEST(vec_published_records_are_found), LLS_VEC_TEST(vec_stages_refuse_to_mix_spaces),  \
        LLS_VEC_TEST(vec_stages_refuse_what_is_not_canonical)

/* Of a backend whose every search is exact: also which of many equals are found is settled. */
#define LLS_VEC_EXACT_SUITE LLS_VEC_TEST(vec_equals_come_in_order_of_their_ids)

#define LLS_VEC_THREADS_SUITE                                                                      \
    LLS_VEC_TEST(vec_readers_see_whole_batches), LLS_VEC_TEST(vec_patches_of_threads_are_all_there)

#define LLS_VEC_RECORDS_SUITE LLS_KV_SMALL_SUITE, LLS_STAGE_SUITE

#endif
