/*
 * vectors.msgpack of rs-llmspell: what its vector store left in <namespace>/. The file is gone
 * through twice. First everything but the entries' insides is looked at: the metric stands behind
 * the entries. Then each entry becomes an episode; one whose id was there before replaces that.
 *
 * What that program got wrong is mended and told: lists of different lengths, ids that stand more
 * than once, vectors that differ from their second copy, entries that nothing can store.
 */
#include "base/alloc.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/packed.h"
#include "base/scope.h"
#include "base/time.h"
#include "tools/import.h"
#include "tools/msgpack_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* The fields of the file, and of an entry. */
enum { FILE_VECTORS, FILE_IDS, FILE_ENTRIES, FILE_STATS, FILE_METRIC, FILE_CONFIG, FILE_FIELDS };
enum {
    ID,
    EMBEDDING,
    METADATA,
    SCOPE,
    CREATED,
    UPDATED,
    EVENT,
    EXPIRES,
    TTL,
    TENANT,
    ENTRY_FIELDS
};

typedef struct survey {
    lls_buf vectors; /* a 64-bit hash of each, as are the next two */
    lls_buf ids;
    lls_buf entries; /* of their ids */
    uint64_t entries_at;
    lls_buf namespace;
    lls_vec_metric metric;
} survey;

static void survey_auto(survey *s)
{
    lls_buf_fini(&s->vectors);
    lls_buf_fini(&s->ids);
    lls_buf_fini(&s->entries);
    lls_buf_fini(&s->namespace);
}

static void tell(const lls_import_run *run, const char *text)
{
    if (run->options->note)
        run->options->note(run->options->user, text);
}

/* ---- the first time */

static void add_hash(lls_buf *hashes, lls_bytes value)
{
    uint64_t hash = lls_digest_of(&value, 1).low;

    hashes->max = SIZE_MAX / 2;
    lls_buf_add(hashes, (lls_bytes){(const uint8_t *)&hash, sizeof(hash)});
}

static uint64_t hash_at(const lls_buf *hashes, size_t index)
{
    uint64_t hash;

    memcpy(&hash, hashes->data + index * sizeof(hash), sizeof(hash));
    return hash;
}

static size_t count_of(const lls_buf *hashes)
{
    return hashes->len / sizeof(uint64_t);
}

static lls_err hash_list(lls_import_run *run, lls_msgpack_file *file, lls_buf *hashes,
                         lls_error *err)
{
    uint64_t count;
    lls_bytes value;

    LLS_TRY(lls_msgpack_file_list(file, &count, err));
    for (uint64_t i = 0; i < count; i++) {
        LLS_TRY(lls_import_pause(run, err));
        LLS_TRY(lls_msgpack_file_value(file, &value, err));
        add_hash(hashes, value);
    }
    return lls_buf_status(hashes, err);
}

/* The bytes of field `index` of a list that is one whole value; empty: it is none, or shorter. */
static lls_bytes field_of(lls_bytes list, size_t index)
{
    size_t head;
    uint64_t count;
    bool malformed;

    if (!lls_packed_list(list, &head, &count) || index >= count)
        return (lls_bytes){0};
    lls_bytes rest = {list.data + head, list.len - head};
    for (size_t i = 0; i < index; i++) {
        size_t len = lls_packed_length(rest, &malformed);
        rest = (lls_bytes){rest.data + len, rest.len - len};
    }
    return (lls_bytes){rest.data, lls_packed_length(rest, &malformed)};
}

static lls_err hash_entries(lls_import_run *run, lls_msgpack_file *file, lls_buf *hashes,
                            lls_error *err)
{
    uint64_t count;
    lls_bytes value;

    LLS_TRY(lls_msgpack_file_list(file, &count, err));
    for (uint64_t i = 0; i < count; i++) {
        LLS_TRY(lls_import_pause(run, err));
        LLS_TRY(lls_msgpack_file_value(file, &value, err));
        add_hash(hashes, field_of(value, ID));
    }
    return lls_buf_status(hashes, err);
}

