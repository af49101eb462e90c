/**
 * stage_suite.h - what every backend that can be migrated to must do, as tests. Beside
 * LLS_KV_SUITE, on the same state.
 */
#ifndef LLS_TESTING_STAGE_SUITE_H
#define LLS_TESTING_STAGE_SUITE_H

#include "testing/kv_suite.h"

void stage_is_unseen_until_published(void **state);
void stage_merge_keeps_other_keys(void **state);
void stage_replace_leaves_only_what_was_staged(void **state);
void stage_scan_shows_what_will_be(void **state);
void stage_goes_on_where_it_was_left(void **state);
void stage_discard_leaves_no_trace(void **state);
void stages_of_two_tenants_do_not_meet(void **state);
void stage_takes_any_bytes(void **state);
void stage_takes_many_records(void **state);
void stage_loses_no_write_of_another(void **state);
void stage_may_be_prepared_again(void **state);
void stage_of_nothing_is_published(void **state);
void stage_loses_no_clear_of_another(void **state);
void stage_is_still_there_after_a_conflict(void **state);
void stage_loses_nothing_that_was_added_late(void **state);
void stage_knows_its_collections(void **state);
void stage_merge_keeps_meta_exactly(void **state);

int stage_empty(void **state); /**< kv_empty, and no stage left behind. */

#define LLS_STAGE_TEST(name) cmocka_unit_test_setup(name, stage_empty)
#define LLS_STAGE_SUITE                                                                            \
    LLS_STAGE_TEST(stage_is_unseen_until_published), LLS_STAGE_TEST(stage_merge_keeps_other_keys), \
        LLS_STAGE_TEST(stage_replace_leaves_only_what_was_staged),                                 \
        LLS_STAGE_TEST(stage_scan_shows_what_will_be),                                             \
        LLS_STAGE_TEST(stage_goes_on_where_it_was_left),                                           \
        LLS_STAGE_TEST(stage_discard_leaves_no_trace),                                             \
        LLS_STAGE_TEST(stages_of_two_tenants_do_not_meet), LLS_STAGE_TEST(stage_takes_any_bytes),  \
        LLS_STAGE_TEST(stage_takes_many_records), LLS_STAGE_TEST(stage_loses_no_write_of_another), \
        LLS_STAGE_TEST(stage_may_be_prepared_again),                                               \
        LLS_STAGE_TEST(stage_of_nothing_is_published),                                             \
        LLS_STAGE_TEST(stage_loses_no_clear_of_another),                                           \
        LLS_STAGE_TEST(stage_is_still_there_after_a_conflict),                                     \
        LLS_STAGE_TEST(stage_loses_nothing_that_was_added_late),                                   \
        LLS_STAGE_TEST(stage_knows_its_collections),                                               \
        LLS_STAGE_TEST(stage_merge_keeps_meta_exactly)

#endif
