#include "backends/postgres/schema.h"

#include "backends/postgres/error.h"
#include "base/alloc.h"
#include "base/scope.h"
#include "base/time.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* The files of sql/, in number order: written by schema_files.cmake. */
typedef struct step {
    uint32_t number;
    const char *name;
    const char *sql;
} step;

#include "backends/postgres/schema_files.inc"

/* Any number that nothing else locks: "llspgsch". */
#define LOCK_KEY "7812449519466570600"
#define LOCK "SELECT pg_advisory_xact_lock(" LOCK_KEY ")"

#define BOOTSTRAP                                                                                  \
    "CREATE SCHEMA IF NOT EXISTS llmspell;"                                                        \
    "CREATE TABLE IF NOT EXISTS llmspell.schema_history ("                                         \
    " number integer PRIMARY KEY, name text NOT NULL,"                                             \
    " checksum text NOT NULL,"                                                                     \
    " applied_at timestamptz NOT NULL DEFAULT now(),"                                              \
    " applied_by text NOT NULL DEFAULT session_user)"

/* Every time: the extension may have come since. Who is not the owner leaves it alone. */
#define ADOPT                                                                                      \
    "DO $$ BEGIN "                                                                                 \
    "IF has_function_privilege('llmspell.vector_adopt()', 'EXECUTE') THEN"                         \
    " PERFORM pg_advisory_xact_lock(" LOCK_KEY "); PERFORM llmspell.vector_adopt();"               \
    " END IF; END $$"

#define CHECKSUM(text) "encode(sha256(convert_to(" text ", 'UTF8')), 'hex')"

enum { NUMBER, NAME, TIME, STATE, FIELDS };

static const step *find_step(uint32_t number)
{
    for (size_t i = 0; i < LLS_COUNT(steps); i++)
        if (steps[i].number == number)
            return &steps[i];
    return NULL;
}

uint32_t lls_pg_schema_newest(void)
{
    return steps[LLS_COUNT(steps) - 1].number;
}

static lls_err has_history(lls_pg_connection *connection, bool *out, lls_error *err)
{
    LLS_AUTO(lls_pg_result_ref) rows = NULL;

    LLS_TRY(lls_pg_query(connection, "SELECT to_regclass('llmspell.schema_history') IS NOT NULL", 0,
                         NULL, &rows, err));
    *out = PQgetvalue(rows, 0, 0)[0] == 't';
    return LLS_OK;
}

/* What became of one step: the row of the history, if any, beside the file, if any. */
static lls_err compare(lls_pg_connection *connection, uint32_t number, lls_pg_result_ref *rows,
                       lls_error *err)
{
    const step *s = find_step(number);
    char text[16];
    const char *values[] = {text, s ? s->name : NULL, s ? s->sql : NULL};

    (void)snprintf(text, sizeof(text), "%u", number);
    return lls_pg_query(connection,
                        "SELECT number, name, (extract(epoch FROM applied_at) * 1000000)::bigint,"
                        " CASE WHEN $3::text IS NULL THEN 'unknown'"
                        " WHEN name <> $2::text OR checksum <> " CHECKSUM(
                            "$3::text") " THEN 'edited' ELSE 'applied' END"
                                        " FROM llmspell.schema_history WHERE number = $1::integer",
                        3, values, rows, err);
}

static lls_err tell_step(lls_pg_connection *connection, uint32_t number, bool history,
                         lls_schema_fn each, void *user, lls_error *err)
{
    LLS_AUTO(lls_pg_result_ref) rows = NULL;
    const step *s = find_step(number);
    lls_schema_step told = {.number = number, .name = s ? s->name : "", .state = "pending"};

    if (history)
        LLS_TRY(compare(connection, number, &rows, err));
    if (rows && PQntuples(rows) > 0) {
        told.name = s ? s->name : PQgetvalue(rows, 0, NAME);
        told.applied_usec = strtoll(PQgetvalue(rows, 0, TIME), NULL, 10);
        told.state = PQgetvalue(rows, 0, STATE);
    }
    return each(user, &told, err);
}

/* The numbers of the history, rising. */
static lls_err applied_numbers(lls_pg_connection *connection, lls_pg_result_ref *rows,
                               lls_error *err)
{
    return lls_pg_query(connection, "SELECT number FROM llmspell.schema_history ORDER BY number", 0,
                        NULL, rows, err);
}

