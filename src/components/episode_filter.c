#include "base/json.h"
#include "base/scope.h"
#include "components/episode.h"

/* Conditions of a filter that are not the caller's: on role and processed. */
enum { OWN_TERMS = 2 };

static lls_str text_from(const lls_buf *texts, size_t begin)
{
    return (lls_str){(const char *)texts->data + begin, texts->len - begin};
}

/* Append `path` as it is reached from the record's metadata: below the member "metadata". */
static void add_path(lls_str path, lls_buf *texts)
{
    lls_buf_add_text(texts, "/metadata");
    if (path.len > 0 && path.data[0] == '/') {
        lls_buf_add_str(texts, path);
        return;
    }
    lls_buf_add_text(texts, "/");
    for (size_t i = 0; i < path.len; i++) {
        if (path.data[i] == '~')
            lls_buf_add_text(texts, "~0");
        else if (path.data[i] == '/')
            lls_buf_add_text(texts, "~1");
        else
            lls_buf_add(texts, (lls_bytes){(const uint8_t *)path.data + i, 1});
    }
}

static size_t path_room(const lls_episode_filter *filter)
{
    size_t room = 0;

    for (size_t i = 0; i < filter->term_count; i++)
        room += sizeof("/metadata/") + 2 * filter->terms[i].path.len;
    return room;
}

/* All texts go into one block that was made large enough, so that views into it stay good. */
static lls_err reserve(const lls_episode_filter *filter, lls_buf *texts, lls_error *err)
{
    lls_buf_reserve(texts, sizeof(LLS_EPISODE_SCOPE) + filter->session_id.len +
                               6 * filter->role.len + 2 + path_room(filter));
    return lls_buf_status(texts, err);
}

static lls_err want_session(lls_str session_id, lls_episode_wanted *out, lls_error *err)
{
    size_t begin = out->texts.len;

    if (session_id.len == 0)
        return LLS_OK;
    LLS_TRY(lls_episode_scope(session_id, &out->texts, err));
    out->scope = text_from(&out->texts, begin);
    out->filter.scopes = &out->scope;
    out->filter.scope_count = 1;
    return LLS_OK;
}

static lls_err want_role(lls_str role, lls_episode_wanted *out, lls_error *err)
{
    size_t begin = out->texts.len;

    if (role.len == 0)
        return LLS_OK;
    if (!lls_utf8_check(lls_bytes_of(role)))
        return lls_fail(err, LLS_E_INVALID, "the role is not UTF-8");
    lls_json_quote(role, &out->texts);
    out->role = text_from(&out->texts, begin);
    out->terms[out->filter.term_count++] = (lls_filter_term){
        .op = LLS_FILTER_EQ, .path = LLS_STR("role"), .values = &out->role, .value_count = 1};
    return LLS_OK;
}

static void want_state(lls_episode_state state, lls_episode_wanted *out)
{
    if (state == LLS_EPISODE_ANY)
        return;
    out->processed = state == LLS_EPISODE_PROCESSED ? LLS_STR("true") : LLS_STR("false");
    out->terms[out->filter.term_count++] = (lls_filter_term){.op = LLS_FILTER_EQ,
                                                             .path = LLS_STR("processed"),
                                                             .values = &out->processed,
                                                             .value_count = 1};
}

lls_err lls_episode_want(const lls_episode_filter *filter, lls_episode_wanted *out, lls_error *err)
{
    *out = (lls_episode_wanted){0};
    if (filter->term_count > LLS_FILTER_TERMS_MAX - OWN_TERMS)
        return lls_fail(err, LLS_E_INVALID, "filter of %zu conditions; the limit is %d",
                        filter->term_count, LLS_FILTER_TERMS_MAX - OWN_TERMS);
    LLS_TRY(reserve(filter, &out->texts, err));
    out->filter.terms = out->terms;
    out->filter.event = filter->happened;
    out->filter.ingestion = filter->stored;
    LLS_TRY(want_session(filter->session_id, out, err));
    LLS_TRY(want_role(filter->role, out, err));
    want_state(filter->state, out);
    for (size_t i = 0; i < filter->term_count; i++) {
        lls_filter_term *term = &out->terms[out->filter.term_count++];
        size_t begin = out->texts.len;
        *term = filter->terms[i];
        add_path(filter->terms[i].path, &out->texts);
        term->path = text_from(&out->texts, begin);
    }
    return lls_buf_status(&out->texts, err);
}

void lls_episode_wanted_fini(lls_episode_wanted *wanted)
{
    lls_buf_fini(&wanted->texts);
}
