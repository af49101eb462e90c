#include "backends/hnsw/manifest.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/scope.h"

#include <inttypes.h>

/*
 * llmspell vectors 1
 * logs FIRST LAST
 * next NEXT
 * NAME BASE SEQUENCE        for each collection
 * checksum XXXXXXXX         of all before this line
 */
#define FIRST_LINE "llmspell vectors 1\n"
#define FAMILY "llmspell vectors "

void hnsw_manifest_fini(hnsw_manifest *manifest)
{
    lls_free(manifest->colls);
    *manifest = (hnsw_manifest){0};
}

static int compare(const hnsw_manifest_coll *entry, lls_str name)
{
    return lls_bytes_cmp(lls_bytes_of(lls_str_of(entry->name)), lls_bytes_of(name));
}

hnsw_manifest_coll *hnsw_manifest_find(const hnsw_manifest *manifest, lls_str coll)
{
    for (size_t i = 0; i < manifest->count; i++)
        if (compare(&manifest->colls[i], coll) == 0)
            return &manifest->colls[i];
    return NULL;
}

lls_err hnsw_manifest_set(hnsw_manifest *manifest, lls_str coll, uint64_t base, uint64_t sequence,
                          lls_error *err)
{
    hnsw_manifest_coll *entry = hnsw_manifest_find(manifest, coll);

    if (!entry) {
        size_t at = 0;
        entry = lls_resize(manifest->colls, (manifest->count + 1) * sizeof(*entry));
        if (!entry)
            return lls_fail(err, LLS_E_NOMEM, "out of memory");
        manifest->colls = entry;
        while (at < manifest->count && compare(&manifest->colls[at], coll) < 0)
            at++;
        entry = &manifest->colls[at];
        memmove(entry + 1, entry, (manifest->count - at) * sizeof(*entry));
        manifest->count++;
        memset(entry, 0, sizeof(*entry));
        memcpy(entry->name, coll.data, coll.len);
    }
    entry->base = base;
    entry->sequence = sequence;
    return LLS_OK;
}

lls_err hnsw_manifest_copy(const hnsw_manifest *from, hnsw_manifest *out, lls_error *err)
{
    hnsw_manifest made = *from;

    made.colls = lls_alloc((from->count + 1) * sizeof(*made.colls));
    if (!made.colls)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    if (from->count)
        memcpy(made.colls, from->colls, from->count * sizeof(*made.colls));
    *out = made;
    return LLS_OK;
}

void hnsw_manifest_encode(const hnsw_manifest *manifest, lls_buf *out)
{
    size_t start = out->len;

    lls_buf_add_text(out, FIRST_LINE);
    lls_buf_printf(out, "logs %" PRIu64 " %" PRIu64 "\nnext %" PRIu64 "\n", manifest->first_log,
                   manifest->last_log, manifest->next);
    for (size_t i = 0; i < manifest->count; i++)
        lls_buf_printf(out, "%s %" PRIu64 " %" PRIu64 "\n", manifest->colls[i].name,
                       manifest->colls[i].base, manifest->colls[i].sequence);
    if (out->status == LLS_OK) {
        lls_bytes all = {out->data + start, out->len - start};
        lls_buf_printf(out, "checksum %08x\n", lls_checksum(&all, 1));
    }
}

/* The next line, without its end; false when there is no whole one. */
static bool take_line(lls_str *rest, lls_str *line)
{
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;

    if (!end)
        return false;
    *line = (lls_str){rest->data, (size_t)(end - rest->data)};
    rest->data += line->len + 1;
    rest->len -= line->len + 1;
    return true;
}

static bool take_word(lls_str *line, lls_str *word)
{
    const char *end = line->len ? memchr(line->data, ' ', line->len) : NULL;
    size_t len = end ? (size_t)(end - line->data) : line->len;

    *word = (lls_str){line->data, len};
    line->data += len + (end != NULL);
    line->len -= len + (end != NULL);
    return len > 0;
}

static bool take_number(lls_str *line, uint64_t *out)
{
    lls_str word;
    uint64_t number = 0;

    if (!take_word(line, &word) || word.len > 19)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] < '0' || word.data[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(word.data[i] - '0');
    }
    *out = number;
    return true;
}

static bool take_named(lls_str *line, const char *name)
{
    lls_str word;

    return take_word(line, &word) && lls_str_eq(word, lls_str_of(name));
}

static bool is_coll(lls_str name)
{
    if (name.len == 0 || name.len > LLS_COLL_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (i && ((c >= '0' && c <= '9') || c == '_'))))
            return false;
    }
    return true;
}

static lls_err read_lines(lls_str text, hnsw_manifest *out, lls_error *err)
{
    uint64_t base;
    uint64_t sequence;
    lls_str line;
    lls_str name;

    if (!take_line(&text, &line) || !take_line(&text, &line) || !take_named(&line, "logs") ||
        !take_number(&line, &out->first_log) || !take_number(&line, &out->last_log) || line.len)
        return lls_fail(err, LLS_E_CORRUPT, "it does not name the logs");
    if (!take_line(&text, &line) || !take_named(&line, "next") || !take_number(&line, &out->next) ||
        line.len || out->first_log > out->last_log)
        return lls_fail(err, LLS_E_CORRUPT, "its numbers are impossible");
    while (take_line(&text, &line)) {
        if (!take_word(&line, &name) || !is_coll(name) || !take_number(&line, &base) ||
            !take_number(&line, &sequence) || line.len || base >= out->next ||
            (out->count && lls_bytes_cmp(lls_bytes_of(lls_str_of(out->colls[out->count - 1].name)),
                                         lls_bytes_of(name)) >= 0))
            return lls_fail(err, LLS_E_CORRUPT, "the line of a collection is impossible");
        LLS_TRY(hnsw_manifest_set(out, name, base, sequence, err));
    }
    return text.len ? lls_fail(err, LLS_E_CORRUPT, "it is cut off") : LLS_OK;
}

static lls_err refuse_format(lls_str text, lls_error *err)
{
    lls_str line;

    if (!lls_bytes_has_prefix(lls_bytes_of(text), lls_bytes_of(LLS_STR(FAMILY))) ||
        !take_line(&text, &line) || line.len > 40)
        return lls_fail(err, LLS_E_CORRUPT, "not a manifest");
    return lls_fail(err, LLS_E_NEWER, "format '" LLS_FMT "'; this version knows formats up to 1",
                    LLS_ARG(line));
}

lls_err hnsw_manifest_decode(lls_str text, hnsw_manifest *out, lls_error *err)
{
    enum { LAST_LINE = 18 }; // "checksum " and eight digits and the end
    LLS_AUTO(hnsw_manifest) got = {0};
    LLS_AUTO(lls_buf) last = {0};
    lls_str first = {text.data, sizeof(FIRST_LINE) - 1};

    if (text.len < first.len + LAST_LINE)
        return lls_fail(err, LLS_E_CORRUPT, "it is cut off");
    lls_bytes all = {(const uint8_t *)text.data, text.len - LAST_LINE};
    lls_buf_printf(&last, "checksum %08x\n", lls_checksum(&all, 1));
    LLS_TRY(lls_buf_status(&last, err));
    if (memcmp(text.data + all.len, last.data, LAST_LINE) != 0)
        return lls_fail(err, LLS_E_CORRUPT, "its checksum is wrong");
    if (!lls_str_eq(first, LLS_STR(FIRST_LINE)))
        return refuse_format(text, err);
    text.len = all.len;
    LLS_TRY(read_lines(text, &got, err));
    *out = got;
    got = (hnsw_manifest){0};
    return LLS_OK;
}
