#include "components/episode.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/scope.h"
#include "ports/record.h"

enum { ROLE_MAX = 64, SESSION_MAX = LLS_VEC_SCOPE_MAX - (sizeof(LLS_EPISODE_SCOPE) - 1) };

static lls_err refuse(const lls_episode *episode, const char *what, lls_error *err)
{
    LLS_AUTO(lls_buf) shown = {0};

    lls_key_show(lls_bytes_of(episode->id), &shown);
    return lls_fail(err, LLS_E_INVALID, "episode '%s': %s", lls_buf_cstr(&shown), what);
}

lls_err lls_episode_scope(lls_str session_id, lls_buf *out, lls_error *err)
{
    if (session_id.len == 0)
        return lls_fail(err, LLS_E_INVALID, "the session id is empty");
    if (session_id.len > SESSION_MAX)
        return lls_fail(err, LLS_E_INVALID, "session id of %zu bytes is over the limit of %d",
                        session_id.len, (int)SESSION_MAX);
    lls_buf_add_text(out, LLS_EPISODE_SCOPE);
    lls_buf_add_str(out, session_id);
    return lls_buf_status(out, err);
}

/* A role stands in JSON as it is, so that it can be read back without being unescaped. */
static bool role_is_good(lls_str role)
{
    if (role.len == 0 || role.len > ROLE_MAX || !lls_utf8_check(lls_bytes_of(role)))
        return false;
    for (size_t i = 0; i < role.len; i++)
        if ((unsigned char)role.data[i] < 0x20 || role.data[i] == '"' || role.data[i] == '\\')
            return false;
    return true;
}

lls_err lls_episode_metadata(const lls_episode *episode, lls_buf *out, lls_error *err)
{
    lls_json_value object;
    lls_str own = episode->metadata.len ? episode->metadata : LLS_STR("{}");

    if (!role_is_good(episode->role))
        return refuse(episode, "the role is empty, longer than 64 bytes, or not a plain word", err);
    if (lls_json_check(own, &object, NULL) != LLS_OK || object.type != LLS_JSON_OBJECT)
        return refuse(episode, "the metadata is not a JSON object", err);
    lls_buf_add_text(out, "{\"role\":\"");
    lls_buf_add_str(out, episode->role);
    lls_buf_add_text(out, episode->processed ? "\",\"processed\":true,\"metadata\":"
                                             : "\",\"processed\":false,\"metadata\":");
    lls_buf_add_str(out, own);
    lls_buf_add_text(out, "}");
    return lls_buf_status(out, err);
}

/* The texts of the metadata of a record that this component made. */
static void read_metadata(lls_str text, lls_episode *out)
{
    lls_json_value object;
    lls_json_value member;

    if (lls_json_check(text, &object, NULL) != LLS_OK || object.type != LLS_JSON_OBJECT)
        return;
    if (lls_json_member(object, LLS_STR("role"), &member) && member.type == LLS_JSON_STRING)
        out->role = (lls_str){member.text.data + 1, member.text.len - 2};
    if (lls_json_member(object, LLS_STR("processed"), &member) && member.type == LLS_JSON_BOOL)
        out->processed = member.text.data[0] == 't';
    if (lls_json_member(object, LLS_STR("metadata"), &member) && member.type == LLS_JSON_OBJECT)
        out->metadata = member.text;
}

lls_episode lls_episode_of(const lls_vec_item *item)
{
    const lls_bytes prefix = lls_bytes_of(LLS_STR(LLS_EPISODE_SCOPE));
    lls_episode out = {
        .id = {(const char *)item->id.data, item->id.len},
        .content = item->text,
        .embedding = {.values = item->vector,
                      .dimension = item->space.dim,
                      .model = item->space.model,
                      .metric = item->space.metric,
                      .normalised = item->space.normalised},
        .version = item->meta.version,
        .happened_usec = item->event_usec,
        .stored_usec = item->meta.created_usec,
        .expires_usec = item->meta.expires_usec,
    };

    if (lls_bytes_has_prefix(lls_bytes_of(item->scope), prefix))
        out.session_id = (lls_str){item->scope.data + prefix.len, item->scope.len - prefix.len};
    read_metadata(item->metadata, &out);
    return out;
}

struct lls_episode_hold {
    lls_vec_hits hits;
};

lls_err lls_episode_found(lls_vec_hits *hits, lls_episode_hits *out, lls_error *err)
{
    struct lls_episode_hold *hold = lls_alloc(sizeof(*hold));
    lls_episode_hit *found = lls_alloc((hits->count + 1) * sizeof(*found));

    if (!hold || !found) {
        lls_free(hold);
        lls_free(found);
        lls_vec_hits_fini(hits);
        return lls_fail(err, LLS_E_NOMEM, "no memory for what was found");
    }
    for (size_t i = 0; i < hits->count; i++)
        found[i] = (lls_episode_hit){lls_episode_of(&hits->hits[i].item), hits->hits[i].distance,
                                     hits->hits[i].score};
    *out = (lls_episode_hits){found, hits->count, hits->exact, hold};
    hold->hits = *hits;
    *hits = (lls_vec_hits){0};
    return LLS_OK;
}

void lls_episode_hits_fini(lls_episode_hits *found)
{
    if (found->hold)
        lls_vec_hits_fini(&found->hold->hits);
    lls_free(found->hold);
    lls_free(found->hits);
    *found = (lls_episode_hits){0};
}
