/* A plan that is read and written reads as the same plan. */
#include "migrate/plan.h"

#include "base/scope.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    LLS_AUTO(lls_plan_ref) plan = NULL;
    LLS_AUTO(lls_plan_ref) again = NULL;
    LLS_AUTO(lls_buf) first = {0};
    LLS_AUTO(lls_buf) second = {0};
    lls_error err = {0};

    if (lls_plan_parse(text_of(data, size), "plan.yaml", &plan, &err) != LLS_OK) {
        must(err.msg[0] != '\0' && !plan);
        return 0;
    }
    lls_plan_write(plan, &first);
    must(lls_plan_parse(lls_buf_str(&first), "again.yaml", &again, &err) == LLS_OK);
    lls_plan_write(again, &second);
    must(lls_bytes_eq(lls_buf_view(&first), lls_buf_view(&second)));
    return 0;
}
