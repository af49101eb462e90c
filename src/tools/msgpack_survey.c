#include "tools/msgpack_survey.h"

#include "base/hash.h"
#include "base/packed.h"
#include "base/scope.h"
#include "tools/msgpack_entry.h"

#include <inttypes.h>

/* The fields of the file. */
enum { FILE_VECTORS, FILE_IDS, FILE_ENTRIES, FILE_STATS, FILE_METRIC, FILE_CONFIG, FILE_FIELDS };

void lls_msgpack_survey_auto(lls_msgpack_survey *s)
{
    lls_buf_fini(&s->vectors);
    lls_buf_fini(&s->ids);
    lls_buf_fini(&s->entries);
    lls_buf_fini(&s->namespace);
}

uint64_t lls_msgpack_hash(lls_bytes packed)
{
    return lls_digest_of(&packed, 1).low;
}

static void add_hash(lls_buf *hashes, lls_bytes value)
{
    uint64_t hash = lls_msgpack_hash(value);

    hashes->max = SIZE_MAX / 2;
    lls_buf_add(hashes, (lls_bytes){(const uint8_t *)&hash, sizeof(hash)});
}

uint64_t lls_msgpack_hash_at(const lls_buf *hashes, size_t index)
{
    uint64_t hash;

    memcpy(&hash, hashes->data + index * sizeof(hash), sizeof(hash));
    return hash;
}

size_t lls_msgpack_count(const lls_buf *hashes)
{
    return hashes->len / sizeof(uint64_t);
}

static lls_bytes whole(lls_bytes value)
{
    return value;
}

static lls_bytes id_of(lls_bytes entry)
{
    return lls_packed_element(entry, LLS_MSGPACK_ID);
}

/* Hash the `part` of each element of a list. */
static lls_err hash_list(lls_import_run *run, lls_msgpack_file *file,
                         lls_bytes (*part)(lls_bytes value), lls_buf *hashes, lls_error *err)
{
    uint64_t count;
    lls_bytes value;

    LLS_TRY(lls_msgpack_file_list(file, &count, err));
    for (uint64_t i = 0; i < count; i++) {
        LLS_TRY(lls_import_pause(run, err));
        LLS_TRY(lls_msgpack_file_value(file, &value, err));
        add_hash(hashes, part(value));
    }
    return lls_buf_status(hashes, err);
}

static lls_err read_metric(lls_bytes packed, lls_vec_metric *out, lls_error *err)
{
    static const char *const names[] = {[LLS_VEC_COSINE] = "Cosine",
                                        [LLS_VEC_L2] = "Euclidean",
                                        [LLS_VEC_IP] = "InnerProduct",
                                        [LLS_VEC_L1] = "Manhattan"};
    LLS_AUTO(lls_buf) text = {0};

    LLS_TRY(lls_packed_text(packed, &text, err));
    for (size_t i = 0; i < LLS_COUNT(names); i++) {
        if (lls_str_eq(lls_buf_str(&text), lls_str_of(names[i]))) {
            *out = (lls_vec_metric)i;
            return LLS_OK;
        }
    }
    return lls_fail(err, LLS_E_PARSE, "unknown metric '%.40s'", lls_buf_cstr(&text));
}

lls_err lls_msgpack_survey_take(lls_msgpack_survey *s, lls_import_run *run, lls_msgpack_file *file,
                                lls_error *err)
{
    uint64_t fields;
    lls_bytes value;
    bool done;

    LLS_TRY(lls_msgpack_file_list(file, &fields, err));
    if (fields != FILE_FIELDS)
        return lls_fail(err, LLS_E_PARSE, "a list of %" PRIu64 " values; a vectors.msgpack has %d",
                        fields, FILE_FIELDS);
    LLS_TRY(hash_list(run, file, whole, &s->vectors, err));
    LLS_TRY(hash_list(run, file, whole, &s->ids, err));
    s->entries_at = lls_msgpack_file_place(file);
    LLS_TRY(hash_list(run, file, id_of, &s->entries, err));
    LLS_TRY(lls_msgpack_file_value(file, &value, err));
    if (lls_packed_text(lls_packed_element(value, 0), &s->namespace, NULL) != LLS_OK ||
        s->namespace.len == 0)
        lls_buf_add_text(&s->namespace, "__global__");
    LLS_TRY(lls_msgpack_file_value(file, &value, err));
    LLS_TRY(read_metric(value, &s->metric, err));
    LLS_TRY(lls_msgpack_file_value(file, &value, err));
    LLS_TRY(lls_msgpack_file_is_done(file, &done, err));
    LLS_TRY(lls_buf_status(&s->namespace, err));
    return done
               ? LLS_OK
               : lls_fail(err, LLS_E_PARSE, "at byte %" PRIu64 ": something follows the file's end",
                          lls_msgpack_file_place(file));
}
