/**
 * episodic_memory.h - what happened, turn by turn: each episode belongs to a session, has a role, a
 * content, a moment, and, if the caller has one, an embedding.
 *
 * Episodes are found by nearness of meaning, by words, by both (hybrid), by conditions on their
 * metadata, by session in the order of what happened, or by id. Those that nobody has worked on
 * yet are told apart (`processed`), for programs that turn episodes into lasting knowledge.
 *
 * `storage.memory.episodic_backend` says where they are kept.
 */
#ifndef LLMSPELL_EPISODIC_MEMORY_H
#define LLMSPELL_EPISODIC_MEMORY_H

#include <llmspell/embedding.h>
#include <llmspell/filter.h>
#include <llmspell/store.h>

LLS_BEGIN_DECLS

#define LLS_EPISODE_ID_MAX 511 /* bytes */
#define LLS_EPISODE_ID_TEXT 33 /* room for an id that the library makes, with its NUL */

/** One episode. Views belong to who handed it out. */
typedef struct lls_episode {
    lls_str id;              /**< 1 to LLS_EPISODE_ID_MAX bytes; empty when added: one is made. */
    lls_str session_id;      /**< Not empty. */
    lls_str role;            /**< "user", "assistant", "tool", …; not empty. */
    lls_str content;         /**< UTF-8, up to 16 MiB. */
    lls_embedding embedding; /**< Dimension 0: it has none, and is found by everything else. */
    lls_str metadata;        /**< A JSON object, kept byte for byte; empty stands for {}. */
    bool processed;
    uint64_t version;      /**< Of the record; ignored when added. */
    int64_t happened_usec; /**< Microseconds since 1970-01-01 UTC; 0 when added: now. */
    int64_t stored_usec;   /**< When it was added first; ignored when added. */
    int64_t expires_usec;  /**< From this moment on it is not there. 0: never. */
} lls_episode;

/**
 * Add `count` episodes, all or none; one whose id is there already is replaced. `ids` has `count`
 * rows that receive the ids of those that came without (the others' rows become ""), or is NULL
 * when all have one.
 *
 * Errors: LLS_E_INVALID naming the id and what is wrong; LLS_E_MISMATCH for an embedding that does
 * not fit its space.
 */
LLS_API lls_err lls_episode_add(lls_store *store, const lls_episode *episodes, size_t count,
                                char (*ids)[LLS_EPISODE_ID_TEXT], lls_error *err) LLS_CHECKED;

/** One episode that was found. */
typedef struct lls_episode_hit {
    lls_episode episode;
    float distance; /**< To the embedding that was searched for; 0 when there was none. */
    float score;    /**< The higher, the better; comparable within one search only. */
} lls_episode_hit;

/** What a search or a list found, in order. Zeroed is empty. Owns all that its views point to. */
typedef struct lls_episode_hits {
    lls_episode_hit *hits;
    size_t count;
    bool exact; /**< Everything that matches was compared: no hit can be missing. */
    struct lls_episode_hold *hold;
} lls_episode_hits;

/** Free what a search found. A zeroed one is fine. */
LLS_API void lls_episode_hits_fini(lls_episode_hits *found);

/** Which parts of episodes a caller wants: the more, the more is read. All else is always there. */
typedef enum lls_episode_parts {
    LLS_EPISODE_CONTENT = 1,
    LLS_EPISODE_METADATA = 2,
    LLS_EPISODE_EMBEDDING = 4,
    LLS_EPISODE_ALL = 7,
} lls_episode_parts;

/** The episode `id`, alone in `out`. Errors: LLS_E_NOTFOUND, also when it has expired. */
LLS_API lls_err lls_episode_get(lls_store *store, lls_str id, unsigned parts, lls_episode_hits *out,
                                lls_error *err) LLS_CHECKED;

/** Remove an episode. Errors: LLS_E_NOTFOUND. */
LLS_API lls_err lls_episode_delete(lls_store *store, lls_str id, lls_error *err) LLS_CHECKED;

typedef enum lls_episode_state {
    LLS_EPISODE_ANY,
    LLS_EPISODE_UNPROCESSED,
    LLS_EPISODE_PROCESSED,
} lls_episode_state;

