/**
 * episode_json.h - an episode as a JSON object, for exports, imports and people:
 *
 *     {"session_id": "s1", "role": "user", "content": "…", "happened": "2025-01-15T10:30:00Z",
 *      "processed": false, "metadata": {…}, "embedding": {"model": "…", "metric": "cosine",
 *      "normalised": false, "vector": [0.5, …]}}
 */
#ifndef LLS_COMPONENTS_EPISODE_JSON_H
#define LLS_COMPONENTS_EPISODE_JSON_H

#include "components/episode.h"

/** For lls_component_def.to_json. */
lls_err lls_episode_to_json(const lls_kv_item *item, lls_buf *json, lls_error *err) LLS_CHECKED;

/**
 * For lls_component_def.from_json. "session_id", "role" and "content" must be there; members that
 * are unknown or stand twice are refused.
 */
lls_err lls_episode_from_json(lls_str json, lls_buf *value, lls_error *err) LLS_CHECKED;

#endif