lls_err lls_pg_schema_status(lls_pg_connection *connection, lls_schema_fn each, void *user,
                             lls_error *err)
{
    LLS_AUTO(lls_pg_result_ref) applied = NULL;
    bool history;
    size_t next = 0;

    LLS_TRY(has_history(connection, &history, err));
    if (history)
        LLS_TRY(applied_numbers(connection, &applied, err));
    for (int row = 0; applied && row < PQntuples(applied); row++) {
        uint32_t number = (uint32_t)strtoul(PQgetvalue(applied, row, 0), NULL, 10);
        for (; next < LLS_COUNT(steps) && steps[next].number <= number; next++)
            if (steps[next].number < number)
                LLS_TRY(tell_step(connection, steps[next].number, history, each, user, err));
        LLS_TRY(tell_step(connection, number, history, each, user, err));
    }
    for (; next < LLS_COUNT(steps); next++)
        LLS_TRY(tell_step(connection, steps[next].number, history, each, user, err));
    return LLS_OK;
}

/* Finds the first pending step, and refuses a history that is not ours. */
static lls_err inspect(void *user, const lls_schema_step *told, lls_error *err)
{
    const step **pending = user;

    if (strcmp(told->state, "unknown") == 0)
        return lls_fail(err, LLS_E_NEWER,
                        "the database has schema step V%u '%s', which this build does not know",
                        told->number, told->name);
    if (strcmp(told->state, "edited") == 0)
        return lls_fail(err, LLS_E_MISMATCH,
                        "schema step V%u '%s' was edited after it had been applied", told->number,
                        told->name);
    if (!*pending && strcmp(told->state, "pending") == 0)
        *pending = find_step(told->number);
    return LLS_OK;
}

static lls_err apply_step(lls_pg_connection *connection, const step *s, lls_error *err)
{
    LLS_AUTO(lls_pg_result_ref) rows = NULL;
    char number[16];
    const char *values[] = {number, s->name, s->sql};

    (void)snprintf(number, sizeof(number), "%u", s->number);
    lls_err e = lls_pg_command(connection, s->sql, err);
    if (e != LLS_OK)
        return lls_wrap(err, e, "schema step V%u '%s'", s->number, s->name);
    return lls_pg_query(connection,
                        "INSERT INTO llmspell.schema_history (number, name, checksum)"
                        " VALUES ($1::integer, $2, " CHECKSUM("$3::text") ")",
                        3, values, &rows, err);
}

/*
 * Apply the first pending step in one transaction. Everything is looked up again under the lock:
 * another administrator may have been faster.
 */
static lls_err apply_next(lls_pg_connection *connection, const step **applied, lls_error *err)
{
    const step *pending = NULL;
    bool history;

    LLS_TRY(lls_pg_command(connection, "BEGIN; SET LOCAL lock_timeout = '60s'; " LOCK, err));
    LLS_TRY(has_history(connection, &history, err));
    if (!history)
        LLS_TRY(lls_pg_command(connection, BOOTSTRAP, err));
    LLS_TRY(lls_pg_schema_status(connection, inspect, &pending, err));
    if (pending)
        LLS_TRY(apply_step(connection, pending, err));
    LLS_TRY(lls_pg_command(connection, "COMMIT", err));
    *applied = pending;
    return LLS_OK;
}

lls_err lls_pg_schema_apply(lls_pg_connection *connection, lls_schema_fn each, void *user,
                            lls_error *err)
{
    const step *applied;

    do {
        lls_err e = apply_next(connection, &applied, err);
        if (e != LLS_OK) {
            (void)lls_pg_reset(connection, NULL);
            return e;
        }
        if (applied && each)
            LLS_TRY(tell_step(connection, applied->number, true, each, user, err));
    } while (applied);
    return lls_pg_command(connection, ADOPT, err);
}

uint32_t lls_pg_schema_version(lls_pg_connection *connection)
{
    LLS_AUTO(lls_pg_result_ref) rows = NULL;
    uint32_t version = 0;
    size_t next = 0;

    if (applied_numbers(connection, &rows, NULL) != LLS_OK)
        return 0;
    for (int row = 0; row < PQntuples(rows); row++) {
        uint32_t number = (uint32_t)strtoul(PQgetvalue(rows, row, 0), NULL, 10);
        if (next < LLS_COUNT(steps) && steps[next].number < number)
            break; // a step of this build is missing below
        if (next < LLS_COUNT(steps) && steps[next].number == number)
            next++;
        version = number;
    }
    return version;
}

lls_err lls_pg_schema_explain(lls_pg_connection *connection, lls_error *why)
{
    lls_error before = *why;
    uint32_t version = lls_pg_schema_version(connection);

    if (version >= lls_pg_schema_newest()) // it is something else that is missing
        return before.code;
    (void)lls_fail(why, LLS_E_UNAVAILABLE,
                   "the schema is at V%u, this build needs V%u: run 'llmspell storage schema apply'"
                   " (%s)",
                   version, lls_pg_schema_newest(), before.msg);
    memcpy(why->sqlstate, before.sqlstate, sizeof(why->sqlstate));
    return why->code;
}
