/**
 * table.h - which table a collection lives in, and every statement that is prepared.
 *
 * agent_state with its history, workflow_state and sessions have tables of their own, so that
 * people and reports find them; all other collections share kv_store, where the collection is part
 * of the key. The names here are the only identifiers that are ever put into SQL.
 */
#ifndef LLS_BACKENDS_POSTGRES_TABLE_H
#define LLS_BACKENDS_POSTGRES_TABLE_H

#include "backends/postgres/conf.h"

#include <llmspell/bytes.h>

/** Statements that every table has. $1 is the tenant and $2 the collection in each of them. */
typedef enum lls_pg_verb {
    LLS_PG_GET,
    LLS_PG_SCAN,
    LLS_PG_SCAN_TO, /**< The same with an upper bound. */
    LLS_PG_PUT,
    LLS_PG_CREATE,
    LLS_PG_REPLACE,
    LLS_PG_DELETE,
    LLS_PG_DELETE_VERSION,
    LLS_PG_SWEEP,
    LLS_PG_RESTORE,
    LLS_PG_PUT_MANY,
    LLS_PG_RESTORE_MANY,
    LLS_PG_COUNT,
    LLS_PG_STATS,
    LLS_PG_CLEAR,
    LLS_PG_WROTE, /**< Whether the row of a key was written by a transaction. */
    LLS_PG_VERBS,
} lls_pg_verb;

/** Statements about no table. */
typedef enum lls_pg_common {
    LLS_PG_BEGIN,
    LLS_PG_BEGIN_READ, /**< One snapshot for the whole transaction. */
    LLS_PG_COMMIT,
    LLS_PG_ENTER,    /**< $1 tenant: who we are in this transaction, and its limits. */
    LLS_PG_BECOME,   /**< The role, in front of another statement; ends with a semicolon, if any. */
    LLS_PG_IN_ORDER, /**< Rows must stream from the index, not be sorted first. */
    LLS_PG_LOCK_SHARED,    /**< $1 bigint[]; gives the transaction's id. */
    LLS_PG_LOCK_EXCLUSIVE, /**< The same for the exclusive locks. */
    LLS_PG_XACT_STATUS,    /**< $1 a transaction's id */
    LLS_PG_STAGE_OPEN,
    LLS_PG_STAGE_LAST,
    LLS_PG_STAGE_FILL,
    LLS_PG_STAGE_PUBLISH,
    LLS_PG_STAGE_DISCARD,
    LLS_PG_STAGE_IS_PUBLISHED,
    LLS_PG_VEC_WROTE,      /**< As LLS_PG_WROTE, of a vector record. */
    LLS_PG_VEC_SPACES,     /**< $1 tenant, $2 collection: vec_space.c reads the answer. */
    LLS_PG_VEC_ROWS,       /**< And $3 ids, $4 ids whose metadata is wanted: vec_plan.c. */
    LLS_PG_VEC_DELETE,     /**< $3 ids */
    LLS_PG_VEC_DROP_TERMS, /**< $1 collection, $2 ids */
    LLS_PG_VEC_TIDY,       /**< $1 collection: forgets spaces without a record. */
    LLS_PG_VEC_DECLARE,    /**< $1 collection, $2 model, $3 dimension, $4 metric, $5 normalised */
    LLS_PG_VEC_PATCH, /**< $3 id, $4 metadata, $5 facets, $6 ordered, $7 version, $8 updated_at */
    LLS_PG_VEC_STAGE_OPEN,
    LLS_PG_VEC_STAGE_LAST,
    LLS_PG_VEC_STAGE_FILL,
    LLS_PG_VEC_STAGE_PUBLISH,
    LLS_PG_VEC_STAGE_DISCARD,
    LLS_PG_VEC_STAGE_IS_PUBLISHED,
    LLS_PG_COMMONS,
} lls_pg_common;

typedef struct lls_pg_statement {
    char *sql;     /* NUL-terminated, owned */
    char name[24]; /* "lls_" and a hash of the text: the same in every process */
} lls_pg_statement;

enum { LLS_PG_TABLES = 5, LLS_PG_STATEMENTS = LLS_PG_TABLES * LLS_PG_VERBS + LLS_PG_COMMONS };

typedef struct lls_pg_statements {
    lls_pg_statement all[LLS_PG_STATEMENTS];
} lls_pg_statements;

/** Write out the statements for this role and these time limits. */
lls_err lls_pg_statements_init(lls_pg_statements *statements, const lls_pg_conf *conf,
                               lls_error *err) LLS_CHECKED;
void lls_pg_statements_fini(lls_pg_statements *statements);

/** The number of the statement that does `verb` in the table of `coll`. */
int lls_pg_table_statement(lls_str coll, lls_pg_verb verb);

/** The number of a statement about no table. */
int lls_pg_common_statement(lls_pg_common common);

/** The tables, for check and facts: "agent_state", … */
const char *lls_pg_table_name(int index);

#endif
