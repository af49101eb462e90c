#include "backends/postgres/error.h"

#include "base/scope.h"

enum { OLDEST = 140000 };

/* The longest match decides, so single states come before their class. */
static const struct {
    const char *sqlstate;
    lls_err code;
} meanings[] = {
    {LLS_PG_EXISTS, LLS_E_EXISTS},
    {LLS_PG_CONFLICT, LLS_E_CONFLICT},
    {LLS_PG_NO_STAGE, LLS_E_NOTFOUND},
    {LLS_PG_MISMATCH, LLS_E_MISMATCH},
    {"08", LLS_E_UNAVAILABLE},    // connection exception
    {"0A", LLS_E_UNSUPPORTED},    // feature not supported
    {"22003", LLS_E_FULL},        // a version over the largest
    {"22", LLS_E_INVALID},        // data exception
    {"23505", LLS_E_CONFLICT},    // unique violation
    {"23", LLS_E_INVALID},        // integrity constraint violation
    {"25006", LLS_E_DENIED},      // read-only transaction
    {"28", LLS_E_DENIED},         // invalid authorization
    {"3D000", LLS_E_UNAVAILABLE}, // no such database
    {"3F000", LLS_E_UNAVAILABLE}, // no such schema
    {"40001", LLS_E_CONFLICT},    // serialization failure
    {"40P01", LLS_E_CONFLICT},    // deadlock
    {"42501", LLS_E_DENIED},      // insufficient privilege
    {"42704", LLS_E_UNAVAILABLE}, // no such role
    {"42883", LLS_E_UNAVAILABLE}, // no such function
    {"42P01", LLS_E_UNAVAILABLE}, // no such table
    {"53200", LLS_E_NOMEM},       // out of memory, on the server
    {"53300", LLS_E_UNAVAILABLE}, // too many connections
    {"53", LLS_E_FULL},           // no disk space, limits
    {"54", LLS_E_FULL},           // program limit exceeded
    {"55P03", LLS_E_BUSY},        // lock not available
    {"57014", LLS_E_CANCELLED},   // cancelled, or statement_timeout
    {"57", LLS_E_UNAVAILABLE},    // operator intervention: shutdown
    {"58030", LLS_E_IO},          // the server's input/output
    {"XX001", LLS_E_CORRUPT},     // data corrupted
    {"XX002", LLS_E_CORRUPT},     // index corrupted
};

lls_err lls_pg_code(const char *sqlstate)
{
    for (size_t i = 0; i < LLS_COUNT(meanings); i++)
        if (strncmp(sqlstate, meanings[i].sqlstate, strlen(meanings[i].sqlstate)) == 0)
            return meanings[i].code;
    return LLS_E_INTERNAL;
}

static void keep_sqlstate(lls_error *err, const char *sqlstate)
{
    if (!err || strlen(sqlstate) != sizeof(err->sqlstate) - 1)
        return;
    memcpy(err->sqlstate, sqlstate, sizeof(err->sqlstate));
}

lls_err lls_pg_fail(const PGresult *result, lls_error *err)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    lls_err code = LLS_E_UNAVAILABLE; // without a state it is libpq's own: the connection died

    if (sqlstate)
        code = lls_pg_code(sqlstate);
    if (!message)
        message = PQresultErrorMessage(result);
    if (message[0] == '\0')
        message = PQresStatus(PQresultStatus(result));
    (void)lls_fail(err, code, "%.*s", (int)strcspn(message, "\n"), message);
    keep_sqlstate(err, sqlstate ? sqlstate : "");
    return code;
}

static bool is_state_letter(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

/* In "FATAL:  28P01: password …" the state, or NULL: libpq keeps none for a failed connect. */
static const char *find_sqlstate(const char *text)
{
    for (const char *at = strstr(text, ":  "); at; at = strstr(at + 1, ":  ")) {
        const char *state = at + 3;
        size_t len = 0;

        while (len < 5 && is_state_letter(state[len]))
            len++;
        if (len == 5 && state[5] == ':' && state[6] == ' ')
            return state;
    }
    return NULL;
}

lls_err lls_pg_fail_connection(const PGconn *pg, lls_error *err)
{
    const char *text = PQerrorMessage(pg);
    const char *found = find_sqlstate(text);
    char sqlstate[6] = "";

    if (found) {
        memcpy(sqlstate, found, 5);
        // With several hosts and addresses the message tells of each; the one with a state counts.
        text = found + 7;
    }
    lls_err code = found ? lls_pg_code(sqlstate) : LLS_E_UNAVAILABLE;
    if (text[0] == '\0')
        text = "the connection was lost";
    (void)lls_fail(err, code, "%.*s", (int)strcspn(text, "\n"), text);
    keep_sqlstate(err, sqlstate);
    return code;
}

bool lls_pg_is(const lls_error *err, const char *sqlstate)
{
    return strcmp(err->sqlstate, sqlstate) == 0;
}

bool lls_pg_schema_is_missing(const lls_error *err)
{
    return lls_pg_is(err, "42P01") || lls_pg_is(err, "3F000") || lls_pg_is(err, "42883") ||
           lls_pg_is(err, "42704") || lls_pg_is(err, "22023");
}

lls_err lls_pg_check_version(int version, lls_error *err)
{
    if (version >= OLDEST)
        return LLS_OK;
    return lls_fail(err, LLS_E_UNSUPPORTED, "the server is PostgreSQL %d; version 14 is needed",
                    version / 10000);
}