/* A text, as it is packed, into `out`. */
static lls_err read_text(lls_bytes packed, lls_buf *out, lls_error *err)
{
    msgpack_unpacked unpacked;

    lls_err e = lls_packed_open(packed, &unpacked, err);
    if (e == LLS_OK && unpacked.data.type != MSGPACK_OBJECT_STR)
        e = lls_fail(err, LLS_E_PARSE, "not a text");
    if (e == LLS_OK)
        lls_buf_add(out, (lls_bytes){(const uint8_t *)unpacked.data.via.str.ptr,
                                     unpacked.data.via.str.size});
    msgpack_unpacked_destroy(&unpacked);
    return e == LLS_OK ? lls_buf_status(out, err) : e;
}

static lls_err read_metric(lls_bytes packed, lls_vec_metric *out, lls_error *err)
{
    static const char *const names[] = {[LLS_VEC_COSINE] = "Cosine",
                                        [LLS_VEC_L2] = "Euclidean",
                                        [LLS_VEC_IP] = "InnerProduct",
                                        [LLS_VEC_L1] = "Manhattan"};
    LLS_AUTO(lls_buf) text = {0};

    LLS_TRY(read_text(packed, &text, err));
    for (size_t i = 0; i < LLS_COUNT(names); i++) {
        if (lls_str_eq(lls_buf_str(&text), lls_str_of(names[i]))) {
            *out = (lls_vec_metric)i;
            return LLS_OK;
        }
    }
    return lls_fail(err, LLS_E_PARSE, "unknown metric '%.40s'", lls_buf_cstr(&text));
}

static lls_err look(lls_import_run *run, lls_msgpack_file *file, survey *s, lls_error *err)
{
    uint64_t fields;
    lls_bytes value;
    bool done;

    LLS_TRY(lls_msgpack_file_list(file, &fields, err));
    if (fields != FILE_FIELDS)
        return lls_fail(err, LLS_E_PARSE, "a list of %" PRIu64 " values; a vectors.msgpack has %d",
                        fields, FILE_FIELDS);
    LLS_TRY(hash_list(run, file, &s->vectors, err));
    LLS_TRY(hash_list(run, file, &s->ids, err));
    s->entries_at = lls_msgpack_file_place(file);
    LLS_TRY(hash_entries(run, file, &s->entries, err));
    LLS_TRY(lls_msgpack_file_value(file, &value, err));
    if (read_text(field_of(value, 0), &s->namespace, NULL) != LLS_OK || s->namespace.len == 0)
        lls_buf_add_text(&s->namespace, "__global__");
    LLS_TRY(lls_msgpack_file_value(file, &value, err));
    LLS_TRY(read_metric(value, &s->metric, err));
    LLS_TRY(lls_msgpack_file_value(file, &value, err));
    LLS_TRY(lls_msgpack_file_is_done(file, &done, err));
    return done
               ? LLS_OK
               : lls_fail(err, LLS_E_PARSE, "at byte %" PRIu64 ": something follows the file's end",
                          lls_msgpack_file_place(file));
}

/* ---- an entry as an episode */

static const msgpack_object *member(const msgpack_object *map, const char *name)
{
    for (uint32_t i = 0; map->type == MSGPACK_OBJECT_MAP && i < map->via.map.size; i++) {
        const msgpack_object *key = &map->via.map.ptr[i].key;
        if (key->type == MSGPACK_OBJECT_STR &&
            lls_str_eq((lls_str){key->via.str.ptr, key->via.str.size}, lls_str_of(name)))
            return &map->via.map.ptr[i].val;
    }
    return NULL;
}

static bool is_text(const msgpack_object *value)
{
    return value && value->type == MSGPACK_OBJECT_STR && value->via.str.size > 0;
}

static lls_str text_of(const msgpack_object *value)
{
    return (lls_str){value->via.str.ptr, value->via.str.size};
}

