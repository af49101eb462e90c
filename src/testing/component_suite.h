/**
 * component_suite.h - what the components promise, as tests, the same on every backend. A test
 * program names a group setup that opens a fixture on its backend, and lists LLS_COMPONENT_SUITE.
 */
#ifndef LLS_TESTING_COMPONENT_SUITE_H
#define LLS_TESTING_COMPONENT_SUITE_H

#include "testing/check.h"

#include <llmspell/store.h>

/** What `*state` of every test points to. The store takes its time from `now_usec`. */
typedef struct lls_component_fixture {
    lls_store *store;
    int64_t now_usec;
} lls_component_fixture;

/**
 * Open a store that `flags` describe ("storage.backend=…"), without any file or environment, into
 * a new fixture in `*state`. Returns 0, as cmocka wants it.
 */
int lls_component_open(const char *const *flags, size_t count, void **state);
int lls_component_close(void **state);

/** Before each test: no documents, or no episodes, and the time as at the beginning. */
int lls_component_empty(void **state);
int lls_episodes_empty(void **state);

/* agent_suite.c */
void agent_loads_as_it_was_saved(void **state);
void agent_ids_of_two_types_do_not_mix(void **state);
void agent_id_may_have_colons_and_any_letters(void **state);
void agent_versions_count_saves(void **state);
void agent_save_on_an_old_version_conflicts(void **state);
void agent_first_save_of_an_existing_one_conflicts(void **state);
void agent_save_after_a_delete_conflicts(void **state);
void agent_state_must_be_an_object(void **state);
void agent_without_type_or_id_is_refused(void **state);
void agent_that_is_not_there_is_notfound(void **state);
void agents_are_listed_by_type_and_prefix(void **state);
void agents_are_listed_in_pages(void **state);
void agent_filters_that_make_no_sense_are_refused(void **state);
void agents_counted_by_two_threads_lose_nothing(void **state);
void agent_calls_survive_every_failed_allocation(void **state);

/* history_suite.c: with storage.agent_state.history=3 */
#define LLS_HISTORY_FLAG "storage.agent_state.history=3"
void history_keeps_the_newest_versions(void **state);
void history_goes_with_its_state(void **state);
void histories_of_similar_ids_do_not_mix(void **state);
void history_has_nothing_of_a_save_that_failed(void **state);
void history_is_kept_however_it_is_written(void **state);
void history_of_a_key_without_room_for_it_is_refused(void **state);

/* workflow_suite.c */
void workflow_loads_as_it_was_saved(void **state);
void workflow_status_is_read_from_its_state(void **state);
void workflows_are_listed_by_status(void **state);
void workflow_prefix_ends_before_the_suffix(void **state);
void workflows_are_listed_in_pages(void **state);
void workflow_conflicts_and_deletes(void **state);

/* session_suite.c */
void session_loads_as_it_was_saved(void **state);
void session_id_need_not_be_a_uuid(void **state);
void session_status_may_stand_in_its_metadata(void **state);
void sessions_are_listed_by_status_and_page(void **state);
void session_that_expired_is_not_there(void **state);
void session_that_expired_may_be_begun_again(void **state);
void session_touch_moves_its_end_only(void **state);
void session_sweep_removes_what_expired(void **state);
void sessions_touched_and_saved_by_two_threads_lose_nothing(void **state);

/* episode_suite.c */
void episode_comes_back_as_it_was_added(void **state);
void episodes_without_an_id_are_given_one(void **state);
void episodes_are_added_all_or_none(void **state);
void session_history_is_in_the_order_of_time(void **state);
void episodes_are_found_by_meaning(void **state);
void episodes_are_found_by_words(void **state);
void episodes_are_found_by_both(void **state);
void episode_filters_hold_together(void **state);
void episodes_are_marked_all_or_none(void **state);
void pending_sessions_come_by_their_latest_activity(void **state);
void old_episodes_and_sessions_are_removed(void **state);
void episode_that_expired_is_not_there(void **state);
void bad_episodes_are_refused(void **state);
void records_of_other_programs_are_read(void **state);

