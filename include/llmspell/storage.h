/**
 * storage.h - everything: the storage layer for agents. Include this, or the parts that you need.
 *
 *     lls_config *config = NULL;
 *     lls_store *store = NULL;
 *     lls_error err = {0};
 *     lls_config_sources from = {.abi = LLS_ABI};
 *
 *     if (lls_config_load(&from, &config, &err) != LLS_OK ||
 *         lls_store_open(config, NULL, &store, &err) != LLS_OK)
 *         fprintf(stderr, "%s\n", err.msg);
 */
#ifndef LLMSPELL_STORAGE_H
#define LLMSPELL_STORAGE_H

#include <llmspell/agent_state.h>
#include <llmspell/bytes.h>
#include <llmspell/config.h>
#include <llmspell/embedding.h>
#include <llmspell/episodic_memory.h>
#include <llmspell/error.h>
#include <llmspell/filter.h>
#include <llmspell/inspect.h>
#include <llmspell/migrate.h>
#include <llmspell/record.h>
#include <llmspell/session.h>
#include <llmspell/store.h>
#include <llmspell/transfer.h>
#include <llmspell/workflow_state.h>

LLS_BEGIN_DECLS

#define LLS_VERSION_MAJOR 0
#define LLS_VERSION_MINOR 1
#define LLS_VERSION_PATCH 0
#define LLS_VERSION "0.1.0"

/** The version of the library that is linked, e.g. "0.1.0". */
LLS_API const char *lls_version(void);

LLS_END_DECLS

#endif
