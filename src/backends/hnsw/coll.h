/**
 * coll.h - the records of one collection as this process knows them: a base, and behind it what the
 * log has said since. Records are numbered: those of the base first, in order of their ids, then
 * those of the log, in order of their arrival. A record that is written again gets a new number; a
 * number is never given twice, and what it leads to stays until the collection is closed, so a list
 * of numbers is a stable view.
 *
 * Threads: the tenant's lock guards all of it: shared to read, alone to change.
 */
#ifndef LLS_BACKENDS_HNSW_COLL_H
#define LLS_BACKENDS_HNSW_COLL_H

#include "backends/hnsw/base.h"
#include "backends/hnsw/conf.h"
#include "backends/hnsw/frame.h"
#include "backends/hnsw/index.h"

#include <pthread.h>

/** A log that can be read from. */
typedef struct hnsw_log_file {
    atomic_uint refs;
    int fd;
    char path[];
} hnsw_log_file;

lls_err hnsw_log_file_open(const char *path, hnsw_log_file **out, lls_error *err) LLS_CHECKED;
hnsw_log_file *hnsw_log_file_hold(hnsw_log_file *file);
void hnsw_log_file_drop(hnsw_log_file *file); /**< NULL is fine. */

/** A record that came with the log; its body is kept, its whole value is in the log. */
typedef struct hnsw_doc {
    lls_kv_meta meta;
    int64_t event_usec;
    hnsw_log_file *log;
    uint64_t value_at; /**< In the log. */
    uint32_t value_len;
    uint32_t value_check;
    uint32_t space; /**< HNSW_NONE: no vector. */
    uint32_t slot;
    uint32_t body_len;
    uint16_t id_len;
    uint8_t bytes[]; /**< Id, body. */
} hnsw_doc;

/**
 * The tail lies in pieces, each twice as long as the one before, which never move: whoever has a
 * list of records reads them beside a writer.
 */
enum { HNSW_TAIL_FIRST = 64, HNSW_TAIL_PIECES = 27 };

/** An embedding space, and the index of its vectors. */
typedef struct hnsw_space {
    lls_vec_space space; /**< `model` points to the next. */
    char model[LLS_VEC_MODEL_MAX];
    hnsw_index *index;
    uint64_t count;       /**< Records. */
    uint32_t base_slots;  /**< Of them, `base_docs` has the records. */
    uint32_t *base_docs;  /**< In the base's own mapping. */
    uint32_t *later_docs; /**< Of the slots behind those; HNSW_NONE: none. */
    size_t later_cap;
    struct hnsw_space *before; /**< What had its name before, and holds nothing. */
    bool rebuilding;           /**< Its derived parts were not there. */
    bool damaged;              /**< Vectors in the base are: nothing near can be told. */
} hnsw_space;

typedef struct hnsw_coll {
    atomic_uint refs;
    char name[LLS_COLL_MAX + 1];
    const hnsw_conf *conf;
    hnsw_base *base;        /**< May be NULL. */
    uint64_t base_sequence; /**< Frames up to this one are in the base. */
    uint64_t changed;       /**< The last frame that changed something. */
    const uint8_t *derived; /**< The file of the derived parts, mapped; may be NULL. */
    size_t derived_length;
    hnsw_doc **tail[HNSW_TAIL_PIECES]; /**< Records behind those of the base: hnsw_coll_tail. */
    uint32_t tail_count;
    uint64_t tail_bytes; /**< Of memory. */
    uint64_t *live;      /**< A bit for each record. */
    size_t live_words;
    uint32_t *hash; /**< The last record in the tail of an id, plus 1; 0: free. */
    uint32_t hash_cap;
    uint32_t hash_used;
    uint32_t count;    /**< Records that are there, expired ones included. */
    uint32_t expiring; /**< Of them, those that expire some day. */
    hnsw_space **spaces;
    uint32_t space_count;
    pthread_mutex_t making;     /**< Held while what follows is made. */
    struct hnsw_words *words;   /**< Made by the first search by words: words.h. */
    struct hnsw_traits *traits; /**< Made by the first filter: traits.h. */
} hnsw_coll;

