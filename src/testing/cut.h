/**
 * cut.h - a port whose connection is cut at the Nth call that would change something: once before
 * the call had its effect and once after it, which the caller cannot tell apart. From then on every
 * call fails, as for a process that was killed.
 *
 * It also spoils what a prepared stage shows, which is what verification is there to find.
 */
#ifndef LLS_TESTING_CUT_H
#define LLS_TESTING_CUT_H

#include "ports/stage.h"

typedef enum lls_cut_when { LLS_CUT_BEFORE, LLS_CUT_AFTER } lls_cut_when;

typedef enum lls_spoil {
    LLS_SPOIL_NOTHING,
    LLS_SPOIL_LOSE,  /**< The record is not there. */
    LLS_SPOIL_VALUE, /**< It has a byte more. */
    LLS_SPOIL_META,  /**< Its version is another. */
    LLS_SPOIL_EXTRA, /**< A record that nobody wrote comes behind it. */
} lls_spoil;

typedef struct lls_cut {
    lls_kv base;
    lls_kv *inner;
    lls_cut_when when;
    long at;      /**< Let so many changing calls through, then cut; negative: never. */
    long changes; /**< Changing calls so far. */
    bool dead;    /**< The cut has happened. */

    lls_spoil spoil;
    size_t spoil_at; /**< The record of each stage scan that is spoilt, from 0. */
} lls_cut;

/** A port that passes everything on to `inner`, until the fields say otherwise. */
void lls_cut_init(lls_cut *cut, lls_kv *inner);

#endif
