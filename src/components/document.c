#include "components/document.h"

#include "base/scope.h"
#include "ports/record.h"

static lls_str id_of(const lls_document_kind *kind, lls_bytes key)
{
    lls_str id = {(const char *)key.data + kind->prefix.len,
                  key.len - kind->prefix.len - kind->suffix.len};

    return id;
}

static bool key_is_good(const lls_document_kind *kind, lls_bytes key)
{
    lls_bytes suffix = lls_bytes_of(kind->suffix);

    if (key.len <= kind->prefix.len + kind->suffix.len ||
        !lls_bytes_has_prefix(key, lls_bytes_of(kind->prefix)))
        return false;
    if (suffix.len && memcmp(key.data + key.len - suffix.len, suffix.data, suffix.len) != 0)
        return false;
    return lls_utf8_check(key) && (!kind->id_is_good || kind->id_is_good(id_of(kind, key)));
}

static lls_err fail_with_key(lls_error *err, lls_err code, const lls_document_kind *kind,
                             lls_bytes key)
{
    LLS_AUTO(lls_buf) shown = {0};

    lls_key_show(key, &shown);
    return lls_fail(err, code, "key '%s' is not of the form %s", lls_buf_cstr(&shown),
                    kind->key_form);
}

lls_err lls_key_refuse(lls_bytes key, const char *key_form, lls_error *err)
{
    const lls_document_kind kind = {.key_form = key_form};

    return fail_with_key(err, LLS_E_INVALID, &kind, key);
}

lls_err lls_document_check_key(const lls_document_kind *kind, lls_bytes key, lls_error *err)
{
    if (!key_is_good(kind, key))
        return fail_with_key(err, LLS_E_INVALID, kind, key);
    return LLS_OK;
}

static const char *type_text(lls_json_type type)
{
    switch (type) {
    case LLS_JSON_NULL:
        return "null";
    case LLS_JSON_BOOL:
        return "a boolean";
    case LLS_JSON_NUMBER:
        return "a number";
    case LLS_JSON_STRING:
        return "a string";
    case LLS_JSON_ARRAY:
        return "an array";
    case LLS_JSON_OBJECT:
        break;
    }
    return "an object";
}

lls_err lls_document_check_value(lls_bytes value, lls_error *err)
{
    lls_str text = {(const char *)value.data, value.len};
    lls_json_value json = {0};
    lls_err e = lls_json_check(text, &json, err);

    if (e != LLS_OK)
        return lls_wrap(err, e, "value is not JSON");
    if (json.type != LLS_JSON_OBJECT)
        return lls_fail(err, LLS_E_PARSE, "value is not a JSON object but %s",
                        type_text(json.type));
    return LLS_OK;
}

static lls_err make_key(const lls_document_kind *kind, lls_str id, lls_buf *key, lls_error *err)
{
    lls_buf_clear(key);
    lls_buf_add_str(key, kind->prefix);
    lls_buf_add_str(key, id);
    lls_buf_add_str(key, kind->suffix);
    LLS_TRY(lls_buf_status(key, err));
    return lls_document_check_key(kind, lls_buf_view(key), err);
}

static int status_of(const lls_document_kind *kind, lls_str json)
{
    lls_json_value object = {0};

    if (!kind->status_of || lls_json_check(json, &object, NULL) != LLS_OK ||
        object.type != LLS_JSON_OBJECT)
        return 0;
    return kind->status_of(object);
}

static lls_document document_of(const lls_document_kind *kind, const lls_record *record)
{
    lls_document document = {
        .id = id_of(kind, record->key),
        .json = {(const char *)record->value.data, record->value.len},
        .version = record->version,
        .created_usec = record->created_usec,
        .saved_usec = record->updated_usec,
        .expires_usec = record->expires_usec,
    };

    document.status = status_of(kind, document.json);
    return document;
}

lls_err lls_document_load(lls_store *store, const lls_document_kind *kind, lls_str id,
                          uint64_t version, lls_document *out, lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};
    LLS_AUTO(lls_buf) memory = {0};
    lls_record record = {0};

    LLS_TRY(make_key(kind, id, &key, err));
    lls_buf_add(&memory, lls_buf_view(&key));
    LLS_TRY(lls_buf_status(&memory, err));
    if (version > 0)
        LLS_TRY(lls_store_get_version(store, kind->component, lls_buf_view(&key), version, &memory,
                                      &record, err));
    else
        LLS_TRY(lls_store_get(store, kind->component, lls_buf_view(&key), &memory, &record, err));

    // One block holds the key, then the value.
    record.key = (lls_bytes){memory.data, key.len};
    record.value = (lls_bytes){memory.data + key.len, memory.len - key.len};
    *out = document_of(kind, &record);
    out->memory = memory;
    memory = (lls_buf){0};
    return LLS_OK;
}

