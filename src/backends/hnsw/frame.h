/**
 * frame.h - what a log consists of: a head, then frames. A frame is one batch of changes, there
 * as a whole or not at all. docs/formats/hnsw.md has the bytes.
 *
 * The checksum of a frame covers the checksum of the frame before it: frames of another history do
 * not follow each other by accident.
 */
#ifndef LLS_BACKENDS_HNSW_FRAME_H
#define LLS_BACKENDS_HNSW_FRAME_H

#include "ports/kv.h"

enum {
    HNSW_LOG_HEAD = 32,   /* bytes before the first frame */
    HNSW_FRAME_HEAD = 24, /* bytes before the changes of a frame */
};

#define HNSW_FRAME_MAX ((size_t)1 << 30) /* bytes of one frame */

/** The head of a log. */
typedef struct hnsw_log_head {
    uint64_t number;   /**< Of the log. */
    uint64_t sequence; /**< Of its first frame. */
    uint32_t link;     /**< Checksum of the head: the first frame follows it. */
} hnsw_log_head;

void hnsw_log_head_encode(hnsw_log_head *head, uint8_t out[HNSW_LOG_HEAD]);
lls_err hnsw_log_head_decode(lls_bytes bytes, hnsw_log_head *out, lls_error *err) LLS_CHECKED;

typedef enum hnsw_op {
    HNSW_OP_PUT = 1,    /**< Insert or replace. */
    HNSW_OP_REMOVE = 2, /**< The record is there. */
    HNSW_OP_CLEAR = 3,  /**< All records of the collection. */
} hnsw_op;

/** One change. Views point into the frame. */
typedef struct hnsw_change {
    hnsw_op op;
    lls_str coll;
    lls_kv_item item; /**< PUT: all of it; REMOVE: the key. */
    size_t value_at;  /**< PUT: where the value begins, from the frame's first byte. */
} hnsw_change;

/** A frame that was found whole. */
typedef struct hnsw_frame {
    uint64_t sequence;
    uint32_t link;  /**< Its checksum. */
    lls_bytes all;  /**< The frame, its head included. */
    lls_bytes body; /**< Its changes. */
} hnsw_frame;

/** Begin a frame in `out`, which is emptied. */
void hnsw_frame_begin(lls_buf *out);

/** Append a change to a frame that was begun. */
void hnsw_frame_add(lls_buf *out, const hnsw_change *change);

/** Finish it, behind the frame with the checksum `before`; gives its own checksum. */
uint32_t hnsw_frame_end(lls_buf *out, uint64_t sequence, uint32_t before);

/**
 * Look at the frame that begins at `bytes`. LLS_OK; LLS_END when there is nothing; LLS_E_CORRUPT
 * when what is there is not the whole frame `sequence` behind the checksum `before`.
 */
lls_err hnsw_frame_read(lls_bytes bytes, uint64_t sequence, uint32_t before, hnsw_frame *out,
                        lls_error *err) LLS_CHECKED;

/** Whether a whole frame, numbered after `sequence`, begins anywhere in `bytes`. */
bool hnsw_frame_follows(lls_bytes bytes, uint64_t sequence);

/** Walks the changes of a frame: set `rest` to its body and `base` to its first byte. */
typedef struct hnsw_change_walk {
    lls_bytes rest;
    const uint8_t *base;
} hnsw_change_walk;

/** LLS_OK, LLS_END after the last, LLS_E_CORRUPT for a change that cannot be. */
lls_err hnsw_change_next(hnsw_change_walk *walk, hnsw_change *out, lls_error *err) LLS_CHECKED;

#endif