/**
 * A collection over `base`, whose hold it takes in any case, and over the file of derived parts at
 * `derived`, if that is good. Owns: drop it.
 */
lls_err hnsw_coll_open(const hnsw_conf *conf, lls_str name, hnsw_base *base, const char *derived,
                       hnsw_coll **out, lls_error *err) LLS_CHECKED;
hnsw_coll *hnsw_coll_hold(hnsw_coll *coll);
void hnsw_coll_drop(hnsw_coll *coll); /**< NULL is fine. */

static inline uint32_t hnsw_coll_docs(const hnsw_coll *coll)
{
    return (coll->base ? coll->base->records : 0) + coll->tail_count;
}

/** Place `i` of the tail. Its piece must be there. */
static inline hnsw_doc **hnsw_coll_tail(const hnsw_coll *coll, uint32_t i)
{
    uint32_t piece = 31 - (uint32_t)__builtin_clz(i / HNSW_TAIL_FIRST + 1);

    return &coll->tail[piece][i - HNSW_TAIL_FIRST * ((1u << piece) - 1)];
}

static inline bool hnsw_coll_lives(const hnsw_coll *coll, uint32_t doc)
{
    return coll->live[doc / 64] >> (doc % 64) & 1;
}

/** A record of either kind; views live as long as the collection is held. */
typedef struct hnsw_record {
    uint32_t doc;
    lls_bytes id;
    lls_bytes body; /**< The canonical value without the vector. */
    lls_kv_meta meta;
    int64_t event_usec;
    uint32_t space;
    uint32_t slot;
} hnsw_record;

/** Look at a record. Its body must not be read before hnsw_coll_check. */
void hnsw_coll_record(const hnsw_coll *coll, uint32_t doc, hnsw_record *out);
lls_bytes hnsw_coll_id(const hnsw_coll *coll, uint32_t doc);

/** Errors: LLS_E_CORRUPT naming the record whose body is damaged. */
lls_err hnsw_coll_check(const hnsw_coll *coll, const hnsw_record *record,
                        lls_error *err) LLS_CHECKED;

/** The record as an item; its vector into `floats` if `vector`, replaced. Checks what it reads. */
lls_err hnsw_coll_item(const hnsw_coll *coll, const hnsw_record *record, bool vector,
                       lls_buf *floats, lls_vec_item *out, lls_error *err) LLS_CHECKED;

/** Append the canonical value. Checks it. */
lls_err hnsw_coll_value(const hnsw_coll *coll, const hnsw_record *record, lls_buf *out,
                        lls_error *err) LLS_CHECKED;

/** The living record with this id, or HNSW_NONE. */
uint32_t hnsw_coll_find(const hnsw_coll *coll, lls_bytes id);

/** The space named by `model` and `dim`, or HNSW_NONE. A model's space may have another `dim`. */
uint32_t hnsw_coll_space(const hnsw_coll *coll, lls_str model, uint32_t dim);

/** The record of a slot, or HNSW_NONE. */
uint32_t hnsw_space_doc(const hnsw_space *space, uint32_t slot);

/**
 * Do a change of a frame. After a failure the collection is good for nothing but to be dropped.
 * Errors: LLS_E_NOMEM; LLS_E_CORRUPT for a change that cannot be.
 */
lls_err hnsw_coll_do(hnsw_coll *coll, const hnsw_change *change, hnsw_log_file *log,
                     uint64_t frame_at, lls_error *err) LLS_CHECKED;

/** The living records by id that `range` lets through: their numbers. Owns: lls_free. */
lls_err hnsw_coll_sorted(const hnsw_coll *coll, lls_kv_range range, uint32_t **docs, size_t *count,
                         lls_error *err) LLS_CHECKED;

/** Bytes of memory that records and indexes take. */
uint64_t hnsw_coll_memory(const hnsw_coll *coll);

/** The parameters of an index for `space`. */
hnsw_params hnsw_space_params(const hnsw_conf *conf, const lls_vec_space *space);

#endif
