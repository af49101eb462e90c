#include "backends/sled/kinds.h"

#include "base/json.h"
#include "base/scope.h"

typedef struct kind_info {
    const char *name;
    const char *collection;
} kind_info;

static const kind_info infos[SLED_KINDS] = {
    [SLED_AGENT] = {"agent", "agent_state"},
    [SLED_AGENT_STATE] = {"agent", "agent_state"},
    [SLED_WORKFLOW] = {"workflow", "workflow_state"},
    [SLED_WORKFLOW_STATE] = {"workflow", "workflow_state"},
    [SLED_SESSION] = {"session", "sessions"},
    [SLED_SESSION_META] = {"session", NULL},
    [SLED_SESSION_LINK] = {"session", NULL},
    [SLED_OTHER_STATE] = {"state", NULL},
    [SLED_EVENT] = {"event", NULL},
    [SLED_HOOK] = {"hook", NULL},
    [SLED_ARTIFACT] = {"artifact", NULL},
    [SLED_API_KEY] = {"api_key", NULL},
    [SLED_REGISTRY] = {"registry", NULL},
    [SLED_OTHER] = {"other", NULL},
};

typedef struct prefix {
    const char *text;
    sled_kind kind;
} prefix;

/* The first that fits decides. */
static const prefix prefixes[] = {
    {"agent:metadata:", SLED_REGISTRY},
    {"registry:snapshot", SLED_REGISTRY},
    {"agent:", SLED_AGENT},
    {"custom:workflow_", SLED_WORKFLOW},
    {"session:", SLED_SESSION},
    {"session_metadata:", SLED_SESSION_META},
    {"session_correlation:", SLED_SESSION_LINK},
    {"state:agent_state:", SLED_AGENT_STATE},
    {"state:custom:workflow_", SLED_WORKFLOW_STATE},
    {"state:hook_history:", SLED_HOOK},
    {"sessions:hook_history:", SLED_HOOK},
    {"state:", SLED_OTHER_STATE},
    {"event:", SLED_EVENT},
    {"event_stats", SLED_EVENT},
    {"pattern:", SLED_EVENT},
    {"correlation:", SLED_EVENT},
    {"artifacts/", SLED_ARTIFACT},
};

static bool begins(lls_bytes key, const char *text)
{
    return lls_bytes_has_prefix(key, lls_bytes_of(lls_str_of(text)));
}

static bool ends(lls_bytes key, const char *text)
{
    size_t len = strlen(text);

    return key.len > len && memcmp(key.data + key.len - len, text, len) == 0;
}

static lls_str behind(lls_bytes key, const char *text)
{
    size_t len = strlen(text);

    return (lls_str){(const char *)key.data + len, key.len - len};
}

/* Rows of the API key store have keys of all sorts, and a value of one shape. */
static bool is_api_key(lls_bytes value)
{
    lls_str text = {(const char *)value.data, value.len};
    lls_json_value object;
    lls_json_value member;

    return value.len > 0 && value.data[0] == '{' && lls_json_check(text, &object, NULL) == LLS_OK &&
           lls_json_member(object, LLS_STR("encrypted_key"), &member) &&
           member.type == LLS_JSON_ARRAY;
}

/* `agent:TYPE:ID`: both parts are there. */
static bool is_agent_key(lls_bytes key)
{
    lls_str rest = behind(key, "agent:");
    const char *colon = memchr(rest.data, ':', rest.len);

    return colon && colon > rest.data && colon + 1 < rest.data + rest.len;
}

static bool fits(sled_kind kind, lls_bytes key)
{
    switch (kind) {
    case SLED_AGENT:
        return is_agent_key(key);
    case SLED_WORKFLOW:
        return key.len > sizeof("custom:workflow_:state") - 1 && ends(key, ":state");
    case SLED_WORKFLOW_STATE:
        return key.len > sizeof("state:custom:workflow_:state") - 1 && ends(key, ":state");
    case SLED_SESSION:
        return key.len > sizeof("session:") - 1;
    case SLED_AGENT_STATE:
        return key.len > sizeof("state:agent_state:") - 1;
    default:
        return true;
    }
}

sled_kind sled_kind_of(lls_bytes key, lls_bytes value)
{
    for (size_t i = 0; i < LLS_COUNT(prefixes); i++)
        if (begins(key, prefixes[i].text) && fits(prefixes[i].kind, key))
            return prefixes[i].kind;
    return is_api_key(value) ? SLED_API_KEY : SLED_OTHER;
}

const char *sled_kind_name(sled_kind kind)
{
    return infos[kind].name;
}

const char *sled_kind_collection(sled_kind kind)
{
    return infos[kind].collection;
}

void sled_record_fini(sled_record *record)
{
    lls_buf_fini(&record->key);
    lls_buf_fini(&record->value);
}
