/**
 * scope.h - return early without leaking, for code that sees the public headers only: the two
 * macros of the library's own scope.h, and what they close.
 */
#ifndef CLI_SCOPE_H
#define CLI_SCOPE_H

#include <llmspell/storage.h>

#define LLS_TRY(call)                                                                              \
    do {                                                                                           \
        lls_err lls_try_ = (call);                                                                 \
        if (lls_try_ != LLS_OK)                                                                    \
            return lls_try_;                                                                       \
    } while (0)

#define LLS_AUTO(type) __attribute__((cleanup(type##_auto))) type

typedef lls_config *cli_config_ref;
typedef lls_store *cli_store_ref;
typedef lls_store_list *cli_list_ref;
typedef lls_plan *cli_plan_ref;

static inline void lls_buf_auto(lls_buf *buf)
{
    lls_buf_fini(buf);
}

static inline void cli_config_ref_auto(cli_config_ref *config)
{
    lls_config_free(*config);
}

static inline void cli_store_ref_auto(cli_store_ref *store)
{
    lls_store_close(*store);
}

static inline void cli_list_ref_auto(cli_list_ref *list)
{
    lls_store_list_close(*list);
}

static inline void cli_plan_ref_auto(cli_plan_ref *plan)
{
    lls_plan_free(*plan);
}

static inline void lls_report_auto(lls_report *report)
{
    lls_report_fini(report);
}

#endif
