#include <llmspell/agent_state.h>

#include "base/alloc.h"
#include "base/scope.h"
#include "components/document.h"
#include "store/history.h"

// The id of the document is "<type>:<id>"; the first colon divides, so an agent's id may have more.
static bool id_is_good(lls_str id)
{
    const char *colon = memchr(id.data, ':', id.len);

    return colon && colon != id.data && colon != id.data + id.len - 1;
}

static const lls_document_kind kind = {
    .component = LLS_STR_INIT("agent_state"),
    .prefix = LLS_STR_INIT("agent:"),
    .key_form = "agent:<type>:<id>",
    .id_is_good = id_is_good,
};

static lls_err check_key(lls_bytes key, lls_error *err)
{
    return lls_document_check_key(&kind, key, err);
}

const lls_component_def lls_component_agent_state = {
    .name = "agent_state",
    .summary = "what agents remember between runs",
    .port = LLS_PORT_KV,
    .collection = "agent_state",
    .key_form = "agent:<type>:<id>",
    .check_key = check_key,
    .check_value = lls_document_check_value,
};

static lls_err check_history_key(lls_bytes key, lls_error *err)
{
    lls_bytes agent;
    uint64_t version;

    if (lls_history_split(key, &agent, &version) && check_key(agent, NULL) == LLS_OK)
        return LLS_OK;
    return lls_key_refuse(key, lls_component_agent_state_history.key_form, err);
}

const lls_component_def lls_component_agent_state_history = {
    .name = "agent_state_history",
    .summary = "earlier versions of what agents remember",
    .port = LLS_PORT_KV,
    .collection = "agent_state_history",
    .earlier_of = "agent_state",
    .key_form = "agent:<type>:<id>@<version>",
    .check_key = check_history_key,
    .check_value = lls_document_check_value,
};

static lls_err check_type(lls_str agent_type, lls_error *err)
{
    if (agent_type.len == 0)
        return lls_fail(err, LLS_E_INVALID, "the agent type is empty");
    if (memchr(agent_type.data, ':', agent_type.len))
        return lls_fail(err, LLS_E_INVALID, "agent type '" LLS_FMT "' has a colon in it",
                        LLS_ARG(agent_type));
    return LLS_OK;
}

static lls_err make_id(lls_str agent_type, lls_str agent_id, lls_buf *id, lls_error *err)
{
    LLS_TRY(check_type(agent_type, err));
    if (agent_id.len == 0)
        return lls_fail(err, LLS_E_INVALID, "the agent id is empty");
    lls_buf_add_str(id, agent_type);
    lls_buf_add_str(id, LLS_STR(":"));
    lls_buf_add_str(id, agent_id);
    return lls_buf_status(id, err);
}

static lls_agent_state state_of(const lls_document *document)
{
    lls_str id = document->id;
    size_t type_len = (size_t)((const char *)memchr(id.data, ':', id.len) - id.data);

    return (lls_agent_state){
        .agent_type = {id.data, type_len},
        .agent_id = {id.data + type_len + 1, id.len - type_len - 1},
        .json = document->json,
        .version = document->version,
        .created_usec = document->created_usec,
        .saved_usec = document->saved_usec,
        .memory = document->memory,
    };
}

lls_err lls_agent_state_load(lls_store *store, lls_str agent_type, lls_str agent_id,
                             lls_agent_state *out, lls_error *err)
{
    LLS_AUTO(lls_buf) id = {0};
    lls_document document = {0};

    LLS_TRY(make_id(agent_type, agent_id, &id, err));
    LLS_TRY(lls_document_load(store, &kind, lls_buf_str(&id), 0, &document, err));
    *out = state_of(&document);
    return LLS_OK;
}

