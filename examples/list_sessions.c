/*
 * list_sessions - the sessions that stand in one way, a page at a time.
 *
 *     ./list_sessions active
 */
#include <llmspell/storage.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 10 };

/* What the user calls it, or LLS_SESSION_ANY. */
static lls_session_status status_called(const char *text)
{
    for (int i = LLS_SESSION_ACTIVE; i <= LLS_SESSION_ARCHIVED; i++)
        if (strcmp(text, lls_session_status_text((lls_session_status)i)) == 0)
            return (lls_session_status)i;
    return LLS_SESSION_ANY;
}

/*
 * Print one page that begins behind `after`, and leave the last id of it there. Between two pages
 * the store is not held: sessions may come and go.
 */
static lls_err print_page(lls_store *store, lls_session_status status, lls_buf *after,
                          uint64_t *printed, lls_error *err)
{
    lls_session_filter filter = {.status = status, .after_id = lls_buf_str(after), .limit = PAGE};
    lls_session_list *list = NULL;
    lls_session session = {0};
    lls_err e = lls_session_list_open(store, &filter, &list, err);

    if (e != LLS_OK)
        return e;
    *printed = 0;
    while ((e = lls_session_list_next(list, &session, err)) == LLS_OK) {
        const char *text = lls_session_status_text(session.status);
        printf("%-10s version %-3" PRIu64 " %6zu bytes  " LLS_FMT "\n", text ? text : "-",
               session.version, session.json.len, LLS_ARG(session.session_id));
        lls_buf_clear(after);
        lls_buf_add_str(after, session.session_id);
        ++*printed;
    }
    lls_session_list_close(list);
    return e == LLS_END ? lls_buf_status(after, err) : e;
}

int main(int argc, char **argv)
{
    lls_session_status status = argc > 1 ? status_called(argv[1]) : LLS_SESSION_ANY;
    lls_config_sources from = {.abi = LLS_ABI};
    lls_store_options options = {.abi = LLS_ABI, .mode = LLS_OPEN_READ};
    lls_config *config = NULL;
    lls_store *store = NULL;
    lls_buf after = {0};
    lls_error err = {0};
    uint64_t printed = PAGE;

    lls_err e = lls_config_load(&from, &config, &err);
    if (e == LLS_OK)
        e = lls_store_open(config, &options, &store, &err);
    while (e == LLS_OK && printed == PAGE)
        e = print_page(store, status, &after, &printed, &err);
    if (e != LLS_OK)
        fprintf(stderr, "list_sessions: %s\n", err.msg);
    lls_buf_fini(&after);
    lls_store_close(store);
    lls_config_free(config);
    return e == LLS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
