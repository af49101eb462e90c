#include "backends/memory/vec_words.h"

#include "base/alloc.h"
#include "base/scope.h"
#include "ports/vec_record.h"

/* A log longer than this is thrown away, and everything is read again. */
enum { LOG_MAX = 4 << 20, KEY_HEAD = 2 };

struct memory_words {
    /* Under the lock of the store. */
    lls_buf log;
    bool outdated;

    /* Under this one: to search, or to bring up to date. */
    pthread_rwlock_t lock;
    memory_tree tree;              /* the records that are indexed, held */
    memory_tree numbers;           /* by key: the number that a record has in `postings` */
    const memory_record **records; /* by number; NULL: free. They are part of `tree`. */
    uint32_t record_count;
    uint32_t record_cap;
    lls_postings *postings;
};

static lls_err no_memory(lls_error *err)
{
    return lls_fail(err, LLS_E_NOMEM, "no memory for the index of words");
}

static memory_words *words_new(void)
{
    memory_words *w = lls_alloc(sizeof(*w));

    if (!w)
        return NULL;
    w->postings = lls_postings_new();
    if (!w->postings) {
        lls_free(w);
        return NULL;
    }
    w->outdated = true;
    (void)pthread_rwlock_init(&w->lock, NULL);
    return w;
}

void memory_words_free(memory_words *w)
{
    if (!w)
        return;
    memory_tree_drop(w->tree);
    memory_tree_drop(w->numbers);
    lls_free(w->records);
    lls_postings_free(w->postings);
    lls_buf_fini(&w->log);
    (void)pthread_rwlock_destroy(&w->lock);
    lls_free(w);
}

void memory_words_log(lls_buf *log, lls_bytes key)
{
    const uint8_t head[KEY_HEAD] = {(uint8_t)(key.len >> 8), (uint8_t)key.len};

    lls_buf_add(log, (lls_bytes){head, sizeof(head)});
    lls_buf_add(log, key);
}

void memory_words_outdate(memory_words *w)
{
    if (!w)
        return;
    w->outdated = true;
    lls_buf_fini(&w->log);
    w->log = (lls_buf){0};
}

void memory_words_note(memory_words *w, const lls_buf *log)
{
    if (w->outdated)
        return;
    lls_buf_add(&w->log, lls_buf_view(log));
    if (log->status != LLS_OK || w->log.status != LLS_OK || w->log.len > LOG_MAX)
        memory_words_outdate(w);
}

/* ---- bringing it up to date ---- */

static lls_str text_of(const memory_record *record)
{
    lls_vec_item item;
    const uint8_t *vector;

    lls_vec_record_view(&record->item, &item, &vector);
    return item.text;
}

static void leave(memory_words *w, const memory_record *number)
{
    uint32_t doc;

    memcpy(&doc, number->item.value.data, sizeof(doc));
    lls_postings_remove(w->postings, doc, text_of(w->records[doc]));
    w->records[doc] = NULL;
}

static bool make_record(memory_words *w)
{
    if (w->record_count < w->record_cap)
        return true;
    uint32_t cap = w->record_cap ? w->record_cap * 2 : 64;
    const memory_record **records = lls_resize(w->records, cap * sizeof(*records));
    if (!records)
        return false;
    w->records = records;
    w->record_cap = cap;
    return true;
}

static lls_err join(void *user, const memory_record *record, lls_error *err)
{
    memory_words *w = user;
    uint32_t doc = w->record_count;
    const lls_bytes value = {(const uint8_t *)&doc, sizeof(doc)};

    if (text_of(record).len == 0)
        return LLS_OK;
    memory_record *number =
        make_record(w) ? memory_record_new(record->item.key, value, &record->item.meta) : NULL;
    if (!number)
        return no_memory(err);
    LLS_TRY(memory_tree_put(&w->numbers, number, err));
    LLS_TRY(lls_postings_add(w->postings, doc, text_of(record), err));
    w->records[doc] = record;
    w->record_count++;
    return LLS_OK;
}

/* Index the records of `tree` that were written, before it takes the place of the one of before. */
static lls_err follow_log(memory_words *w, const lls_buf *log, memory_tree tree, lls_error *err)
{
    size_t at = 0;

    while (at < log->len) {
        const lls_bytes key = {log->data + at + KEY_HEAD,
                               (size_t)log->data[at] << 8 | log->data[at + 1]};
        at += KEY_HEAD + key.len;
        const memory_record *number = memory_tree_find(w->numbers, key);
        if (number) {
            leave(w, number);
            LLS_TRY(memory_tree_remove(&w->numbers, key, err));
        }
        const memory_record *record = memory_tree_find(tree, key);
        if (record)
            LLS_TRY(join(w, record, err));
    }
    return LLS_OK;
}

