/* TLS is libpq's own: what the connection string asks for is what happens. */
#include "testing/postgres_fixture.h"

static lls_private_postgres server;
static char folder[] = "/tmp/llmspell-tls.XXXXXX";

/* An authority of our own, and a certificate of it for localhost. The server wants to own its key.
 */
static const char make_certificates[] =
    "cd \"$1\" && exec >log 2>&1 && set -e;"
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    " -subj '/CN=test authority' -keyout ca.key -out ca.crt;"
    "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    " -subj /CN=localhost -keyout server.key -out server.csr;"
    "printf 'subjectAltName = DNS:localhost' >san;"
    "openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2"
    " -extfile san -out server.crt;"
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    " -subj '/CN=other authority' -keyout other.key -out other.crt;"
    "chmod 0755 .; chmod 0600 server.key; if [ $(id -u) = 0 ]; then chown postgres server.key; fi";

static int start(void **state)
{
    char command[1600];
    char certificate[80];
    char key[80];
    lls_error err = {0};

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(command, sizeof(command), "set -- %s; %s", folder, make_certificates);
    assert_int_equal(system(command), 0);
    (void)snprintf(certificate, sizeof(certificate), "ssl_cert_file = '%s/server.crt'", folder);
    (void)snprintf(key, sizeof(key), "ssl_key_file = '%s/server.key'", folder);
    const char *const settings[] = {"ssl = on", certificate, key, NULL};
    const char *const hba[] = {"hostssl all all 127.0.0.1/32 trust",
                               "hostnossl all all 127.0.0.1/32 reject", NULL};
    const lls_private_postgres_options options = {.tcp = true, .settings = settings, .hba = hba};
    assert_ok(lls_private_postgres_start(&server, &options, &err), err);
    return 0;
}

static int stop(void **state)
{
    char command[80];

    (void)state;
    lls_private_postgres_stop(&server);
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static const char *over_tcp(const char *host, const char *mode, const char *authority)
{
    static char text[400];

    (void)snprintf(text, sizeof(text),
                   "host=%s hostaddr=127.0.0.1 port=%d user=postgres dbname=postgres sslmode=%s"
                   " sslrootcert=%s/%s",
                   host, server.port, mode, folder, authority);
    return text;
}

static void find(void *user, const char *name, const char *value)
{
    lls_buf_printf(user, "%s: %s\n", name, value);
}

static void a_verified_server_is_used(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = NULL;
    LLS_AUTO(lls_buf) facts = {0};
    lls_error err = {0};

    (void)state;
    fixture_apply_schema(over_tcp("localhost", "verify-full", "ca.crt"));
    backend = fixture_open(over_tcp("localhost", "verify-full", "ca.crt"), NULL, NULL);
    assert_ok(fixture_put(backend->kv, "t", "sessions", "k", "{}", &err), err);
    assert_ok(backend->def->facts(backend, find, &facts, &err), err);
    assert_non_null(strstr(lls_buf_cstr(&facts), "tls: TLSv1."));
}

static void a_large_batch_goes_through_tls(void **state)
{
    enum { COUNT = 200, BYTES = 100000 };
    LLS_AUTO(lls_backend_ref) backend = NULL;
    static char value[BYTES];
    static lls_kv_write writes[COUNT];
    static char keys[COUNT][8];
    lls_error err = {0};
    uint64_t count;

    (void)state;
    backend = fixture_open(over_tcp("localhost", "verify-full", "ca.crt"), NULL, NULL);
    memset(value, 'x', sizeof(value));
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "%d", i);
        writes[i] = (lls_kv_write){.coll = LLS_STR("notes"),
                                   .key = lls_bytes_of(lls_str_of(keys[i])),
                                   .value = {(const uint8_t *)value, sizeof(value)}};
    }
    assert_ok(lls_kv_apply(backend->kv, LLS_STR("t"), writes, COUNT, &err), err);
    assert_ok(
        lls_kv_count(backend->kv, (lls_kv_space){LLS_STR("t"), LLS_STR("notes")}, &count, &err),
        err);
    assert_int_equal(count, COUNT);
}

static void an_unknown_authority_is_refused(void **state)
{
    lls_backend *backend = NULL;
    lls_error err = {0};

    (void)state;
    assert_code(fixture_try_open(over_tcp("localhost", "verify-full", "other.crt"), NULL, NULL,
                                 &backend, &err),
                LLS_E_UNAVAILABLE, err);
    assert_non_null(strstr(err.msg, "certificate verify failed"));
}

static void another_name_is_refused(void **state)
{
    lls_backend *backend = NULL;
    lls_error err = {0};

    (void)state;
    assert_code(fixture_try_open(over_tcp("elsewhere", "verify-full", "ca.crt"), NULL, NULL,
                                 &backend, &err),
                LLS_E_UNAVAILABLE, err);
    assert_non_null(strstr(err.msg, "elsewhere"));
}

static void plain_text_is_refused_where_the_server_wants_tls(void **state)
{
    lls_backend *backend = NULL;
    lls_error err = {0};

    (void)state;
    assert_code(
        fixture_try_open(over_tcp("localhost", "disable", "ca.crt"), NULL, NULL, &backend, &err),
        LLS_E_DENIED, err);
    assert_string_equal(err.sqlstate, "28000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verified_server_is_used),
        cmocka_unit_test(a_large_batch_goes_through_tls),
        cmocka_unit_test(an_unknown_authority_is_refused),
        cmocka_unit_test(another_name_is_refused),
        cmocka_unit_test(plain_text_is_refused_where_the_server_wants_tls),
    };

    fixture_need_server();
    if (system("command -v openssl >/dev/null") != 0)
        return 77;
    return cmocka_run_group_tests_name("postgres over TLS", tests, start, stop);
}
