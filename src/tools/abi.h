/** abi.h - refuses options that a program built against another version filled in. */
#ifndef LLS_TOOLS_ABI_H
#define LLS_TOOLS_ABI_H

#include <llmspell/config.h>

/** `options` names the struct for the message. */
static inline lls_err lls_abi_check(uint32_t abi, const char *options, lls_error *err)
{
    if (abi != LLS_ABI)
        return lls_fail(err, LLS_E_INVALID, "%s.abi is %u, not LLS_ABI (%u)", options, abi,
                        LLS_ABI);
    return LLS_OK;
}

#endif
