#include "cli/file_format.h"

#include "cli/args.h"

static const char *const formats[] = {
    [LLS_FILE_LINES] = "jsonl", [LLS_FILE_FBIN] = "fbin", [LLS_FILE_MSGPACK] = "msgpack"};

enum { FORMATS = sizeof(formats) / sizeof(*formats) };

lls_err cli_read_file_format(cli_context *context, lls_transfer_options *options, lls_error *err)
{
    const char *const *values = context->args.values;
    const char *format = values[CLI_FILE_FORMAT] ? values[CLI_FILE_FORMAT] : formats[0];
    const char *metric = values[CLI_METRIC];
    size_t f = 0;

    while (f < FORMATS && strcmp(formats[f], format) != 0)
        f++;
    if (f == FORMATS)
        return cli_misuse(context, err,
                          "option '--file-format' is jsonl, fbin or (to import) msgpack, not '%s'",
                          format);
    if (metric && lls_vec_metric_find(lls_str_of(metric), &options->metric, NULL) != LLS_OK)
        return cli_misuse(context, err, "option '--metric' is cosine, l2, ip or l1, not '%s'",
                          metric);
    options->format = (lls_file_format)f;
    options->model = lls_str_of(values[CLI_MODEL]);
    options->id_prefix = lls_str_of(values[CLI_PREFIX]);
    return LLS_OK;
}
