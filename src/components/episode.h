/**
 * episode.h - how an episode stands in a record of the vector port, and comes back.
 *
 * The record's scope is `session:<id>`, its text the content, and its metadata
 * `{"role":"user","processed":false,"metadata":{…}}`, with the caller's own inside.
 */
#ifndef LLS_COMPONENTS_EPISODE_H
#define LLS_COMPONENTS_EPISODE_H

#include "store/vectors.h"

#include <llmspell/episodic_memory.h>

#define LLS_EPISODE_SCOPE "session:"

/** Append the scope of a session. */
lls_err lls_episode_scope(lls_str session_id, lls_buf *out, lls_error *err) LLS_CHECKED;

/** Check what the port does not, and append the metadata of the record. Errors: LLS_E_INVALID. */
lls_err lls_episode_metadata(const lls_episode *episode, lls_buf *out, lls_error *err) LLS_CHECKED;

/**
 * The episode that `item` holds; its views are the item's. What a foreign record lacks is empty:
 * other programs may have put records into the collection.
 */
lls_episode lls_episode_of(const lls_vec_item *item);

/** A filter of the port, and the texts that it points to. Zeroed, it may be released. */
typedef struct lls_episode_wanted {
    lls_filter filter;
    lls_filter_term terms[LLS_FILTER_TERMS_MAX];
    lls_str scope;
    lls_str role;
    lls_str processed;
    lls_buf texts;
} lls_episode_wanted;

/** Say `filter` in the port's terms. It points into `out`, which stays where it is. */
lls_err lls_episode_want(const lls_episode_filter *filter, lls_episode_wanted *out,
                         lls_error *err) LLS_CHECKED;
void lls_episode_wanted_fini(lls_episode_wanted *wanted);
static inline void lls_episode_wanted_auto(lls_episode_wanted *wanted)
{
    lls_episode_wanted_fini(wanted);
}

/** Turn the port's hits into episodes; takes over `hits` also when it fails. */
lls_err lls_episode_found(lls_vec_hits *hits, lls_episode_hits *out, lls_error *err) LLS_CHECKED;

#endif