static lls_err read_all(memory_words *w, memory_tree tree, lls_error *err)
{
    lls_postings *fresh = lls_postings_new();

    if (!fresh)
        return no_memory(err);
    lls_postings_free(w->postings);
    w->postings = fresh;
    memory_tree_drop(w->numbers);
    w->numbers = NULL;
    w->record_count = 0;
    return memory_tree_each(tree, join, w, err);
}

/* Numbers are not used again: after many changes it is time to count anew. */
static bool is_worn(const memory_words *w)
{
    return w->record_count > 1024 + 4 * memory_tree_count(w->numbers);
}

/* Follow the records. The caller holds the index for writing, and nobody holds the store. */
static lls_err update(memory_kv *kv, lls_bytes name, memory_words *w, lls_error *err)
{
    LLS_AUTO(lls_buf) log = {0};

    (void)pthread_mutex_lock(&kv->shared->lock);
    const memory_entry *entry = memory_map_find(&kv->spaces, name);
    memory_tree tree = memory_tree_hold(entry->version.records);
    bool outdated = w->outdated;
    w->outdated = false;
    log = w->log;
    w->log = (lls_buf){0};
    (void)pthread_mutex_unlock(&kv->shared->lock);

    lls_err e = outdated || is_worn(w) ? read_all(w, tree, err) : follow_log(w, &log, tree, err);
    if (e != LLS_OK) { // what is half done is done again by whoever comes next
        (void)pthread_mutex_lock(&kv->shared->lock);
        memory_words_outdate(w);
        (void)pthread_mutex_unlock(&kv->shared->lock);
    }
    // also after a failure: what there is of it points into `tree`, and is thrown away next time
    memory_tree_drop(w->tree);
    w->tree = tree;
    return e;
}

/* ---- searching ---- */

typedef struct search {
    const memory_words *words;
    const memory_words_search *what;
} search;

static lls_err allowed(void *user, uint32_t doc, bool *out, lls_error *err)
{
    const search *s = user;

    return s->what->allowed(s->what->user, s->words->records[doc], out, err);
}

static int by_key(void *user, uint32_t a, uint32_t b)
{
    const search *s = user;

    return lls_bytes_cmp(s->words->records[a]->item.key, s->words->records[b]->item.key);
}

static lls_err find(const memory_words *w, const memory_words_search *what, lls_error *err)
{
    LLS_AUTO(lls_text_query) query = {0};
    search s = {w, what};
    size_t k = what->k < w->record_count ? what->k : w->record_count;
    size_t count = 0;

    LLS_TRY(lls_text_query_init(&query, what->words, err));
    lls_postings_hit *hits = lls_alloc((k + 1) * sizeof(*hits));
    if (!hits)
        return no_memory(err);
    const lls_postings_search by_words = {&query, k, allowed, by_key, &s};
    lls_err e = lls_postings_find(w->postings, &by_words, hits, &count, err);
    for (size_t i = 0; e == LLS_OK && i < count; i++)
        e = what->found(what->user, w->records[hits[i].doc], hits[i].score, err);
    lls_free(hits);
    return e;
}

/* The index of a space, made if need be; NULL when there is no such space. */
static lls_err find_words(memory_kv *kv, lls_bytes name, memory_words **out, lls_error *err)
{
    (void)pthread_mutex_lock(&kv->shared->lock);
    memory_entry *entry = memory_map_find(&kv->spaces, name);
    if (entry && !entry->words)
        entry->words = words_new();
    *out = entry ? entry->words : NULL; // spaces stay until the store is closed
    bool failed = entry && !*out;
    (void)pthread_mutex_unlock(&kv->shared->lock);
    return failed ? no_memory(err) : LLS_OK;
}

static bool is_current(memory_kv *kv, const memory_words *w)
{
    (void)pthread_mutex_lock(&kv->shared->lock);
    bool current = !w->outdated && w->log.len == 0;
    (void)pthread_mutex_unlock(&kv->shared->lock);
    return current;
}

lls_err memory_words_find(memory_kv *kv, lls_kv_space space, const memory_words_search *what,
                          lls_error *err)
{
    LLS_AUTO(lls_buf) name = {0};
    memory_words *w;

    LLS_TRY(memory_name_space(&name, space, err));
    LLS_TRY(find_words(kv, lls_buf_view(&name), &w, err));
    if (!w)
        return LLS_OK;
    (void)pthread_rwlock_rdlock(&w->lock);
    lls_err e = LLS_OK;
    if (!is_current(kv, w)) {
        (void)pthread_rwlock_unlock(&w->lock);
        (void)pthread_rwlock_wrlock(&w->lock);
        e = update(kv, lls_buf_view(&name), w, err);
    }
    if (e == LLS_OK)
        e = find(w, what, err);
    (void)pthread_rwlock_unlock(&w->lock);
    return e;
}
