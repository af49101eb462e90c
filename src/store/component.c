#include "store/component.h"

#include "base/scope.h"

#include <llmspell/store.h>

static const lls_component_def *const components[] = {
    &lls_component_agent_state,
    &lls_component_agent_state_history,
    &lls_component_workflow_state,
    &lls_component_sessions,
    &lls_component_episodic_memory,
    &lls_component_unrecognised,
    NULL,
};

const lls_component_def *const *lls_components(void)
{
    return components;
}

const char *lls_component_at(size_t index)
{
    return index < LLS_COUNT(components) - 1 ? components[index]->name : NULL;
}

const lls_component_def *lls_component_history(const lls_component_def *component)
{
    for (const lls_component_def *const *c = components; *c; c++)
        if ((*c)->earlier_of && strcmp((*c)->earlier_of, component->name) == 0)
            return *c;
    return NULL;
}

lls_err lls_component_find(lls_str name, const lls_component_def **out, lls_error *err)
{
    LLS_AUTO(lls_buf) names = {0};

    for (const lls_component_def *const *c = components; *c; c++) {
        if (lls_str_eq(lls_str_of((*c)->name), name)) {
            *out = *c;
            return LLS_OK;
        }
        lls_buf_printf(&names, "%s%s", names.len ? ", " : "", (*c)->name);
    }
    return lls_fail(err, LLS_E_INVALID, "no component '" LLS_FMT "' in this build (it has: %s)",
                    LLS_ARG(name), lls_buf_cstr(&names));
}
