/** process.h - who a process is, so that another can tell later whether it still lives. */
#ifndef LLS_MIGRATE_PROCESS_H
#define LLS_MIGRATE_PROCESS_H

#include <llmspell/bytes.h>

enum { LLS_HOST_TEXT = 256, LLS_BOOT_TEXT = 40 };

typedef struct lls_process {
    char host[LLS_HOST_TEXT];
    char boot[LLS_BOOT_TEXT]; /**< Another after each start of the machine; "" when not known. */
    int64_t pid;
    int64_t started; /**< In ticks since the machine started; 0 when not known. */
} lls_process;

/** The calling process. */
void lls_process_self(lls_process *out);

/** Whether the two run, or ran, on one machine. */
bool lls_process_same_host(const lls_process *a, const lls_process *b);

/** Whether a process that was on this host still runs. In doubt, yes. */
bool lls_process_lives(const lls_process *process);

#endif
