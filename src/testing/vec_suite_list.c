/* Pages in both orders, counts, removals by filter, and what stats tell. */
#include "base/alloc.h"
#include "testing/vec_space.h"
#include "testing/vec_suite.h"

#include <stdio.h>
#include <stdlib.h>

enum { RECORDS = 157 };

/* What the collection holds, as far as lists are concerned. */
typedef struct entry {
    char id[16];
    char metadata[32];
    int64_t event_usec;
    uint32_t part;
} entry;

static void fill(lls_vec *vec, entry entries[RECORDS])
{
    uint64_t random = 16;

    for (uint32_t i = 0; i < RECORDS; i++) {
        entry *e = &entries[i];
        (void)snprintf(e->id, sizeof(e->id), "id%03u", i * 83 % RECORDS);
        e->part = vec_random(&random) % 3;
        e->event_usec = 1 + (int64_t)(vec_random(&random) % 20); // many at the same time
        (void)snprintf(e->metadata, sizeof(e->metadata), "{\"part\":%u}", e->part);
        lls_vec_item item =
            vec_note(lls_bytes_of(lls_str_of(e->id)), LLS_STR("text"), lls_str_of(e->metadata));
        item.event_usec = e->event_usec;
        vec_put(vec, item);
    }
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->id, ((const entry *)b)->id);
}

static int by_event(const void *a, const void *b)
{
    const entry *x = a;
    const entry *y = b;

    if (x->event_usec != y->event_usec)
        return x->event_usec < y->event_usec ? -1 : 1;
    return by_id(a, b);
}

static void reverse(entry entries[RECORDS])
{
    for (size_t i = 0; i < RECORDS / 2; i++) {
        entry moved = entries[i];
        entries[i] = entries[RECORDS - 1 - i];
        entries[RECORDS - 1 - i] = moved;
    }
}

/* Read page by page; `part` below 3 is what the filter wants. */
static void expect_pages(lls_vec *vec, const entry entries[RECORDS], lls_vec_list list,
                         uint32_t part)
{
    lls_error err = {0};
    size_t at = 0;
    size_t pages = 0;
    lls_vec_item after = {0};
    char id[16];

    for (;;) {
        LLS_AUTO(lls_vec_hits) page = {0};
        assert_ok(lls_vec_list_page(vec, coll, &list, &page, &err), err);
        assert_true(page.count <= list.limit);
        pages++;
        for (size_t i = 0; i < page.count; i++) {
            while (at < RECORDS && part < 3 && entries[at].part != part)
                at++;
            assert_true(at < RECORDS);
            const lls_vec_item *got = &page.hits[i].item;
            assert_true(lls_bytes_eq(got->id, lls_bytes_of(lls_str_of(entries[at].id))));
            assert_int_equal(got->event_usec, entries[at].event_usec);
            assert_true(lls_str_eq(got->metadata, lls_str_of(entries[at].metadata)));
            assert_int_equal(got->text.len, 0);
            at++;
        }
        if (page.count < list.limit)
            break;
        const lls_vec_item *last = &page.hits[page.count - 1].item;
        memcpy(id, last->id.data, last->id.len);
        after = (lls_vec_item){.id = {(const uint8_t *)id, last->id.len},
                               .event_usec = last->event_usec};
        list.after = &after;
    }
    while (at < RECORDS && part < 3 && entries[at].part != part)
        at++;
    assert_int_equal(at, RECORDS);
    assert_true(pages > 1 || list.limit > RECORDS);
}

