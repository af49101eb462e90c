#include "base/alloc.h"
#include "base/id.h"
#include "base/scope.h"
#include "base/time.h"
#include "components/episode.h"
#include "components/episode_json.h"
#include "ports/vec_record.h"

/* Pages in which lists are walked through, and a list's own. */
enum { PAGE = 1000, SEARCH_LIMIT = 10 };

static lls_err check_key(lls_bytes key, lls_error *err)
{
    if (key.len == 0 || key.len > LLS_EPISODE_ID_MAX)
        return lls_fail(err, LLS_E_INVALID, "an episode's id has 1 to %d bytes, not %zu",
                        LLS_EPISODE_ID_MAX, key.len);
    return LLS_OK;
}

static lls_err check_value(lls_bytes value, lls_error *err)
{
    LLS_AUTO(lls_buf) floats = {0};
    lls_kv_item item = {lls_bytes_of(LLS_STR("it")), value, {.version = 1}};
    lls_vec_item ignored;

    return lls_vec_record_decode(&item, &floats, &ignored, err);
}

const lls_component_def lls_component_episodic_memory = {
    .name = "episodic_memory",
    .summary = "what happened, turn by turn, found by meaning and by words",
    .port = LLS_PORT_VEC,
    .collection = "episodic_memory",
    .route = "storage.memory.episodic_backend",
    .key_form = "<id>",
    .to_json = lls_episode_to_json,
    .from_json = lls_episode_from_json,
    .check_key = check_key,
    .check_value = check_value,
};

static const lls_component_def *const component = &lls_component_episodic_memory;

static lls_err check_abi(uint32_t abi, const char *of, lls_error *err)
{
    if (abi != LLS_ABI)
        return lls_fail(err, LLS_E_INVALID, "%s.abi is %u: set it to LLS_ABI", of, abi);
    return LLS_OK;
}

/* Where the texts of one episode begin among those of all. */
typedef struct place {
    size_t scope;
    size_t metadata;
    size_t end;
} place;

/* The writes of one add, and what they point to. */
typedef struct adding {
    lls_vec_write *writes;
    place *places;
    lls_buf texts;
} adding;

static void adding_auto(adding *a)
{
    lls_free(a->writes);
    lls_free(a->places);
    lls_buf_fini(&a->texts);
}

static lls_err write_texts(const lls_episode *episode, adding *a, place *at, lls_error *err)
{
    at->scope = a->texts.len;
    LLS_TRY(lls_episode_scope(episode->session_id, &a->texts, err));
    at->metadata = a->texts.len;
    LLS_TRY(lls_episode_metadata(episode, &a->texts, err));
    at->end = a->texts.len;
    return LLS_OK;
}

static lls_vec_write write_of(const lls_episode *episode, const adding *a, const place *at)
{
    const lls_embedding *e = &episode->embedding;
    const char *texts = (const char *)a->texts.data;
    lls_vec_item item = {
        .id = lls_bytes_of(episode->id),
        .vector = e->values,
        .scope = {texts + at->scope, at->metadata - at->scope},
        .text = episode->content,
        .metadata = {texts + at->metadata, at->end - at->metadata},
        .event_usec = episode->happened_usec,
        .meta = {.expires_usec = episode->expires_usec},
    };

    if (e->dimension)
        item.space = (lls_vec_space){e->model, e->dimension, e->metric, e->normalised};
    return (lls_vec_write){LLS_VEC_PUT, item};
}

/* Give those that have none an id. */
static lls_err name_all(adding *a, size_t count, char (*ids)[LLS_EPISODE_ID_TEXT], lls_error *err)
{
    for (size_t i = 0; i < count; i++) {
        lls_bytes *id = &a->writes[i].item.id;
        if (ids)
            ids[i][0] = '\0';
        if (id->len)
            continue;
        if (!ids)
            return lls_fail(err, LLS_E_INVALID, "episode %zu has no id, and no room for one", i);
        LLS_TRY(lls_id_make(lls_clock_now(NULL), ids[i], err));
        *id = lls_bytes_of(lls_str_of(ids[i]));
    }
    return LLS_OK;
}

