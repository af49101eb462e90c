#include "components/episode_json.h"

#include "base/json.h"
#include "base/scope.h"
#include "base/time.h"
#include "ports/vec_record.h"

/* ---- writing ---- */

static void add_text(const char *name, lls_str text, lls_buf *out)
{
    lls_buf_add_text(out, name);
    lls_json_quote(text, out);
}

/* As JSON where it stands on one line; as a string that holds the JSON otherwise. */
static void add_metadata(lls_str metadata, lls_buf *out)
{
    bool one_line =
        !memchr(metadata.data, '\n', metadata.len) && !memchr(metadata.data, '\r', metadata.len);

    if (one_line) {
        lls_buf_add_text(out, ", \"metadata\": ");
        lls_buf_add_str(out, metadata);
    } else {
        add_text(", \"metadata_text\": ", metadata, out);
    }
}

static lls_err add_embedding(const lls_embedding *e, lls_buf *out, lls_error *err)
{
    lls_buf_add_text(out, ", \"embedding\": {");
    if (e->model.len) {
        add_text("\"model\": ", e->model, out);
        lls_buf_add_text(out, ", ");
    }
    lls_buf_printf(out, "\"metric\": \"%s\", \"normalised\": %s, \"vector\": ",
                   lls_vec_metric_name(e->metric), e->normalised ? "true" : "false");
    LLS_TRY(lls_json_add_floats(e->values, e->dimension, out, err));
    lls_buf_add_text(out, "}");
    return LLS_OK;
}

static lls_err write_json(const lls_episode *e, lls_buf *out, lls_error *err)
{
    char happened[LLS_TIME_TEXT];

    lls_time_format(e->happened_usec, happened);
    add_text("{\"session_id\": ", e->session_id, out);
    add_text(", \"role\": ", e->role, out);
    add_text(", \"content\": ", e->content, out);
    lls_buf_printf(out, ", \"happened\": \"%s\", \"processed\": %s", happened,
                   e->processed ? "true" : "false");
    add_metadata(e->metadata, out);
    if (e->embedding.dimension)
        LLS_TRY(add_embedding(&e->embedding, out, err));
    lls_buf_add_text(out, "}");
    return lls_buf_status(out, err);
}

/* Append the value of an episode. */
static lls_err encode(const lls_episode *episode, lls_buf *value, lls_error *err)
{
    LLS_AUTO(lls_buf) scope = {0};
    LLS_AUTO(lls_buf) metadata = {0};
    const lls_embedding *e = &episode->embedding;

    LLS_TRY(lls_episode_scope(episode->session_id, &scope, err));
    LLS_TRY(lls_episode_metadata(episode, &metadata, err));
    lls_vec_item item = {
        .id = lls_bytes_of(LLS_STR("it")), // not part of the value
        .vector = e->values,
        .scope = lls_buf_str(&scope),
        .text = episode->content,
        .metadata = lls_buf_str(&metadata),
        .event_usec = episode->happened_usec,
    };
    if (e->dimension)
        item.space = (lls_vec_space){e->model, e->dimension, e->metric, e->normalised};
    LLS_TRY(lls_vec_item_check(&item, err));
    lls_vec_record_encode(&item, value);
    return lls_buf_status(value, err);
}

lls_err lls_episode_to_json(const lls_kv_item *item, lls_buf *json, lls_error *err)
{
    LLS_AUTO(lls_buf) floats = {0};
    LLS_AUTO(lls_buf) again = {0};
    lls_vec_item record;

    LLS_TRY(lls_vec_record_decode(item, &floats, &record, err));
    lls_episode episode = lls_episode_of(&record);
    lls_err e = encode(&episode, &again, NULL);
    if (e == LLS_E_NOMEM)
        return lls_fail(err, e, "no memory for an episode");
    if (e != LLS_OK || !lls_bytes_eq(lls_buf_view(&again), item->value))
        return lls_fail(err, LLS_E_UNSUPPORTED, "the record was not made as an episode");
    return write_json(&episode, json, err);
}

