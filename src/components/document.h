/**
 * document.h - what the components have in common: a JSON object of one kind under an id, saved on
 * the version it was loaded with, loaded into one block, listed without collecting.
 *
 * The key of a document is its kind's prefix, its id, and its kind's suffix; `session:7` has the id
 * `7`. Each component turns documents into its own structs and back.
 */
#ifndef LLS_COMPONENTS_DOCUMENT_H
#define LLS_COMPONENTS_DOCUMENT_H

#include "base/json.h"
#include "store/component.h"

#include <llmspell/store.h>

typedef struct lls_document_kind {
    lls_str component; /**< As the catalogue calls it. */
    lls_str prefix;    /**< Of every key. */
    lls_str suffix;
    const char *key_form; /**< "session:<id>", for messages. */

    bool (*id_is_good)(lls_str id);          /**< Of an id that is not empty. NULL: always. */
    int (*status_of)(lls_json_value object); /**< NULL: it has no status. 0: none that is known. */
} lls_document_kind;

/** One document. After a load the views point into `memory`; in a list it is empty. */
typedef struct lls_document {
    lls_str id;
    lls_str json;
    int status;
    uint64_t version;
    int64_t created_usec;
    int64_t saved_usec;
    int64_t expires_usec;
    lls_buf memory;
} lls_document;

/** For lls_component_def.check_key. Errors: LLS_E_INVALID with the key and the form. */
lls_err lls_document_check_key(const lls_document_kind *kind, lls_bytes key,
                               lls_error *err) LLS_CHECKED;

/** "key '…' is not of the form …": LLS_E_INVALID. */
lls_err lls_key_refuse(lls_bytes key, const char *key_form, lls_error *err);

/** For lls_component_def.check_value: a JSON object and nothing else. Errors: LLS_E_PARSE. */
lls_err lls_document_check_value(lls_bytes value, lls_error *err) LLS_CHECKED;

/**
 * Load a document, its current version when `version` is 0. What somebody stored there that is no
 * JSON object is given as it is.
 *
 * Owns: the caller frees `out->memory`, after success only.
 */
lls_err lls_document_load(lls_store *store, const lls_document_kind *kind, lls_str id,
                          uint64_t version, lls_document *out, lls_error *err) LLS_CHECKED;

/**
 * Save `json` as version `document->version + 1`, with its expiry. Reads id, json, version and
 * expires_usec of `document` and changes nothing in it.
 *
 * Errors: LLS_E_CONFLICT when that is not the stored version, 0 standing for "not there".
 */
lls_err lls_document_save(lls_store *store, const lls_document_kind *kind,
                          const lls_document *document, lls_error *err) LLS_CHECKED;

lls_err lls_document_delete(lls_store *store, const lls_document_kind *kind, lls_str id,
                            lls_error *err) LLS_CHECKED;

typedef struct lls_document_filter {
    lls_str id_prefix;
    lls_str after_id; /**< Begin behind this; empty: at the first. */
    int status;       /**< 0: all. */
    uint64_t limit;   /**< 0: no limit. */
} lls_document_filter;

/** An open list: embed it. Zeroed, it may be closed. */
typedef struct lls_document_list {
    const lls_document_kind *kind;
    lls_store_list *records;
    lls_buf id_prefix;
    int status;
    uint64_t limit;
    uint64_t given;
} lls_document_list;

/** Open a list in key order. Borrows `filter` for the call. */
lls_err lls_document_list_open(lls_store *store, const lls_document_kind *kind,
                               const lls_document_filter *filter, lls_document_list *list,
                               lls_error *err) LLS_CHECKED;

/** Open a list of the earlier versions of one document, oldest first. */
lls_err lls_document_history_open(lls_store *store, const lls_document_kind *kind, lls_str id,
                                  lls_document_list *list, lls_error *err) LLS_CHECKED;

/**
 * The next document. Its views live until the next call. LLS_END at the end; LLS_E_CORRUPT names a
 * record that is damaged or has a foreign key, and the next call goes on behind it.
 */
lls_err lls_document_list_next(lls_document_list *list, lls_document *out,
                               lls_error *err) LLS_CHECKED;
void lls_document_list_close(lls_document_list *list);

#endif
