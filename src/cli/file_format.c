#include "cli/file_format.h"

#include "cli/args.h"

static const char *const formats[] = {[LLS_FILE_LINES] = "jsonl", [LLS_FILE_FBIN] = "fbin"};
static const char *const metrics[] = {
    [LLS_VEC_COSINE] = "cosine", [LLS_VEC_L2] = "l2", [LLS_VEC_IP] = "ip", [LLS_VEC_L1] = "l1"};

/* The place of `word` in `words`, or `count`. */
static size_t place_of(const char *word, const char *const *words, size_t count)
{
    size_t i = 0;

    while (i < count && strcmp(words[i], word) != 0)
        i++;
    return i;
}

lls_err cli_read_file_format(cli_context *context, lls_transfer_options *options, lls_error *err)
{
    const char *const *values = context->args.values;
    const char *format = values[CLI_FILE_FORMAT] ? values[CLI_FILE_FORMAT] : formats[0];
    const char *metric = values[CLI_METRIC] ? values[CLI_METRIC] : metrics[0];
    size_t f = place_of(format, formats, sizeof(formats) / sizeof(*formats));
    size_t m = place_of(metric, metrics, sizeof(metrics) / sizeof(*metrics));

    if (f == sizeof(formats) / sizeof(*formats))
        return cli_misuse(context, err, "option '--file-format' is jsonl or fbin, not '%s'",
                          format);
    if (m == sizeof(metrics) / sizeof(*metrics))
        return cli_misuse(context, err, "option '--metric' is cosine, l2, ip or l1, not '%s'",
                          metric);
    options->format = (lls_file_format)f;
    options->metric = (lls_vec_metric)m;
    options->model = lls_str_of(values[CLI_MODEL]);
    options->id_prefix = lls_str_of(values[CLI_PREFIX]);
    return LLS_OK;
}
