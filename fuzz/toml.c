/* A configuration is read or refused with a message; what is read can be listed. */
#include "store/config.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lls_config *config = NULL;
    lls_config_entry entry;
    lls_error err = {0};

    if (lls_config_from_text(text_of(data, size), &config, &err) != LLS_OK) {
        must(err.msg[0] != '\0' && !config);
        return 0;
    }
    for (size_t i = 0; lls_config_entry_at(config, i, &entry); i++)
        must(entry.key && entry.value && entry.origin);
    lls_config_free(config);
    return 0;
}