/* SystemTime is [seconds, nanoseconds]; chrono's time a text. */
static bool time_of(const msgpack_object *value, int64_t *usec)
{
    const msgpack_object *part;

    if (!value || value->type == MSGPACK_OBJECT_NIL)
        return false;
    if (value->type == MSGPACK_OBJECT_STR)
        return lls_time_parse(text_of(value), usec, NULL) == LLS_OK;
    if (value->type != MSGPACK_OBJECT_ARRAY || value->via.array.size != 2)
        return false;
    part = value->via.array.ptr;
    if (part[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
        part[1].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
        part[0].via.u64 > (uint64_t)LLS_TIME_MAX_USEC / 1000000 - 1 || part[1].via.u64 > 999999999)
        return false;
    *usec = (int64_t)(part[0].via.u64 * 1000000 + part[1].via.u64 / 1000);
    return true;
}

/* The session: said by the metadata, or the scope; otherwise the namespace stands for it. */
static lls_str session_of(const survey *s, const msgpack_object *field)
{
    const msgpack_object *said = member(&field[METADATA], "session_id");

    if (!is_text(said))
        said = member(&field[SCOPE], "Session");
    return is_text(said) ? text_of(said) : lls_buf_str(&s->namespace);
}

static bool add_vector(const msgpack_object *list, lls_buf *json)
{
    lls_buf_add_text(json, "[");
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        const msgpack_object *value = &list->via.array.ptr[i];
        lls_buf_add_text(json, i ? "," : "");
        if ((value->type == MSGPACK_OBJECT_FLOAT32 || value->type == MSGPACK_OBJECT_FLOAT64) &&
            isfinite(value->via.f64))
            (void)!lls_json_add_number(value->via.f64, json, NULL);
        else if (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
            lls_buf_printf(json, "%" PRIu64, value->via.u64);
        else if (value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
            lls_buf_printf(json, "%" PRId64, value->via.i64);
        else
            return false;
    }
    lls_buf_add_text(json, "]");
    return true;
}

/* The entry's own metadata, whole, and what an episode has no place for beside it. */
static bool add_metadata(const msgpack_object *field, lls_buf *json)
{
    lls_buf_add_text(json, "{\"metadata\":");
    bool good = lls_packed_add_json(&field[METADATA], json);
    lls_buf_add_text(json, ",\"scope\":");
    good = good && lls_packed_add_json(&field[SCOPE], json);
    if (is_text(&field[TENANT])) {
        lls_buf_add_text(json, ",\"tenant_id\":");
        good = good && lls_packed_add_json(&field[TENANT], json);
    }
    lls_buf_add_text(json, "}");
    return good;
}

static void add_texts(const survey *s, const msgpack_object *field, lls_buf *json)
{
    const msgpack_object *role = member(&field[METADATA], "role");
    const msgpack_object *content = member(&field[METADATA], "content");

    if (!is_text(content))
        content = member(&field[METADATA], "text");
    lls_buf_add_text(json, "{\"session_id\":");
    lls_json_quote(session_of(s, field), json);
    lls_buf_add_text(json, ",\"role\":");
    lls_json_quote(is_text(role) ? text_of(role) : LLS_STR("document"), json);
    lls_buf_add_text(json, ",\"content\":");
    lls_json_quote(is_text(content) ? text_of(content) : (lls_str){0}, json);
}

static void add_times(const msgpack_object *field, lls_buf *json)
{
    const msgpack_object *processed = member(&field[METADATA], "processed");
    char text[LLS_TIME_TEXT];
    int64_t usec;

    if (time_of(member(&field[METADATA], "timestamp"), &usec) || time_of(&field[EVENT], &usec) ||
        time_of(&field[CREATED], &usec)) {
        lls_time_format(usec, text);
        lls_buf_printf(json, ",\"happened\":\"%s\"", text);
    }
    if (processed && processed->type == MSGPACK_OBJECT_BOOLEAN && processed->via.boolean)
        lls_buf_add_text(json, ",\"processed\":true");
}

static const char *write_episode(const lls_import_run *run, const survey *s,
                                 const msgpack_object *entry, lls_buf *json)
{
    const msgpack_object *field = entry->via.array.ptr;

    if (entry->type != MSGPACK_OBJECT_ARRAY || entry->via.array.size != ENTRY_FIELDS)
        return "not an entry of a vector store";
    if (!is_text(&field[ID]))
        return "its id is no text";
    if (field[EMBEDDING].type != MSGPACK_OBJECT_ARRAY)
        return "its embedding is no list";
    add_texts(s, field, json);
    add_times(field, json);
    lls_buf_add_text(json, ",\"metadata\":");
    if (!add_metadata(field, json))
        return "its metadata has something that JSON does not have";
    if (field[EMBEDDING].via.array.size > 0) {
        lls_buf_add_text(json, ",\"embedding\":{\"model\":");
        lls_json_quote(run->options->model, json);
        lls_buf_printf(json, ",\"metric\":\"%s\",\"vector\":", lls_vec_metric_name(s->metric));
        if (!add_vector(&field[EMBEDDING], json))
            return "its embedding has something that is no finite number";
        lls_buf_add_text(json, "}");
    }
    lls_buf_add_text(json, "}");
    return json->status == LLS_OK ? NULL : "no memory for it";
}

/* ---- the second time */

typedef struct taking {
    lls_import_run *run;
    const survey *survey;
    uint64_t index;
    uint64_t left_out;
    uint32_t dim; /* of the first that was taken */
    bool differs; /* the file's list has another vector for this one; so with the next: */
    bool repeats; /* an entry before it has its id */
    lls_buf json;
    lls_buf id;
    lls_buf value;
} taking;

static void taking_auto(taking *t)
{
    lls_buf_fini(&t->json);
    lls_buf_fini(&t->id);
    lls_buf_fini(&t->value);
}

/* "entry 7 'id'" and what about it. */
static void tell_of(const taking *t, const char *what, const char *why)
{
    LLS_AUTO(lls_buf) text = {0};

    lls_buf_printf(&text, "entry %" PRIu64 " '" LLS_FMT "' %s%s", t->index,
                   LLS_ARG(lls_buf_str(&t->id)), what, why);
    tell(t->run, lls_buf_cstr(&text));
}

static lls_err leave_out(taking *t, const char *why)
{
    t->left_out++;
    tell_of(t, "is left out: ", why);
    return LLS_OK;
}

/* When it expires, 0: never. Of a time to live that has no moment yet, it begins with the entry. */
static int64_t expiry_of(const msgpack_object *field)
{
    const msgpack_object *ttl = &field[TTL];
    int64_t usec;

    if (time_of(&field[EXPIRES], &usec))
        return usec;
    if (ttl->type != MSGPACK_OBJECT_POSITIVE_INTEGER || !time_of(&field[CREATED], &usec) ||
        ttl->via.u64 > (uint64_t)(LLS_TIME_MAX_USEC - usec) / 1000000)
        return 0;
    return usec + (int64_t)ttl->via.u64 * 1000000;
}

/* What only comes out when it is compared with its file; NULL: nothing against it. */
static const char *misfit(const taking *t, const msgpack_object *field, int64_t expires_usec)
{
    uint32_t dim = field[EMBEDDING].via.array.size;

    if (expires_usec && expires_usec <= lls_clock_now(NULL))
        return "it has expired";
    // Under one model there is one dimension; without its name, each has a space of its own.
    if (t->run->options->model.len && t->dim && dim && dim != t->dim)
        return "its embedding has another dimension than those before it";
    return NULL;
}

static void tell_mended(taking *t, uint32_t dim)
{
    if (t->dim == 0)
        t->dim = dim;
    if (t->differs)
        tell_of(t, "has another vector than the file's list: the entry's is taken", "");
    if (t->repeats)
        tell_of(t, "replaces what was there of its id further up", "");
}

static lls_err store(taking *t, const msgpack_object *entry, lls_error *err)
{
    const lls_component_def *component = t->run->route->component;
    lls_error why = {0};

    lls_buf_clear(&t->json);
    lls_buf_clear(&t->value);
    t->json.max = t->value.max = LLS_VALUE_MAX;
    const char *wrong = write_episode(t->run, t->survey, entry, &t->json);
    if (wrong)
        return leave_out(t, wrong);
    const msgpack_object *field = entry->via.array.ptr;
    int64_t expires_usec = expiry_of(field);
    wrong = misfit(t, field, expires_usec);
    if (wrong)
        return leave_out(t, wrong);
    lls_err e = component->from_json(lls_buf_str(&t->json), &t->value, &why);
    lls_kv_item item = {.key = lls_buf_view(&t->id),
                        .value = lls_buf_view(&t->value),
                        .meta.expires_usec = expires_usec};
    if (e == LLS_OK)
        e = component->check_key(item.key, &why);
    if (e == LLS_E_NOMEM)
        return lls_fail(err, e, "no memory for an entry");
    if (e != LLS_OK)
        return leave_out(t, why.msg);
    LLS_TRY(lls_import_add(t->run, &item, err));
    tell_mended(t, field[EMBEDDING].via.array.size);
    return LLS_OK;
}

static lls_err take(taking *t, lls_bytes packed, lls_error *err)
{
    msgpack_unpacked unpacked;

    lls_buf_clear(&t->id);
    if (read_text(field_of(packed, ID), &t->id, NULL) != LLS_OK)
        lls_buf_clear(&t->id);
    lls_err e = lls_packed_open(packed, &unpacked, err);
    if (e == LLS_OK)
        e = store(t, &unpacked.data, err);
    msgpack_unpacked_destroy(&unpacked);
    return e;
}

typedef struct numbered {
    uint64_t hash;
    uint64_t index;
} numbered;

static int by_hash(const void *a, const void *b)
{
    const numbered *left = a;
    const numbered *right = b;

    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    return (left->index > right->index) - (left->index < right->index);
}

/* Mark the entries before which another has their id. Only for what is told: ids are compared by a
 * hash, and entries that lack one are marked too, but never taken. */
static lls_err find_repeated(const survey *s, bool *repeated, lls_error *err)
{
    size_t all = count_of(&s->entries);
    numbered *list = lls_alloc((all + 1) * sizeof(*list));

    if (!list)
        return lls_fail(err, LLS_E_NOMEM, "no memory for %zu ids", all);
    for (size_t i = 0; i < all; i++)
        list[i] = (numbered){hash_at(&s->entries, i), i};
    qsort(list, all, sizeof(*list), by_hash);
    for (size_t i = 1; i < all; i++)
        repeated[list[i].index] = list[i].hash == list[i - 1].hash;
    lls_free(list);
    return LLS_OK;
}

static lls_err take_entries(taking *t, lls_msgpack_file *file, const bool *repeated, lls_error *err)
{
    const survey *s = t->survey;
    uint64_t count;
    lls_bytes entry;

    LLS_TRY(lls_msgpack_file_seek(file, s->entries_at, err));
    LLS_TRY(lls_msgpack_file_list(file, &count, err));
    for (t->index = 0; t->index < count && t->index < count_of(&s->entries); t->index++) {
        LLS_TRY(lls_import_pause(t->run, err));
        LLS_TRY(lls_msgpack_file_value(file, &entry, err));
        t->run->place = t->index;
        t->run->bytes = lls_msgpack_file_place(file);
        lls_bytes embedding = field_of(entry, EMBEDDING);
        t->differs = t->index < count_of(&s->vectors) &&
                     lls_digest_of(&embedding, 1).low != hash_at(&s->vectors, t->index);
        t->repeats = repeated[t->index];
        LLS_TRY(take(t, entry, err));
    }
    return LLS_OK;
}

static void tell_lengths(const lls_import_run *run, const survey *s)
{
    LLS_AUTO(lls_buf) text = {0};
    size_t entries = count_of(&s->entries);

    if (count_of(&s->vectors) == entries && count_of(&s->ids) == entries)
        return;
    lls_buf_printf(&text,
                   "the file lists %zu vectors, %zu ids and %zu entries: the entries are "
                   "taken",
                   count_of(&s->vectors), count_of(&s->ids), entries);
    tell(run, lls_buf_cstr(&text));
}

static void tell_counts(const taking *t)
{
    LLS_AUTO(lls_buf) text = {0};

    if (t->left_out) {
        lls_buf_printf(&text, "left out: %" PRIu64 " of %zu entries", t->left_out,
                       count_of(&t->survey->entries));
        tell(t->run, lls_buf_cstr(&text));
    }
}

lls_err lls_import_msgpack(lls_import_run *run, lls_error *err)
{
    LLS_AUTO(lls_msgpack_file) file = {.fd = run->fd};
    LLS_AUTO(survey) s = {0};
    LLS_AUTO(taking) t = {.run = run, .survey = &s};

    LLS_TRY(lls_msgpack_file_seek(&file, 0, err));
    LLS_TRY(look(run, &file, &s, err));
    LLS_TRY(lls_buf_status(&s.namespace, err));
    tell_lengths(run, &s);
    bool *repeated = lls_alloc(count_of(&s.entries) + 1);
    if (!repeated)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    lls_err e = find_repeated(&s, repeated, err);
    if (e == LLS_OK)
        e = take_entries(&t, &file, repeated, err);
    if (e == LLS_OK)
        tell_counts(&t);
    lls_free(repeated);
    return e;
}