lls_err lls_episode_add(lls_store *store, const lls_episode *episodes, size_t count,
                        char (*ids)[LLS_EPISODE_ID_TEXT], lls_error *err)
{
    LLS_AUTO(adding) a = {0};

    _Static_assert((int)LLS_EPISODE_ID_TEXT == (int)LLS_ID_TEXT, "ids are made by lls_id_make");
    if (count == 0)
        return LLS_OK;
    a.writes = lls_alloc(count * sizeof(*a.writes));
    a.places = lls_alloc(count * sizeof(*a.places));
    if (!a.writes || !a.places)
        return lls_fail(err, LLS_E_NOMEM, "no memory for %zu episodes", count);
    for (size_t i = 0; i < count; i++)
        LLS_TRY(write_texts(&episodes[i], &a, &a.places[i], err));
    for (size_t i = 0; i < count; i++) // the texts have stopped moving
        a.writes[i] = write_of(&episodes[i], &a, &a.places[i]);
    LLS_TRY(name_all(&a, count, ids, err));
    return lls_vectors_apply(store, component, a.writes, count, err);
}

/* What of a record is needed for the parts of an episode: role and state are in the metadata. */
static unsigned fields_of(unsigned parts)
{
    return LLS_VEC_METADATA | (parts & LLS_EPISODE_CONTENT ? LLS_VEC_TEXT : 0U) |
           (parts & LLS_EPISODE_EMBEDDING ? LLS_VEC_VECTOR : 0U);
}

lls_err lls_episode_get(lls_store *store, lls_str id, unsigned parts, lls_episode_hits *out,
                        lls_error *err)
{
    LLS_AUTO(lls_vectors) from = {0};
    lls_vec_hits hits;

    *out = (lls_episode_hits){0};
    LLS_TRY(lls_vectors_hold(store, component, &from, err));
    LLS_TRY(lls_vec_get(from.vec, from.coll, lls_bytes_of(id), fields_of(parts), &hits, err));
    return lls_episode_found(&hits, out, err);
}

lls_err lls_episode_delete(lls_store *store, lls_str id, lls_error *err)
{
    return lls_store_delete(store, lls_str_of(component->name), lls_bytes_of(id), err);
}

static lls_err search(const lls_vectors *from, const lls_episode_query *query,
                      const lls_filter *filter, lls_vec_hits *hits, lls_error *err)
{
    uint32_t k = query->limit ? query->limit : SEARCH_LIMIT;
    lls_vec_query near = {
        .model = query->embedding.model,
        .vector = query->embedding.values,
        .dim = query->embedding.dimension,
        .k = k,
        .has_within = query->has_within,
        .within = query->within,
        .effort = query->effort,
        .exact = query->exact,
        .filter = filter,
        .fields = fields_of(query->parts),
    };
    lls_vec_words words = {query->words, k, filter, near.fields};

    if (near.dim == 0)
        return lls_vec_match(from->vec, from->coll, &words, hits, err);
    if (query->words.len == 0)
        return lls_vec_search(from->vec, from->coll, &near, hits, err);
    return lls_vec_hybrid(from->vec, from->coll, &near, query->words, 0, hits, err);
}

lls_err lls_episode_search(lls_store *store, const lls_episode_query *query, lls_episode_hits *out,
                           lls_error *err)
{
    LLS_AUTO(lls_vectors) from = {0};
    LLS_AUTO(lls_episode_wanted) wanted = {0};
    lls_vec_hits hits;

    *out = (lls_episode_hits){0};
    LLS_TRY(check_abi(query->abi, "lls_episode_query", err));
    if (query->embedding.dimension == 0 && query->words.len == 0)
        return lls_fail(err, LLS_E_INVALID, "a search needs an embedding or words");
    if (query->has_within && query->words.len > 0)
        return lls_fail(err, LLS_E_INVALID, "a greatest distance says nothing about words");
    LLS_TRY(lls_episode_want(&query->filter, &wanted, err));
    LLS_TRY(lls_vectors_hold(store, component, &from, err));
    LLS_TRY(search(&from, query, &wanted.filter, &hits, err));
    return lls_episode_found(&hits, out, err);
}

