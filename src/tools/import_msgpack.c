/*
 * vectors.msgpack of rs-llmspell: what its vector store left in <namespace>/. The file is gone
 * through twice. First everything but the entries' insides is looked at: the metric stands behind
 * the entries. Then each entry becomes an episode; one whose id was there before replaces that.
 *
 * What that program got wrong is mended and told: lists of different lengths, ids that stand more
 * than once, vectors that differ from their second copy, entries that nothing can store.
 */
#include "base/alloc.h"
#include "base/packed.h"
#include "base/scope.h"
#include "base/time.h"
#include "tools/import.h"
#include "tools/msgpack_entry.h"
#include "tools/msgpack_survey.h"

#include <inttypes.h>
#include <stdlib.h>

static void tell(const lls_import_run *run, const char *text)
{
    if (run->options->note)
        run->options->note(run->options->user, text);
}

typedef struct taking {
    lls_import_run *run;
    const lls_msgpack_survey *survey;
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

/* What only comes out when it is compared with its file; NULL: nothing against it. */
static const char *misfit(const taking *t, const msgpack_object *field, int64_t expires_usec)
{
    uint32_t dim = field[LLS_MSGPACK_EMBEDDING].via.array.size;

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
    const lls_msgpack_defaults defaults = {lls_buf_str(&t->survey->namespace),
                                           t->run->options->model, t->survey->metric};
    const char *wrong = lls_msgpack_entry_json(entry, &defaults, &t->json);
    if (wrong)
        return leave_out(t, wrong);
    const msgpack_object *field = entry->via.array.ptr;
    int64_t expires_usec = lls_msgpack_entry_expiry(field);
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
    tell_mended(t, field[LLS_MSGPACK_EMBEDDING].via.array.size);
    return LLS_OK;
}

static lls_err take(taking *t, lls_bytes packed, lls_error *err)
{
    msgpack_unpacked unpacked;

    lls_buf_clear(&t->id);
    if (lls_packed_text(lls_packed_element(packed, LLS_MSGPACK_ID), &t->id, NULL) != LLS_OK)
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
static lls_err find_repeated(const lls_msgpack_survey *s, bool *repeated, lls_error *err)
{
    size_t all = lls_msgpack_count(&s->entries);
    numbered *list = lls_alloc((all + 1) * sizeof(*list));

    if (!list)
        return lls_fail(err, LLS_E_NOMEM, "no memory for %zu ids", all);
    for (size_t i = 0; i < all; i++)
        list[i] = (numbered){lls_msgpack_hash_at(&s->entries, i), i};
    qsort(list, all, sizeof(*list), by_hash);
    for (size_t i = 1; i < all; i++)
        repeated[list[i].index] = list[i].hash == list[i - 1].hash;
    lls_free(list);
    return LLS_OK;
}

static lls_err take_entries(taking *t, lls_msgpack_file *file, const bool *repeated, lls_error *err)
{
    const lls_msgpack_survey *s = t->survey;
    uint64_t count;
    lls_bytes entry;

    LLS_TRY(lls_msgpack_file_seek(file, s->entries_at, err));
    LLS_TRY(lls_msgpack_file_list(file, &count, err));
    for (t->index = 0; t->index < count && t->index < lls_msgpack_count(&s->entries); t->index++) {
        LLS_TRY(lls_import_pause(t->run, err));
        LLS_TRY(lls_msgpack_file_value(file, &entry, err));
        t->run->place = t->index;
        t->run->bytes = lls_msgpack_file_place(file);
        lls_bytes embedding = lls_packed_element(entry, LLS_MSGPACK_EMBEDDING);
        t->differs = t->index < lls_msgpack_count(&s->vectors) &&
                     lls_msgpack_hash(embedding) != lls_msgpack_hash_at(&s->vectors, t->index);
        t->repeats = repeated[t->index];
        LLS_TRY(take(t, entry, err));
    }
    return LLS_OK;
}

static void tell_lengths(const lls_import_run *run, const lls_msgpack_survey *s)
{
    LLS_AUTO(lls_buf) text = {0};
    size_t entries = lls_msgpack_count(&s->entries);

    if (lls_msgpack_count(&s->vectors) == entries && lls_msgpack_count(&s->ids) == entries)
        return;
    lls_buf_printf(&text,
                   "the file lists %zu vectors, %zu ids and %zu entries: the entries are "
                   "taken",
                   lls_msgpack_count(&s->vectors), lls_msgpack_count(&s->ids), entries);
    tell(run, lls_buf_cstr(&text));
}

static void tell_counts(const taking *t)
{
    LLS_AUTO(lls_buf) text = {0};

    if (t->left_out) {
        lls_buf_printf(&text, "left out: %" PRIu64 " of %zu entries", t->left_out,
                       lls_msgpack_count(&t->survey->entries));
        tell(t->run, lls_buf_cstr(&text));
    }
}

lls_err lls_import_msgpack(lls_import_run *run, lls_error *err)
{
    LLS_AUTO(lls_msgpack_file) file = {.fd = run->fd};
    LLS_AUTO(lls_msgpack_survey) s = {0};
    LLS_AUTO(taking) t = {.run = run, .survey = &s};

    LLS_TRY(lls_msgpack_file_seek(&file, 0, err));
    LLS_TRY(lls_msgpack_survey_take(&s, run, &file, err));
    tell_lengths(run, &s);
    bool *repeated = lls_alloc(lls_msgpack_count(&s.entries) + 1);
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
