#include "base/scope.h"
#include "ports/record.h"
#include "tools/import.h"
#include "tools/lines.h"

#include <inttypes.h>

typedef struct reading {
    lls_lines lines;
    lls_buf scratch;
    lls_buf value; /* of the line, as it is stored */
} reading;

static void reading_auto(reading *r)
{
    lls_lines_fini(&r->lines);
    lls_buf_fini(&r->scratch);
    lls_buf_fini(&r->value);
}

static lls_err read_line(const lls_import_run *run, reading *r, lls_str line, lls_kv_item *item,
                         lls_error *err)
{
    const lls_component_def *component = run->route->component;

    LLS_TRY(lls_record_from_line(line, &r->scratch, item, err));
    if (!component->from_json)
        return LLS_OK;
    lls_buf_clear(&r->value);
    LLS_TRY(lls_value_from_json(lls_str_of(component->name), item->value, &r->value, err));
    item->value = lls_buf_view(&r->value);
    return LLS_OK;
}

static lls_err take_line(lls_import_run *run, reading *r, lls_str line, lls_error *err)
{
    lls_kv_item item = {0};

    lls_err e = read_line(run, r, line, &item, err);
    if (e != LLS_OK)
        return lls_wrap(err, e, "line %" PRIu64, run->place);
    return lls_import_add(run, &item, err);
}

lls_err lls_import_lines(lls_import_run *run, lls_error *err)
{
    LLS_AUTO(reading) r = {.lines = {.fd = run->fd, .cancel = run->options->cancel}};
    lls_str line = {0};
    lls_err e = LLS_OK;

    while ((e = lls_lines_next(&r.lines, &line, err)) == LLS_OK) {
        LLS_TRY(lls_import_pause(run, err)); // `place` is the line before
        run->place = r.lines.number;
        run->bytes = r.lines.bytes;
        if (line.len)
            LLS_TRY(take_line(run, &r, line, err));
    }
    return e == LLS_END ? LLS_OK : e;
}