static lls_err fail_with_first(lls_error *err, lls_bytes key)
{
    LLS_AUTO(lls_buf) shown = {0};

    lls_key_show(key, &shown);
    return lls_fail(err, LLS_E_CONFLICT, "'%s' is there already, and this is a first version",
                    lls_buf_cstr(&shown));
}

lls_err lls_document_save(lls_store *store, const lls_document_kind *kind,
                          const lls_document *document, lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};

    LLS_TRY(make_key(kind, document->id, &key, err));
    lls_record record = {
        .component = kind->component,
        .key = lls_buf_view(&key),
        .value = lls_bytes_of(document->json),
        .version = document->version,
        .expires_usec = document->expires_usec,
    };
    LLS_TRY(lls_document_check_value(record.value, err));

    lls_put_mode mode = document->version ? LLS_PUT_REPLACE : LLS_PUT_CREATE;
    lls_err e = lls_store_put(store, &record, mode, err);
    return e == LLS_E_EXISTS ? fail_with_first(err, lls_buf_view(&key)) : e;
}

lls_err lls_document_delete(lls_store *store, const lls_document_kind *kind, lls_str id,
                            lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};

    LLS_TRY(make_key(kind, id, &key, err));
    return lls_store_delete(store, kind->component, lls_buf_view(&key), err);
}

lls_err lls_document_list_open(lls_store *store, const lls_document_kind *kind,
                               const lls_document_filter *filter, lls_document_list *list,
                               lls_error *err)
{
    LLS_AUTO(lls_buf) prefix = {0};
    LLS_AUTO(lls_buf) after = {0};
    LLS_AUTO(lls_buf) id_prefix = {0};
    lls_store_list *records = NULL;

    lls_buf_add_str(&id_prefix, filter->id_prefix);
    LLS_TRY(lls_buf_status(&id_prefix, err));
    lls_buf_add_str(&prefix, kind->prefix);
    lls_buf_add_str(&prefix, filter->id_prefix);
    LLS_TRY(lls_buf_status(&prefix, err));
    if (filter->after_id.len)
        LLS_TRY(make_key(kind, filter->after_id, &after, err));
    LLS_TRY(lls_store_list_open(store, kind->component, lls_buf_view(&prefix), lls_buf_view(&after),
                                &records, err));
    *list = (lls_document_list){
        .kind = kind,
        .records = records,
        .id_prefix = id_prefix,
        .status = filter->status,
        .limit = filter->limit,
    };
    id_prefix = (lls_buf){0};
    return LLS_OK;
}

lls_err lls_document_history_open(lls_store *store, const lls_document_kind *kind, lls_str id,
                                  lls_document_list *list, lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};
    lls_store_list *records = NULL;

    LLS_TRY(make_key(kind, id, &key, err));
    LLS_TRY(lls_store_history_open(store, kind->component, lls_buf_view(&key), &records, err));
    *list = (lls_document_list){.kind = kind, .records = records};
    return LLS_OK;
}

// Of the records that the scan yields: the suffix may have helped a key to begin with the prefix.
static bool is_wanted(const lls_document_list *list, const lls_document *document)
{
    if (!lls_bytes_has_prefix(lls_bytes_of(document->id), lls_buf_view(&list->id_prefix)))
        return false;
    return list->status == 0 || list->status == document->status;
}

lls_err lls_document_list_next(lls_document_list *list, lls_document *out, lls_error *err)
{
    lls_record record = {0};
    lls_document document = {0};

    if (list->limit && list->given == list->limit)
        return LLS_END;
    do {
        LLS_TRY(lls_store_list_next(list->records, &record, err));
        if (!key_is_good(list->kind, record.key))
            return fail_with_key(err, LLS_E_CORRUPT, list->kind, record.key);
        document = document_of(list->kind, &record);
    } while (!is_wanted(list, &document));
    list->given++;
    *out = document;
    return LLS_OK;
}

void lls_document_list_close(lls_document_list *list)
{
    lls_store_list_close(list->records);
    lls_buf_fini(&list->id_prefix);
    *list = (lls_document_list){0};
}