/** Which episodes are meant. Zeroed: all that have not expired. */
typedef struct lls_episode_filter {
    lls_str session_id; /**< Empty: of every session. */
    lls_str role;       /**< Empty: of every role. */
    lls_episode_state state;
    lls_time_range happened;
    lls_time_range stored;
    const lls_filter_term *terms; /**< Conditions on the metadata. */
    size_t term_count;            /**< At most 60. */
} lls_episode_filter;

typedef struct lls_episode_query {
    uint32_t abi;            /**< LLS_ABI. */
    lls_embedding embedding; /**< Of what is looked for; metric and normalised are not read. */
    lls_str words;           /**< Full text (BM25); with an embedding: both, fused by rank. */
    uint32_t limit;          /**< At most so many hits; 0: 10. */
    bool has_within;         /**< Only hits that are not farther than `within`; no words then. */
    float within;
    uint32_t effort; /**< Breadth of an approximate search; 0: the backend's own. */
    bool exact;      /**< Compare with every episode that the filter lets through. */
    unsigned parts;  /**< LLS_EPISODE_… */
    lls_episode_filter filter;
} lls_episode_query;

/**
 * The episodes that fit best, best first: at least one of embedding and words is given. When k
 * episodes pass the filter, k are found.
 *
 * Errors: LLS_E_INVALID; LLS_E_MISMATCH for an embedding whose dimension is not its model's.
 */
LLS_API lls_err lls_episode_search(lls_store *store, const lls_episode_query *query,
                                   lls_episode_hits *out, lls_error *err) LLS_CHECKED;

typedef struct lls_episode_page {
    uint32_t abi; /**< LLS_ABI. */
    lls_episode_filter filter;
    bool newest_first;
    lls_str after_id;            /**< With the next: begin behind this episode, the last of the */
    int64_t after_happened_usec; /**< page before. */
    uint32_t limit;              /**< 1 to 100,000; 0: 1,000. */
    unsigned parts;
} lls_episode_page;

/**
 * Episodes in the order in which they happened: the history of a session, those that nobody has
 * processed yet, a time. `out->count` less than the limit: that was all.
 */
LLS_API lls_err lls_episode_list(lls_store *store, const lls_episode_page *page,
                                 lls_episode_hits *out, lls_error *err) LLS_CHECKED;

/** How many episodes a filter lets through. */
LLS_API lls_err lls_episode_count(lls_store *store, const lls_episode_filter *filter, uint64_t *out,
                                  lls_error *err) LLS_CHECKED;

/**
 * Note that episodes were processed, or were not, all or none.
 *
 * Errors: LLS_E_NOTFOUND when one of them is not there; nothing has changed then.
 */
LLS_API lls_err lls_episode_mark(lls_store *store, const lls_str *ids, size_t count, bool processed,
                                 lls_error *err) LLS_CHECKED;

/** Remove what happened before `before_usec`, in one session or (empty) in all. */
LLS_API lls_err lls_episode_delete_before(lls_store *store, lls_str session_id, int64_t before_usec,
                                          uint64_t *removed, lls_error *err) LLS_CHECKED;

/** Remove a whole session. A session without episodes is no failure. */
LLS_API lls_err lls_episode_delete_session(lls_store *store, lls_str session_id, uint64_t *removed,
                                           lls_error *err) LLS_CHECKED;

/** Free the room of episodes that have expired; `removed` may be NULL. */
LLS_API lls_err lls_episode_sweep(lls_store *store, uint64_t *removed, lls_error *err) LLS_CHECKED;

/**
 * Bring what searches stand on up to date now: build indexes, fold logs. Worth a call after many
 * writes at once; a backend does it by itself too, when it can. Nothing to do is a success.
 */
LLS_API lls_err lls_episode_tend(lls_store *store, lls_error *err) LLS_CHECKED;

/** Told one session that has episodes which nobody has processed. The view lives for the call. */
typedef void (*lls_episode_session_fn)(void *user, lls_str session_id, int64_t last_happened_usec);

/** Sessions with unprocessed episodes, the one with the latest activity first. */
LLS_API lls_err lls_episode_pending(lls_store *store, lls_episode_session_fn each, void *user,
                                    lls_error *err) LLS_CHECKED;

LLS_END_DECLS

#endif
