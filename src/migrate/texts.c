#include "migrate/texts.h"

#include "base/alloc.h"

struct lls_texts_block {
    lls_texts_block *next;
    char text[];
};

const char *lls_texts_add(lls_texts *texts, lls_str text)
{
    lls_texts_block *block = lls_alloc(sizeof(*block) + text.len + 1);

    if (!block)
        return NULL;
    if (text.len)
        memcpy(block->text, text.data, text.len);
    block->next = texts->first;
    texts->first = block;
    return block->text;
}

lls_err lls_texts_keep(lls_texts *texts, const char *text, const char **out, lls_error *err)
{
    const char *kept = text ? lls_texts_add(texts, lls_str_of(text)) : NULL;

    if (text && !kept)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    *out = kept;
    return LLS_OK;
}

void lls_texts_fini(lls_texts *texts)
{
    while (texts->first) {
        lls_texts_block *block = texts->first;
        texts->first = block->next;
        lls_free(block);
    }
}