/* ---- reading ---- */

/* Texts that had escapes, and the vector; views are made when all of them have their place. */
typedef struct reading {
    lls_episode episode;
    lls_buf texts[5];
    size_t text_count;
    lls_buf floats;
} reading;

static void reading_auto(reading *r)
{
    for (size_t i = 0; i < LLS_COUNT(r->texts); i++)
        lls_buf_fini(&r->texts[i]);
    lls_buf_fini(&r->floats);
}

static lls_err wrong(lls_str name, const char *want, lls_error *err)
{
    return lls_fail(err, LLS_E_PARSE, "member " LLS_FMT " is not %s", LLS_ARG(name), want);
}

static lls_err read_text(reading *r, lls_str name, lls_json_value value, lls_str *out,
                         lls_error *err)
{
    if (value.type != LLS_JSON_STRING)
        return wrong(name, "a text", err);
    lls_buf *text = &r->texts[r->text_count++]; // members stand once, so there are enough
    lls_json_unescape(value.text, text);
    *out = lls_buf_str(text);
    return lls_buf_status(text, err);
}

static lls_err read_truth(lls_str name, lls_json_value value, bool *out, lls_error *err)
{
    if (value.type != LLS_JSON_BOOL)
        return wrong(name, "true or false", err);
    *out = value.text.data[0] == 't';
    return LLS_OK;
}

static lls_err read_vector(reading *r, lls_str name, lls_json_value value, lls_error *err)
{
    lls_json_value element;
    lls_str none;
    uint32_t count = 0;

    if (value.type != LLS_JSON_ARRAY)
        return wrong(name, "an array of numbers", err);
    lls_json_walk walk = lls_json_walk_begin(value);
    while (lls_json_walk_next(&walk, &none, &element)) {
        double number;
        if (element.type != LLS_JSON_NUMBER)
            return wrong(name, "an array of numbers", err);
        if (++count > LLS_VEC_DIM_MAX)
            return wrong(name, "a vector of at most 16384 numbers", err);
        LLS_TRY(lls_json_number(element.text, &number, err));
        float component = (float)number; // one too large is infinite, and refused as such
        lls_buf_add(&r->floats, (lls_bytes){(const uint8_t *)&component, sizeof(component)});
    }
    if (count == 0)
        return wrong(name, "a vector", err);
    r->episode.embedding.values = (const float *)(const void *)r->floats.data;
    r->episode.embedding.dimension = count;
    return lls_buf_status(&r->floats, err);
}

typedef lls_err (*member_fn)(reading *r, lls_str name, lls_json_value value, lls_error *err);

typedef struct member {
    const char *name; /* with its quotes */
    member_fn read;
} member;

/* Read the members of `object`, each at most once. `*seen` has a bit for each that was there. */
static lls_err read_members(reading *r, lls_json_value object, const member *members, size_t count,
                            unsigned *seen, lls_error *err)
{
    lls_json_walk walk = lls_json_walk_begin(object);
    lls_json_value value;
    lls_str name;

    *seen = 0;
    while (lls_json_walk_next(&walk, &name, &value)) {
        size_t i = 0;
        while (i < count && !lls_str_eq(lls_str_of(members[i].name), name))
            i++;
        if (i == count)
            return lls_fail(err, LLS_E_PARSE, "unknown member %.*s",
                            (int)(name.len < 80 ? name.len : 80), name.data);
        if (*seen >> i & 1)
            return lls_fail(err, LLS_E_PARSE, "member " LLS_FMT " stands twice", LLS_ARG(name));
        *seen |= 1U << i;
        LLS_TRY(members[i].read(r, name, value, err));
    }
    return LLS_OK;
}

static lls_err read_model(reading *r, lls_str name, lls_json_value value, lls_error *err)
{
    return read_text(r, name, value, &r->episode.embedding.model, err);
}

static lls_err read_metric(reading *r, lls_str name, lls_json_value value, lls_error *err)
{
    if (value.type != LLS_JSON_STRING)
        return wrong(name, "a text", err);
    lls_str plain = {value.text.data + 1, value.text.len - 2};
    return lls_vec_metric_find(plain, &r->episode.embedding.metric, err);
}

