#include "backends/postgres/connection.h"

#include "backends/postgres/error.h"
#include "base/alloc.h"
#include "base/scope.h"
#include "base/time.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

enum { RETRY_MS = 100 };

/* This library prints nothing, so a server's notices go nowhere. */
static void ignore_notice(void *user, const PGresult *result)
{
    (void)user;
    (void)result;
}

/* Wait until the socket is ready for `events`, or until `deadline_usec`; 0 waits for ever. */
static lls_err wait_for(PGconn *pg, short events, int64_t deadline_usec, lls_error *err)
{
    struct pollfd fd = {.fd = PQsocket(pg), .events = events};

    if (fd.fd < 0)
        return lls_pg_fail_connection(pg, err);
    for (;;) {
        int64_t left_ms = -1;
        if (deadline_usec) {
            left_ms = (deadline_usec - lls_monotonic_usec()) / 1000;
            if (left_ms <= 0)
                return lls_fail(err, LLS_E_UNAVAILABLE, "no answer within connect_timeout");
        }
        int n = poll(&fd, 1, (int)left_ms);
        if (n > 0)
            return LLS_OK;
        if (n < 0 && errno != EINTR)
            return lls_fail_sys(err, errno, "poll");
    }
}

static lls_err connect_polled(PGconn *pg, int64_t deadline_usec, lls_error *err)
{
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    if (PQstatus(pg) == CONNECTION_BAD)
        return lls_pg_fail_connection(pg, err);
    // With the state in the message, a wrong password can be told from a server that is not there.
    PQsetErrorVerbosity(pg, PQERRORS_VERBOSE);
    while (status != PGRES_POLLING_OK) {
        if (status == PGRES_POLLING_FAILED)
            return lls_pg_fail_connection(pg, err);
        short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        LLS_TRY(wait_for(pg, events, deadline_usec, err));
        status = PQconnectPoll(pg);
    }
    PQsetErrorVerbosity(pg, PQERRORS_DEFAULT);
    return LLS_OK;
}

/* What is set here can be overridden in the connection string, all but the last two. */
static PGconn *start(const lls_pg_conf *conf)
{
    const char *names[] = {
        "fallback_application_name", "keepalives_idle", "keepalives_interval", "keepalives_count",
        "tcp_user_timeout",          "dbname",          "client_encoding",     NULL};
    const char *values[] = {"llmspell", "30", "10", "3", "60000", conf->connection, "UTF8", NULL};

    if (conf->connection[0] == '\0')
        values[5] = NULL;
    return PQconnectStartParams(names, values, 1);
}

static lls_err check_server(PGconn *pg, lls_error *err)
{
    const char *encoding = PQparameterStatus(pg, "server_encoding");

    LLS_TRY(lls_pg_check_version(PQserverVersion(pg), err));
    if (encoding && strcmp(encoding, "UTF8") != 0)
        return lls_fail(err, LLS_E_UNSUPPORTED, "database '%s' is encoded in %s; UTF8 is needed",
                        PQdb(pg), encoding);
    return LLS_OK;
}

static lls_err try_connect(const lls_pg_conf *conf, int64_t deadline_usec, PGconn **out,
                           lls_error *err)
{
    PGconn *pg = start(conf);
    if (!pg)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");

    PQsetNoticeReceiver(pg, ignore_notice, NULL);
    lls_err e = connect_polled(pg, deadline_usec, err);
    if (e == LLS_OK)
        e = check_server(pg, err);
    if (e == LLS_OK && PQsetnonblocking(pg, 1) != 0)
        e = lls_pg_fail_connection(pg, err);
    if (e != LLS_OK) {
        PQfinish(pg);
        return e;
    }
    *out = pg;
    return LLS_OK;
}

lls_err lls_pg_connect(const lls_pg_conf *conf, lls_pg_connection **out, lls_error *err)
{
    int64_t deadline_usec = lls_monotonic_usec() + (int64_t)conf->connect_timeout * 1000;
    lls_error why = {0};
    PGconn *pg = NULL;
    lls_err e;

    // 57P03: the server is starting, or recovering after a crash, and soon ready.
    while ((e = try_connect(conf, deadline_usec, &pg, &why)) != LLS_OK &&
           lls_pg_is(&why, "57P03") && lls_monotonic_usec() < deadline_usec)
        (void)nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000L}, NULL);
    if (e != LLS_OK) {
        if (err)
            *err = why;
        return e;
    }
    lls_pg_connection *connection = lls_alloc(sizeof(*connection));
    if (!connection) {
        PQfinish(pg);
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    }
    connection->pg = pg;
    *out = connection;
    return LLS_OK;
}

void lls_pg_disconnect(lls_pg_connection *connection)
{
    if (!connection)
        return;
    PQfinish(connection->pg);
    lls_free(connection);
}

bool lls_pg_is_lost(const lls_pg_connection *connection)
{
    return PQstatus(connection->pg) == CONNECTION_BAD;
}

