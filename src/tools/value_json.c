/* Values that are not text, as JSON and back, as their component says it. */
#include <llmspell/transfer.h>

#include "base/scope.h"
#include "store/component.h"

lls_err lls_record_to_json(const lls_record *record, lls_buf *json, lls_error *err)
{
    const lls_component_def *component;
    lls_kv_item item = {
        .key = record->key,
        .value = record->value,
        .meta = {record->version, record->created_usec, record->updated_usec, record->expires_usec},
    };

    LLS_TRY(lls_component_find(record->component, &component, err));
    if (component->to_json) {
        lls_err e = component->to_json(&item, json, err);
        if (e != LLS_E_UNSUPPORTED)
            return e;
    }
    lls_buf_add(json, record->value);
    return lls_buf_status(json, err);
}

lls_err lls_value_from_json(lls_str component, lls_bytes given, lls_buf *value, lls_error *err)
{
    const lls_component_def *def;

    LLS_TRY(lls_component_find(component, &def, err));
    // What lives on another port than keys and values is told from JSON by its first byte.
    if (def->from_json && given.len > 0 && given.data[0] == '{')
        return def->from_json((lls_str){(const char *)given.data, given.len}, value, err);
    lls_buf_add(value, given);
    return lls_buf_status(value, err);
}
