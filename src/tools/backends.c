#include <llmspell/inspect.h>

#include "ports/backend.h"

bool lls_backend_info_at(size_t index, lls_backend_info *out)
{
    const lls_backend_def *const *defs = lls_backends();

    for (size_t i = 0; defs[i]; i++) {
        if (i != index)
            continue;
        const lls_characteristics *promises = &defs[i]->characteristics;
        *out = (lls_backend_info){
            .name = defs[i]->name,
            .summary = defs[i]->summary,
            .persistent = promises->persistent,
            .transactional = promises->transactional,
            .prefix_scan = promises->prefix_scan,
            .atomic_ops = promises->atomic_ops,
            .multi_process = promises->multi_process,
            .has_schema = defs[i]->schema != NULL,
            .read_usec = promises->read_usec,
            .write_usec = promises->write_usec,
        };
        return true;
    }
    return false;
}

static const char *type_text(lls_option_type type)
{
    switch (type) {
    case LLS_OPT_BOOL:
        return "bool";
    case LLS_OPT_SIZE:
        return "size";
    case LLS_OPT_COUNT:
        return "count";
    case LLS_OPT_DURATION:
        return "duration";
    case LLS_OPT_TEXT:
        return "text";
    case LLS_OPT_CHOICE:
        return "choice";
    case LLS_OPT_PATH:
        return "path";
    case LLS_OPT_CONNINFO:
        return "connection";
    }
    return "text";
}

bool lls_option_info_at(const char *backend, size_t index, lls_option_info *out)
{
    const lls_backend_def *def = lls_backend_find(lls_str_of(backend));

    for (size_t i = 0; def && def->options && def->options[i].name; i++) {
        if (i != index)
            continue;
        *out = (lls_option_info){
            .name = def->options[i].name,
            .type = type_text(def->options[i].type),
            .preset = def->options[i].preset,
            .choices = def->options[i].choices,
            .meaning = def->options[i].meaning,
        };
        return true;
    }
    return false;
}