void vec_lists_page_in_both_orders(void **state)
{
    static entry entries[RECORDS];
    static const uint32_t limits[] = {1, 10, 1000};
    lls_vec *vec = vec_of(state);
    const lls_str two = LLS_STR("2");
    const lls_filter_term term = {
        .op = LLS_FILTER_EQ, .path = LLS_STR("part"), .values = &two, .value_count = 1};
    const lls_filter filter = {.terms = &term, .term_count = 1};

    fill(vec, entries);
    for (int i = 0; i < 12; i++) {
        lls_vec_list list = {.order = i & 1 ? LLS_VEC_BY_EVENT : LLS_VEC_BY_ID,
                             .newest_first = i & 2,
                             .limit = limits[i / 4],
                             .fields = LLS_VEC_METADATA};
        qsort(entries, RECORDS, sizeof(entry), i & 1 ? by_event : by_id);
        if (i & 2)
            reverse(entries);
        expect_pages(vec, entries, list, 3);
        list.filter = &filter;
        expect_pages(vec, entries, list, 2);
    }
}

void vec_list_may_begin_behind_what_is_gone(void **state)
{
    lls_vec *vec = vec_of(state);
    LLS_AUTO(lls_vec_hits) hits = {0};
    lls_error err = {0};
    const lls_vec_item after = {.id = B("b\x00"), .event_usec = 5};
    lls_vec_list list = {.after = &after, .limit = 10};
    const char *const ids[] = {"a", "b", "c", "d"};

    for (size_t i = 0; i < LLS_COUNT(ids); i++) {
        lls_vec_item item = vec_note(lls_bytes_of(lls_str_of(ids[i])), LLS_STR(""), LLS_STR("{}"));
        item.event_usec = 5 - (int64_t)(i / 2);
        vec_put(vec, item); // a and b at 5, c and d at 4
    }
    assert_ok(lls_vec_list_page(vec, coll, &list, &hits, &err), err);
    assert_ids(hits, "c,d,");
    lls_vec_hits_fini(&hits);
    list.newest_first = true;
    assert_ok(lls_vec_list_page(vec, coll, &list, &hits, &err), err);
    assert_ids(hits, "b,a,");
    lls_vec_hits_fini(&hits);
    list.order = LLS_VEC_BY_EVENT;
    assert_ok(lls_vec_list_page(vec, coll, &list, &hits, &err), err);
    assert_ids(hits, "b,a,d,c,");
    lls_vec_hits_fini(&hits);
    list.newest_first = false;
    assert_ok(lls_vec_list_page(vec, coll, &list, &hits, &err), err);
    assert_ids(hits, "");
    list.limit = 0;
    assert_code(lls_vec_list_page(vec, coll, &list, &hits, &err), LLS_E_INVALID, err);
}

void vec_remove_takes_what_the_filter_lets_through(void **state)
{
    static entry entries[RECORDS];
    lls_vec *vec = vec_of(state);
    const lls_str user = LLS_STR("user:1");
    const lls_filter early = {.event = {.to_usec = 10}};
    const lls_filter of_user = {.scopes = &user, .scope_count = 1};
    lls_error err = {0};
    uint64_t want = 0;
    uint64_t removed = 0;

    fill(vec, entries);
    for (size_t i = 0; i < RECORDS; i++)
        want += entries[i].event_usec <= 10;
    assert_ok(lls_vec_remove(vec, coll, &early, &removed, &err), err);
    assert_int_equal(removed, want);
    assert_int_equal(vec_count(vec, coll), RECORDS - want);
    for (size_t i = 0; i < RECORDS; i++)
        assert_int_equal(vec_has(vec, coll, lls_bytes_of(lls_str_of(entries[i].id))),
                         entries[i].event_usec > 10);
    assert_ok(lls_vec_remove(vec, coll, &of_user, &removed, &err), err);
    assert_int_equal(removed, 0);
    assert_int_equal(vec_count(vec, coll), RECORDS - want);
    assert_ok(lls_vec_remove(vec, coll, &(lls_filter){0}, NULL, &err), err); // asked for: all
    assert_int_equal(vec_count(vec, coll), 0);
}

typedef struct seen {
    lls_vec_stats stats[8];
    char models[8][32];
    size_t count;
} seen;

