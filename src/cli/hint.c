#include "cli/hint.h"

typedef struct hint_row {
    lls_err code;
    const char *command;  /**< What the path of the command begins with; "" is any. */
    const char *sqlstate; /**< What a server said, or how that begins; "" is anything. */
    const char *advice;
} hint_row;

#define NO_SCHEMA "an administrator sets it up, once: llmspell storage schema apply"
#define NO_STORE                                                                                   \
    "the first put or import makes a store; llmspell storage config show --origin tells where"

// The first row that fits is taken, so the narrower one comes first.
static const hint_row rows[] = {
    {LLS_E_DENIED, "", "28",
     "check the user, and the password in PGPASSWORD, ~/.pgpass or the configuration file"},
    {LLS_E_DENIED, "storage schema", "",
     "the schema needs an administrator's login: give it with --connection"},
    {LLS_E_DENIED, "", "42",
     "this login must be a member of the application role; an administrator says: GRANT "
     "llmspell_app TO it"},
    {LLS_E_UNAVAILABLE, "", "3D",
     "the database does not exist; create it, or correct the connection: llmspell storage config "
     "show --origin"},
    {LLS_E_UNAVAILABLE, "", "3F", NO_SCHEMA},
    {LLS_E_UNAVAILABLE, "", "42", NO_SCHEMA},
    {LLS_E_UNAVAILABLE, "", "22", NO_SCHEMA}, // the role that the schema makes is not there
    {LLS_E_NOTFOUND, "", "3F", NO_SCHEMA},
    {LLS_E_NOTFOUND, "", "42", NO_SCHEMA},
    {LLS_E_UNAVAILABLE, "", "",
     "is the server running? llmspell storage config show --origin tells where the connection "
     "comes from"},
    {LLS_E_NOTFOUND, "storage get", "", "llmspell storage list COMPONENT prints the keys"},
    {LLS_E_NOTFOUND, "storage delete", "", "llmspell storage list COMPONENT prints the keys"},
    {LLS_E_NOTFOUND, "storage list", "", NO_STORE},
    {LLS_E_NOTFOUND, "storage info", "", NO_STORE},
    {LLS_E_NOTFOUND, "storage validate", "", NO_STORE},
    {LLS_E_EXISTS, "storage put", "", "leave out --if-absent to replace it"},
    {LLS_E_EXISTS, "storage import", "", "leave out --keep-existing to replace it"},
    {LLS_E_EXISTS, "storage migrate plan", "", "choose another name, or remove that file"},
    {LLS_E_CONFLICT, "storage put", "",
     "somebody wrote it meanwhile: read it again with --output json, which shows its version, and "
     "retry"},
    {LLS_E_CONFLICT, "storage migrate rollback", "",
     "--force rolls back all the same; what was written since then is lost"},
    {LLS_E_CONFLICT, "storage migrate execute", "",
     "what the target holds of these keys would be lost: let the plan keep a backup, or empty the "
     "target"},
    {LLS_E_CORRUPT, "storage migrate rollback", "",
     "nothing was changed; a copy of the run folder from before the damage can be rolled back"},
    {LLS_E_BUSY, "storage migrate", "",
     "llmspell storage migrate status shows the runs; --force takes over the lock of a run on "
     "another host"},
    {LLS_E_MISMATCH, "storage migrate", "",
     "the target is untouched; if the source was written to meanwhile, stop its writers and make a "
     "new plan"},
    {LLS_E_UNSUPPORTED, "storage schema", "",
     "llmspell storage backends shows which backends have a schema"},
    {LLS_E_UNSUPPORTED, "storage migrate", "",
     "llmspell storage backends shows what each backend can do"},
    {LLS_E_CORRUPT, "storage get", "",
     "llmspell storage validate reads every record and names those that are damaged"},
    {LLS_E_NOTFOUND, "storage migrate resume", "",
     "llmspell storage migrate status shows the runs"},
    {LLS_E_NOTFOUND, "storage migrate rollback", "",
     "llmspell storage migrate status shows the runs"},
    {LLS_E_NEWER, "", "", "a newer llmspell wrote it: update this one"},
};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static const char *usage_hint(cli_context *context)
{
    lls_buf_clear(&context->hint);
    lls_buf_printf(&context->hint, "llmspell%s%s --help shows how it is called",
                   context->command->path[0] ? " " : "", context->command->path);
    return lls_buf_cstr(&context->hint);
}

const char *cli_hint(cli_context *context, const lls_error *err)
{
    if (context->misused)
        return usage_hint(context);
    if (context->hint.len > 0)
        return lls_buf_cstr(&context->hint);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == err->code && begins(context->command->path, rows[i].command) &&
            begins(err->sqlstate, rows[i].sqlstate))
            return rows[i].advice;
    return NULL;
}