lls_err lls_agent_state_load_version(lls_store *store, lls_str agent_type, lls_str agent_id,
                                     uint64_t version, lls_agent_state *out, lls_error *err)
{
    LLS_AUTO(lls_buf) id = {0};
    lls_document document = {0};

    LLS_TRY(make_id(agent_type, agent_id, &id, err));
    if (version == 0)
        return lls_fail(err, LLS_E_INVALID, "versions begin at 1");
    LLS_TRY(lls_document_load(store, &kind, lls_buf_str(&id), version, &document, err));
    *out = state_of(&document);
    return LLS_OK;
}

lls_err lls_agent_state_save(lls_store *store, lls_agent_state *state, lls_error *err)
{
    LLS_AUTO(lls_buf) id = {0};

    LLS_TRY(make_id(state->agent_type, state->agent_id, &id, err));
    lls_document document = {
        .id = lls_buf_str(&id),
        .json = state->json,
        .version = state->version,
    };
    LLS_TRY(lls_document_save(store, &kind, &document, err));
    state->version++;
    return LLS_OK;
}

lls_err lls_agent_state_delete(lls_store *store, lls_str agent_type, lls_str agent_id,
                               lls_error *err)
{
    LLS_AUTO(lls_buf) id = {0};

    LLS_TRY(make_id(agent_type, agent_id, &id, err));
    return lls_document_delete(store, &kind, lls_buf_str(&id), err);
}

struct lls_agent_list {
    lls_document_list documents;
};

// The agents of one type are the documents whose ids begin with "<type>:".
static lls_err make_prefix(const lls_agent_filter *filter, lls_buf *prefix, lls_error *err)
{
    if (filter->agent_type.len == 0) {
        if (filter->id_prefix.len)
            return lls_fail(err, LLS_E_INVALID, "an id prefix needs an agent type");
        return LLS_OK;
    }
    LLS_TRY(check_type(filter->agent_type, err));
    lls_buf_add_str(prefix, filter->agent_type);
    lls_buf_add_str(prefix, LLS_STR(":"));
    lls_buf_add_str(prefix, filter->id_prefix);
    return lls_buf_status(prefix, err);
}

lls_err lls_agent_list_open(lls_store *store, const lls_agent_filter *filter, lls_agent_list **out,
                            lls_error *err)
{
    static const lls_agent_filter all = {0};
    LLS_AUTO(lls_buf) prefix = {0};
    LLS_AUTO(lls_buf) after = {0};
    const lls_agent_filter *wanted = filter ? filter : &all;

    LLS_TRY(make_prefix(wanted, &prefix, err));
    if (wanted->after_type.len || wanted->after_id.len)
        LLS_TRY(make_id(wanted->after_type, wanted->after_id, &after, err));
    lls_document_filter documents = {
        .id_prefix = lls_buf_str(&prefix),
        .after_id = lls_buf_str(&after),
        .limit = wanted->limit,
    };

    lls_agent_list *list = lls_alloc(sizeof(*list));
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

lls_err lls_agent_history_open(lls_store *store, lls_str agent_type, lls_str agent_id,
                               lls_agent_list **out, lls_error *err)
{
    LLS_AUTO(lls_buf) id = {0};

    LLS_TRY(make_id(agent_type, agent_id, &id, err));
    lls_agent_list *list = lls_alloc(sizeof(*list));
    if (!list)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    lls_err e = lls_document_history_open(store, &kind, lls_buf_str(&id), &list->documents, err);
    if (e != LLS_OK) {
        lls_free(list);
        return e;
    }
    *out = list;
    return LLS_OK;
}

lls_err lls_agent_list_next(lls_agent_list *list, lls_agent_state *out, lls_error *err)
{
    lls_document document = {0};

    LLS_TRY(lls_document_list_next(&list->documents, &document, err));
    *out = state_of(&document);
    return LLS_OK;
}

void lls_agent_list_close(lls_agent_list *list)
{
    if (!list)
        return;
    lls_document_list_close(&list->documents);
    lls_free(list);
}

void lls_agent_state_fini(lls_agent_state *state)
{
    lls_buf_fini(&state->memory);
    *state = (lls_agent_state){0};
}