#define LLS_EPISODE_TEST(name) cmocka_unit_test_setup(name, lls_episodes_empty)
#define LLS_EPISODE_SUITE                                                                          \
    LLS_EPISODE_TEST(episode_comes_back_as_it_was_added),                                          \
        LLS_EPISODE_TEST(episodes_without_an_id_are_given_one),                                    \
        LLS_EPISODE_TEST(episodes_are_added_all_or_none),                                          \
        LLS_EPISODE_TEST(session_history_is_in_the_order_of_time),                                 \
        LLS_EPISODE_TEST(episodes_are_found_by_meaning),                                           \
        LLS_EPISODE_TEST(episodes_are_found_by_words),                                             \
        LLS_EPISODE_TEST(episodes_are_found_by_both),                                              \
        LLS_EPISODE_TEST(episode_filters_hold_together),                                           \
        LLS_EPISODE_TEST(episodes_are_marked_all_or_none),                                         \
        LLS_EPISODE_TEST(pending_sessions_come_by_their_latest_activity),                          \
        LLS_EPISODE_TEST(old_episodes_and_sessions_are_removed),                                   \
        LLS_EPISODE_TEST(episode_that_expired_is_not_there),                                       \
        LLS_EPISODE_TEST(bad_episodes_are_refused),                                                \
        LLS_EPISODE_TEST(records_of_other_programs_are_read)

#define LLS_COMPONENT_TEST(name) cmocka_unit_test_setup(name, lls_component_empty)
#define LLS_COMPONENT_SUITE                                                                        \
    LLS_COMPONENT_TEST(agent_loads_as_it_was_saved),                                               \
        LLS_COMPONENT_TEST(agent_ids_of_two_types_do_not_mix),                                     \
        LLS_COMPONENT_TEST(agent_id_may_have_colons_and_any_letters),                              \
        LLS_COMPONENT_TEST(agent_versions_count_saves),                                            \
        LLS_COMPONENT_TEST(agent_save_on_an_old_version_conflicts),                                \
        LLS_COMPONENT_TEST(agent_first_save_of_an_existing_one_conflicts),                         \
        LLS_COMPONENT_TEST(agent_save_after_a_delete_conflicts),                                   \
        LLS_COMPONENT_TEST(agent_state_must_be_an_object),                                         \
        LLS_COMPONENT_TEST(agent_without_type_or_id_is_refused),                                   \
        LLS_COMPONENT_TEST(agent_that_is_not_there_is_notfound),                                   \
        LLS_COMPONENT_TEST(agents_are_listed_by_type_and_prefix),                                  \
        LLS_COMPONENT_TEST(agents_are_listed_in_pages),                                            \
        LLS_COMPONENT_TEST(agent_filters_that_make_no_sense_are_refused),                          \
        LLS_COMPONENT_TEST(agents_counted_by_two_threads_lose_nothing),                            \
        LLS_COMPONENT_TEST(agent_calls_survive_every_failed_allocation),                           \
        LLS_COMPONENT_TEST(workflow_loads_as_it_was_saved),                                        \
        LLS_COMPONENT_TEST(workflow_status_is_read_from_its_state),                                \
        LLS_COMPONENT_TEST(workflows_are_listed_by_status),                                        \
        LLS_COMPONENT_TEST(workflow_prefix_ends_before_the_suffix),                                \
        LLS_COMPONENT_TEST(workflows_are_listed_in_pages),                                         \
        LLS_COMPONENT_TEST(workflow_conflicts_and_deletes),                                        \
        LLS_COMPONENT_TEST(session_loads_as_it_was_saved),                                         \
        LLS_COMPONENT_TEST(session_id_need_not_be_a_uuid),                                         \
        LLS_COMPONENT_TEST(session_status_may_stand_in_its_metadata),                              \
        LLS_COMPONENT_TEST(sessions_are_listed_by_status_and_page),                                \
        LLS_COMPONENT_TEST(session_that_expired_is_not_there),                                     \
        LLS_COMPONENT_TEST(session_that_expired_may_be_begun_again),                               \
        LLS_COMPONENT_TEST(session_touch_moves_its_end_only),                                      \
        LLS_COMPONENT_TEST(session_sweep_removes_what_expired),                                    \
        LLS_COMPONENT_TEST(sessions_touched_and_saved_by_two_threads_lose_nothing)

#define LLS_HISTORY_SUITE                                                                          \
    LLS_COMPONENT_TEST(history_keeps_the_newest_versions),                                         \
        LLS_COMPONENT_TEST(history_goes_with_its_state),                                           \
        LLS_COMPONENT_TEST(histories_of_similar_ids_do_not_mix),                                   \
        LLS_COMPONENT_TEST(history_has_nothing_of_a_save_that_failed),                             \
        LLS_COMPONENT_TEST(history_is_kept_however_it_is_written),                                 \
        LLS_COMPONENT_TEST(history_of_a_key_without_room_for_it_is_refused)

#endif
