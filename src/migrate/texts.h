/** texts.h - strings that live and die together: those of a plan, or of a run. */
#ifndef LLS_MIGRATE_TEXTS_H
#define LLS_MIGRATE_TEXTS_H

#include <llmspell/bytes.h>

typedef struct lls_texts_block lls_texts_block;

/* Zero is the initial value. */
typedef struct lls_texts {
    lls_texts_block *first;
} lls_texts;

/** Keep a NUL-terminated copy that stays where it is until lls_texts_fini; NULL: no memory. */
const char *lls_texts_add(lls_texts *texts, lls_str text);

/** The same for a string that may be NULL, which is kept as NULL. */
lls_err lls_texts_keep(lls_texts *texts, const char *text, const char **out,
                       lls_error *err) LLS_CHECKED;

void lls_texts_fini(lls_texts *texts);

static inline void lls_texts_auto(lls_texts *texts)
{
    lls_texts_fini(texts);
}

#endif