static void see(void *user, const lls_vec_stats *stats)
{
    seen *s = user;

    assert_true(s->count < LLS_COUNT(s->stats));
    if (stats->space.model.len)
        memcpy(s->models[s->count], stats->space.model.data, stats->space.model.len);
    s->stats[s->count++] = *stats;
}

static const lls_vec_stats *stats_of(const seen *s, const char *model, uint32_t dim)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->models[i], model) == 0 && s->stats[i].space.dim == dim)
            return &s->stats[i];
    return NULL;
}

void vec_stats_tell_of_each_space(void **state)
{
    static const float v[] = {1, 0, 0, 0};
    lls_vec *vec = vec_of(state);
    lls_vec_item unit = vec_item(B("u"), LLS_STR("unit"), LLS_VEC_IP, v, 4);
    lls_error err = {0};
    seen s = {0};

    assert_ok(lls_vec_stats_of(vec, coll, see, &s, &err), err);
    assert_int_equal(s.count, 0);
    unit.space.normalised = true;
    vec_put(vec, unit);
    vec_put(vec, vec_item(B("a"), LLS_STR(""), LLS_VEC_COSINE, v, 3));
    vec_put(vec, vec_item(B("b"), LLS_STR(""), LLS_VEC_COSINE, v, 3));
    vec_put(vec, vec_item(B("c"), LLS_STR(""), LLS_VEC_L1, v, 2));
    vec_put(vec, vec_note(B("n"), LLS_STR(""), LLS_STR("{}")));
    assert_ok(lls_vec_stats_of(vec, coll, see, &s, &err), err);
    assert_int_equal(s.count, 4);
    assert_int_equal(stats_of(&s, "unit", 4)->count, 1);
    assert_int_equal(stats_of(&s, "unit", 4)->space.metric, LLS_VEC_IP);
    assert_true(stats_of(&s, "unit", 4)->space.normalised);
    assert_int_equal(stats_of(&s, "", 3)->count, 2);
    assert_int_equal(stats_of(&s, "", 2)->space.metric, LLS_VEC_L1);
    assert_true(stats_of(&s, "", 2)->exact); // L1 always is
    assert_int_equal(stats_of(&s, "", 0)->count, 1);
    for (size_t i = 0; i < s.count; i++)
        assert_true(s.stats[i].index[0] != '\0');
}

/* Counts follow what happens to records: replaced, moved to another space, deleted, removed. */
void vec_stats_follow_every_write(void **state)
{
    static const float v[] = {1, 0, 0};
    lls_vec *vec = vec_of(state);
    lls_error err = {0};
    seen s = {0};
    char id[8];

    for (int i = 0; i < 10; i++) {
        (void)snprintf(id, sizeof(id), "%d", i);
        vec_put(vec, vec_item(lls_bytes_of(lls_str_of(id)), LLS_STR("one"), LLS_VEC_L2, v, 3));
    }
    vec_put(vec, vec_item(B("0"), LLS_STR("one"), LLS_VEC_L2, v, 3));
    vec_put(vec, vec_item(B("1"), LLS_STR("two"), LLS_VEC_L2, v, 2));
    vec_put(vec, vec_note(B("2"), LLS_STR("no vector"), LLS_STR("{\"r\":1}")));
    vec_put(vec, vec_note(B("3"), LLS_STR("no vector"), LLS_STR("{}")));
    assert_ok(vec_write(vec, LLS_VEC_DELETE, vec_note(B("4"), (lls_str){0}, (lls_str){0}), 0, &err),
              err);
    const lls_filter_term term = {.op = LLS_FILTER_EXISTS, .path = LLS_STR("r")};
    assert_ok(lls_vec_remove(vec, coll, &(lls_filter){.terms = &term, .term_count = 1}, NULL, &err),
              err);
    assert_ok(lls_vec_stats_of(vec, coll, see, &s, &err), err);
    assert_int_equal(stats_of(&s, "one", 3)->count, 6);
    assert_int_equal(stats_of(&s, "two", 2)->count, 1);
    assert_int_equal(stats_of(&s, "", 0)->count, 1);
}
