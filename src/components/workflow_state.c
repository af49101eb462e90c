#include <llmspell/workflow_state.h>

#include "base/alloc.h"
#include "base/scope.h"
#include "components/document.h"
#include "components/status.h"

static const char *const status_names[] = {
    [LLS_WORKFLOW_ANY] = NULL,
    [LLS_WORKFLOW_PENDING] = "pending",
    [LLS_WORKFLOW_RUNNING] = "running",
    [LLS_WORKFLOW_COMPLETED] = "completed",
    [LLS_WORKFLOW_FAILED] = "failed",
    [LLS_WORKFLOW_CANCELLED] = "cancelled",
    [LLS_WORKFLOW_PARTIALLY_COMPLETED] = "partially_completed",
};

static int status_of(lls_json_value object)
{
    return lls_status_of(object, status_names, LLS_COUNT(status_names));
}

static const lls_document_kind kind = {
    .component = LLS_STR_INIT("workflow_state"),
    .prefix = LLS_STR_INIT("custom:workflow_"),
    .suffix = LLS_STR_INIT(":state"),
    .key_form = "custom:workflow_<id>:state",
    .status_of = status_of,
};

static lls_err check_key(lls_bytes key, lls_error *err)
{
    return lls_document_check_key(&kind, key, err);
}

const lls_component_def lls_component_workflow_state = {
    .name = "workflow_state",
    .summary = "how far workflows have come",
    .port = LLS_PORT_KV,
    .collection = "workflow_state",
    .key_form = "custom:workflow_<id>:state",
    .check_key = check_key,
    .check_value = lls_document_check_value,
};

static lls_err check_id(lls_str workflow_id, lls_error *err)
{
    return workflow_id.len ? LLS_OK : lls_fail(err, LLS_E_INVALID, "the workflow id is empty");
}

static lls_workflow_state state_of(const lls_document *document)
{
    return (lls_workflow_state){
        .workflow_id = document->id,
        .json = document->json,
        .status = (lls_workflow_status)document->status,
        .version = document->version,
        .created_usec = document->created_usec,
        .saved_usec = document->saved_usec,
        .memory = document->memory,
    };
}

lls_err lls_workflow_state_load(lls_store *store, lls_str workflow_id, lls_workflow_state *out,
                                lls_error *err)
{
    lls_document document = {0};

    LLS_TRY(check_id(workflow_id, err));
    LLS_TRY(lls_document_load(store, &kind, workflow_id, 0, &document, err));
    *out = state_of(&document);
    return LLS_OK;
}

lls_err lls_workflow_state_save(lls_store *store, lls_workflow_state *state, lls_error *err)
{
    lls_document document = {
        .id = state->workflow_id,
        .json = state->json,
        .version = state->version,
    };

    LLS_TRY(check_id(state->workflow_id, err));
    LLS_TRY(lls_document_save(store, &kind, &document, err));
    state->version++;
    return LLS_OK;
}

lls_err lls_workflow_state_delete(lls_store *store, lls_str workflow_id, lls_error *err)
{
    LLS_TRY(check_id(workflow_id, err));
    return lls_document_delete(store, &kind, workflow_id, err);
}

struct lls_workflow_list {
    lls_document_list documents;
};

lls_err lls_workflow_list_open(lls_store *store, const lls_workflow_filter *filter,
                               lls_workflow_list **out, lls_error *err)
{
    lls_document_filter documents = {0};

    if (filter)
        documents = (lls_document_filter){
            .id_prefix = filter->id_prefix,
            .after_id = filter->after_id,
            .status = (int)filter->status,
            .limit = filter->limit,
        };
    lls_workflow_list *list = lls_alloc(sizeof(*list));
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

lls_err lls_workflow_list_next(lls_workflow_list *list, lls_workflow_state *out, lls_error *err)
{
    lls_document document = {0};

    LLS_TRY(lls_document_list_next(&list->documents, &document, err));
    *out = state_of(&document);
    return LLS_OK;
}

void lls_workflow_list_close(lls_workflow_list *list)
{
    if (!list)
        return;
    lls_document_list_close(&list->documents);
    lls_free(list);
}

void lls_workflow_state_fini(lls_workflow_state *state)
{
    lls_buf_fini(&state->memory);
    *state = (lls_workflow_state){0};
}

const char *lls_workflow_status_text(lls_workflow_status status)
{
    return (size_t)status < LLS_COUNT(status_names) ? status_names[status] : NULL;
}