bool lls_pg_has_ended(const lls_pg_connection *connection, const lls_error *err)
{
    return lls_pg_is_lost(connection) || strncmp(err->sqlstate, "57P", 3) == 0;
}

bool lls_pg_is_alive(lls_pg_connection *connection)
{
    struct pollfd fd = {.fd = PQsocket(connection->pg), .events = POLLIN};

    if (lls_pg_is_lost(connection))
        return false;
    if (poll(&fd, 1, 0) == 0)
        return true;
    // An end of file, or a farewell; a notice or a changed parameter is harmless.
    return PQconsumeInput(connection->pg) == 1 && !lls_pg_is_lost(connection) &&
           poll(&fd, 1, 0) == 0;
}

lls_err lls_pg_flush(lls_pg_connection *connection, lls_error *err)
{
    PGconn *pg = connection->pg;
    int left;

    while ((left = PQflush(pg)) == 1) {
        LLS_TRY(wait_for(pg, POLLIN | POLLOUT, 0, err));
        if (PQconsumeInput(pg) == 0)
            return lls_pg_fail_connection(pg, err);
    }
    return left == 0 ? LLS_OK : lls_pg_fail_connection(pg, err);
}

lls_err lls_pg_result(lls_pg_connection *connection, PGresult **out, lls_error *err)
{
    PGconn *pg = connection->pg;

    LLS_TRY(lls_pg_flush(connection, err));
    while (PQisBusy(pg)) {
        LLS_TRY(wait_for(pg, POLLIN, 0, err));
        if (PQconsumeInput(pg) == 0)
            return lls_pg_fail_connection(pg, err);
    }
    *out = PQgetResult(pg);
    return LLS_OK;
}

static bool is_failure(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE ||
           status == PGRES_PIPELINE_ABORTED;
}

/* Read to the end; keep the last result with rows in `*kept` when that is asked for. */
static lls_err drain(lls_pg_connection *connection, PGresult **kept, lls_error *err)
{
    PGresult *result = NULL;
    lls_err first = LLS_OK;

    for (;;) {
        LLS_TRY(lls_pg_result(connection, &result, err));
        if (!result)
            return first;
        ExecStatusType status = PQresultStatus(result);
        if (is_failure(result) && first == LLS_OK)
            first = lls_pg_fail(result, err);
        if (kept && status == PGRES_TUPLES_OK) {
            PQclear(*kept);
            *kept = result;
        } else {
            PQclear(result);
        }
        if (status == PGRES_COPY_IN && PQputCopyEnd(connection->pg, "given up") != 1)
            return lls_pg_fail_connection(connection->pg, err);
    }
}

lls_err lls_pg_drain(lls_pg_connection *connection, lls_error *err)
{
    return drain(connection, NULL, err);
}

lls_err lls_pg_command(lls_pg_connection *connection, const char *sql, lls_error *err)
{
    if (PQsendQuery(connection->pg, sql) != 1)
        return lls_pg_fail_connection(connection->pg, err);
    return drain(connection, NULL, err);
}

lls_err lls_pg_query(lls_pg_connection *connection, const char *sql, int count,
                     const char *const *values, PGresult **out, lls_error *err)
{
    LLS_AUTO(lls_pg_result_ref) rows = NULL;

    if (PQsendQueryParams(connection->pg, sql, count, NULL, values, NULL, NULL, 0) != 1)
        return lls_pg_fail_connection(connection->pg, err);
    LLS_TRY(drain(connection, &rows, err));
    *out = rows;
    rows = NULL;
    return LLS_OK;
}

/* Best effort: when it does not arrive, the rows that are left are read. */
static void cancel(PGconn *pg)
{
    PGcancel *request = PQgetCancel(pg);
    char why[128];

    if (request)
        (void)PQcancel(request, why, (int)sizeof(why));
    PQfreeCancel(request);
}

/* Often the end is here already, and a cancel would cost a connection. */
static bool read_what_is_there(PGconn *pg)
{
    while (PQconsumeInput(pg) == 1 && !PQisBusy(pg)) {
        LLS_AUTO(lls_pg_result_ref) result = PQgetResult(pg);

        if (!result)
            return true;
        if (PQresultStatus(result) == PGRES_COPY_IN)
            return PQputCopyEnd(pg, "given up") == 1;
    }
    return false;
}

lls_err lls_pg_reset(lls_pg_connection *connection, lls_error *err)
{
    PGconn *pg = connection->pg;

    // Without its sync the server would not answer, and we would wait for ever.
    if (PQpipelineStatus(pg) != PQ_PIPELINE_OFF)
        return lls_fail(err, LLS_E_INTERNAL, "the connection is in the middle of a pipeline");
    if (PQtransactionStatus(pg) == PQTRANS_ACTIVE) {
        if (!read_what_is_there(pg))
            cancel(pg);
        (void)drain(connection, NULL, NULL);
    }
    if (PQtransactionStatus(pg) == PQTRANS_IDLE)
        return LLS_OK;
    return lls_pg_command(connection, "ROLLBACK", err);
}