static lls_err read_normalised(reading *r, lls_str name, lls_json_value value, lls_error *err)
{
    return read_truth(name, value, &r->episode.embedding.normalised, err);
}

static lls_err read_embedding(reading *r, lls_str name, lls_json_value value, lls_error *err)
{
    static const member members[] = {{"\"vector\"", read_vector},
                                     {"\"model\"", read_model},
                                     {"\"metric\"", read_metric},
                                     {"\"normalised\"", read_normalised}};
    unsigned seen;

    if (value.type != LLS_JSON_OBJECT)
        return wrong(name, "an object", err);
    LLS_TRY(read_members(r, value, members, LLS_COUNT(members), &seen, err));
    if (!(seen & 1U))
        return lls_fail(err, LLS_E_PARSE, "member \"vector\" of the embedding is missing");
    return LLS_OK;
}

static lls_err read_session(reading *r, lls_str name, lls_json_value value, lls_error *err)
{
    return read_text(r, name, value, &r->episode.session_id, err);
}

static lls_err read_role(reading *r, lls_str name, lls_json_value value, lls_error *err)
{
    return read_text(r, name, value, &r->episode.role, err);
}

static lls_err read_content(reading *r, lls_str name, lls_json_value value, lls_error *err)
{
    return read_text(r, name, value, &r->episode.content, err);
}

static lls_err read_happened(reading *r, lls_str name, lls_json_value value, lls_error *err)
{
    if (value.type != LLS_JSON_STRING)
        return wrong(name, "a time", err);
    lls_str plain = {value.text.data + 1, value.text.len - 2};
    lls_err e = lls_time_parse(plain, &r->episode.happened_usec, err);
    return e == LLS_OK ? e : lls_wrap(err, e, "member " LLS_FMT, LLS_ARG(name));
}

static lls_err read_processed(reading *r, lls_str name, lls_json_value value, lls_error *err)
{
    return read_truth(name, value, &r->episode.processed, err);
}

static lls_err read_metadata(reading *r, lls_str name, lls_json_value value, lls_error *err)
{
    if (value.type != LLS_JSON_OBJECT)
        return wrong(name, "an object", err);
    if (r->episode.metadata.len)
        return lls_fail(err, LLS_E_PARSE, "\"metadata\" and \"metadata_text\" exclude each other");
    r->episode.metadata = value.text;
    return LLS_OK;
}

static lls_err read_metadata_text(reading *r, lls_str name, lls_json_value value, lls_error *err)
{
    if (r->episode.metadata.len)
        return lls_fail(err, LLS_E_PARSE, "\"metadata\" and \"metadata_text\" exclude each other");
    return read_text(r, name, value, &r->episode.metadata, err);
}

lls_err lls_episode_from_json(lls_str json, lls_buf *value, lls_error *err)
{
    static const member members[] = {
        {"\"session_id\"", read_session},  {"\"role\"", read_role},
        {"\"content\"", read_content},     {"\"happened\"", read_happened},
        {"\"processed\"", read_processed}, {"\"metadata_text\"", read_metadata_text},
        {"\"metadata\"", read_metadata},   {"\"embedding\"", read_embedding},
    };
    LLS_AUTO(reading) r = {0};
    lls_json_value object;
    unsigned seen;

    LLS_TRY(lls_json_check(json, &object, err));
    if (object.type != LLS_JSON_OBJECT)
        return lls_fail(err, LLS_E_PARSE, "not a JSON object");
    LLS_TRY(read_members(&r, object, members, LLS_COUNT(members), &seen, err));
    for (size_t i = 0; i < 3; i++)
        if (!(seen >> i & 1))
            return lls_fail(err, LLS_E_PARSE, "member %s is missing", members[i].name);
    if (!r.episode.happened_usec)
        r.episode.happened_usec = lls_clock_now(NULL);
    return encode(&r.episode, value, err);
}