lls_err lls_episode_list(lls_store *store, const lls_episode_page *page, lls_episode_hits *out,
                         lls_error *err)
{
    LLS_AUTO(lls_vectors) from = {0};
    LLS_AUTO(lls_episode_wanted) wanted = {0};
    lls_vec_item after = {.id = lls_bytes_of(page->after_id),
                          .event_usec = page->after_happened_usec};
    lls_vec_hits hits;

    *out = (lls_episode_hits){0};
    LLS_TRY(check_abi(page->abi, "lls_episode_page", err));
    LLS_TRY(lls_episode_want(&page->filter, &wanted, err));
    lls_vec_list list = {
        .order = LLS_VEC_BY_EVENT,
        .newest_first = page->newest_first,
        .filter = &wanted.filter,
        .after = page->after_id.len ? &after : NULL,
        .limit = page->limit ? page->limit : PAGE,
        .fields = fields_of(page->parts),
    };
    LLS_TRY(lls_vectors_hold(store, component, &from, err));
    LLS_TRY(lls_vec_list_page(from.vec, from.coll, &list, &hits, err));
    return lls_episode_found(&hits, out, err);
}

lls_err lls_episode_count(lls_store *store, const lls_episode_filter *filter, uint64_t *out,
                          lls_error *err)
{
    LLS_AUTO(lls_vectors) from = {0};
    LLS_AUTO(lls_episode_wanted) wanted = {0};

    LLS_TRY(lls_episode_want(filter, &wanted, err));
    LLS_TRY(lls_vectors_hold(store, component, &from, err));
    return lls_vec_count(from.vec, from.coll, &wanted.filter, out, err);
}

lls_err lls_episode_mark(lls_store *store, const lls_str *ids, size_t count, bool processed,
                         lls_error *err)
{
    lls_str patch = processed ? LLS_STR("{\"processed\":true}") : LLS_STR("{\"processed\":false}");

    if (count == 0)
        return LLS_OK;
    lls_vec_write *writes = lls_alloc(count * sizeof(*writes));
    if (!writes)
        return lls_fail(err, LLS_E_NOMEM, "no memory for %zu episodes", count);
    for (size_t i = 0; i < count; i++)
        writes[i] = (lls_vec_write){LLS_VEC_PATCH, {.id = lls_bytes_of(ids[i]), .metadata = patch}};
    lls_err e = lls_vectors_apply(store, component, writes, count, err);
    lls_free(writes);
    return e;
}

lls_err lls_episode_delete_before(lls_store *store, lls_str session_id, int64_t before_usec,
                                  uint64_t *removed, lls_error *err)
{
    LLS_AUTO(lls_episode_wanted) wanted = {0};
    lls_episode_filter filter = {.session_id = session_id,
                                 .happened = {.to_usec = before_usec - 1}};

    if (before_usec <= 1)
        return lls_fail(err, LLS_E_INVALID, "a time after 1970 is wanted");
    LLS_TRY(lls_episode_want(&filter, &wanted, err));
    wanted.filter.include_expired = true;
    return lls_vectors_remove(store, component, &wanted.filter, removed, err);
}

lls_err lls_episode_delete_session(lls_store *store, lls_str session_id, uint64_t *removed,
                                   lls_error *err)
{
    LLS_AUTO(lls_episode_wanted) wanted = {0};
    lls_episode_filter filter = {.session_id = session_id};

    if (session_id.len == 0)
        return lls_fail(err, LLS_E_INVALID, "the session id is empty");
    LLS_TRY(lls_episode_want(&filter, &wanted, err));
    wanted.filter.include_expired = true;
    return lls_vectors_remove(store, component, &wanted.filter, removed, err);
}

lls_err lls_episode_tend(lls_store *store, lls_error *err)
{
    return lls_vectors_tend(store, component, err);
}

lls_err lls_episode_sweep(lls_store *store, uint64_t *removed, lls_error *err)
{
    return lls_store_sweep(store, lls_str_of(component->name), removed, err);
}
