#include <llmspell/session.h>

#include "base/alloc.h"
#include "base/scope.h"
#include "components/document.h"
#include "components/status.h"

static const char *const status_names[] = {
    [LLS_SESSION_ANY] = NULL,
    [LLS_SESSION_ACTIVE] = "active",
    [LLS_SESSION_SUSPENDED] = "suspended",
    [LLS_SESSION_COMPLETED] = "completed",
    [LLS_SESSION_FAILED] = "failed",
    [LLS_SESSION_ARCHIVED] = "archived",
};

static int status_of(lls_json_value object)
{
    lls_json_value metadata = {0};
    int status = lls_status_of(object, status_names, LLS_COUNT(status_names));

    if (status == 0 && lls_json_member(object, LLS_STR("metadata"), &metadata))
        return lls_status_of(metadata, status_names, LLS_COUNT(status_names));
    return status;
}

static const lls_document_kind kind = {
    .component = LLS_STR_INIT("sessions"),
    .prefix = LLS_STR_INIT("session:"),
    .key_form = "session:<id>",
    .status_of = status_of,
};

static lls_err check_key(lls_bytes key, lls_error *err)
{
    return lls_document_check_key(&kind, key, err);
}

const lls_component_def lls_component_sessions = {
    .name = "sessions",
    .summary = "conversations and their settings, until they expire",
    .port = LLS_PORT_KV,
    .collection = "sessions",
    .key_form = "session:<id>",
    .check_key = check_key,
    .check_value = lls_document_check_value,
};

static lls_err check_id(lls_str session_id, lls_error *err)
{
    return session_id.len ? LLS_OK : lls_fail(err, LLS_E_INVALID, "the session id is empty");
}

static lls_session session_of(const lls_document *document)
{
    return (lls_session){
        .session_id = document->id,
        .json = document->json,
        .status = (lls_session_status)document->status,
        .version = document->version,
        .created_usec = document->created_usec,
        .saved_usec = document->saved_usec,
        .expires_usec = document->expires_usec,
        .memory = document->memory,
    };
}

lls_err lls_session_load(lls_store *store, lls_str session_id, lls_session *out, lls_error *err)
{
    lls_document document = {0};

    LLS_TRY(check_id(session_id, err));
    LLS_TRY(lls_document_load(store, &kind, session_id, 0, &document, err));
    *out = session_of(&document);
    return LLS_OK;
}

lls_err lls_session_save(lls_store *store, lls_session *session, lls_error *err)
{
    lls_document document = {
        .id = session->session_id,
        .json = session->json,
        .version = session->version,
        .expires_usec = session->expires_usec,
    };

    LLS_TRY(check_id(session->session_id, err));
    LLS_TRY(lls_document_save(store, &kind, &document, err));
    session->version++;
    return LLS_OK;
}

lls_err lls_session_touch(lls_store *store, lls_str session_id, int64_t expires_usec,
                          lls_error *err)
{
    lls_err e = LLS_OK;

    // Somebody who saves in between wins, and the session is touched as it is then.
    do {
        lls_session session = {0};
        LLS_TRY(lls_session_load(store, session_id, &session, err));
        session.expires_usec = expires_usec;
        e = lls_session_save(store, &session, err);
        lls_session_fini(&session);
    } while (e == LLS_E_CONFLICT);
    return e;
}

lls_err lls_session_delete(lls_store *store, lls_str session_id, lls_error *err)
{
    LLS_TRY(check_id(session_id, err));
    return lls_document_delete(store, &kind, session_id, err);
}

lls_err lls_session_sweep(lls_store *store, uint64_t *removed, lls_error *err)
{
    return lls_store_sweep(store, kind.component, removed, err);
}

struct lls_session_list {
    lls_document_list documents;
};

lls_err lls_session_list_open(lls_store *store, const lls_session_filter *filter,
                              lls_session_list **out, lls_error *err)
{
    lls_document_filter documents = {0};

    if (filter)
        documents = (lls_document_filter){
            .id_prefix = filter->id_prefix,
            .after_id = filter->after_id,
            .status = (int)filter->status,
            .limit = filter->limit,
        };
    lls_session_list *list = lls_alloc(sizeof(*list));
    if (!list)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    lls_err e = lls_document_list_open(store, &kind, &documents, &list->documents, err);
    if (e != LLS_OK) {
        lls_free(list);
        return e;
    }
    *out = list;
    return LLS_OK;
}

lls_err lls_session_list_next(lls_session_list *list, lls_session *out, lls_error *err)
{
    lls_document document = {0};

    LLS_TRY(lls_document_list_next(&list->documents, &document, err));
    *out = session_of(&document);
    return LLS_OK;
}

void lls_session_list_close(lls_session_list *list)
{
    if (!list)
        return;
    lls_document_list_close(&list->documents);
    lls_free(list);
}

void lls_session_fini(lls_session *session)
{
    lls_buf_fini(&session->memory);
    *session = (lls_session){0};
}

const char *lls_session_status_text(lls_session_status status)
{
    return (size_t)status < LLS_COUNT(status_names) ? status_names[status] : NULL;
}
