/* Options take any text or refuse it; what is shown of a connection never has its password. */
#include "ports/option.h"

#include "base/scope.h"
#include "fuzz.h"

typedef struct conf {
    bool flag;
    uint64_t size;
    uint64_t count;
    uint64_t duration;
    const char *text;
    const char *choice;
    const char *path;
    const char *connection;
} conf;

static const lls_option options[] = {
    LLS_OPTION(conf, flag, LLS_OPT_BOOL, "true", "a flag"),
    LLS_OPTION(conf, size, LLS_OPT_SIZE, "1GiB", "bytes", .min = 1024, .max = 1ull << 40),
    LLS_OPTION(conf, count, LLS_OPT_COUNT, "126", "things"),
    LLS_OPTION(conf, duration, LLS_OPT_DURATION, "5s", "time"),
    LLS_OPTION(conf, text, LLS_OPT_TEXT, "", "text"),
    LLS_OPTION(conf, choice, LLS_OPT_CHOICE, "full", "a word", .choices = "full|relaxed"),
    LLS_OPTION(conf, path, LLS_OPT_PATH, "/var/lib/x", "a folder"),
    LLS_OPTION(conf, connection, LLS_OPT_CONNINFO, "host=localhost", "a server"),
    {0},
};

static bool holds(lls_str text, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= text.len; i++)
        if (memcmp(text.data + i, word, len) == 0)
            return true;
    return false;
}

/* Whatever follows a password, a part of it or not, the password is not shown. */
static void hide(lls_str rest)
{
    static const char *const begins[] = {
        "password=hunter2",           "host=x password = 'hunter2",        "postgresql://u:hunter2",
        "postgresql://u:hunter2@h/d", "postgresql://h/d?password=hunter2",
    };
    const lls_option *connection = lls_option_find(options, LLS_STR("connection"));

    for (size_t i = 0; i < LLS_COUNT(begins); i++) {
        LLS_AUTO(lls_buf) text = {0};
        LLS_AUTO(lls_buf) shown = {0};
        if (holds(rest, "hunter2"))
            return;
        lls_buf_add_text(&text, begins[i]);
        lls_buf_add_str(&text, rest);
        lls_option_show(connection, lls_buf_str(&text), &shown);
        must(!holds(lls_buf_str(&shown), "hunter2"));
        must(holds(lls_buf_str(&shown), "***"));
        must(lls_conninfo_has_password(lls_buf_str(&text)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    LLS_AUTO(lls_buf) value = {0};

    lls_buf_add(&value, (lls_bytes){data, size});
    for (const lls_option *opt = options; opt->name; opt++) {
        LLS_AUTO(lls_buf) memory = {0};
        lls_setting setting = {opt->name, lls_buf_cstr(&value), "here"};
        conf c = {0};
        lls_error err = {0};
        if (lls_options_fill(options, &setting, 1, &c, &memory, &err) == LLS_OK)
            must(c.text && c.choice && c.path && c.connection && c.size >= 1024);
        else
            must(err.msg[0] != '\0' && !c.path);
    }
    lls_setting unknown = {lls_buf_cstr(&value), "1", NULL};
    LLS_AUTO(lls_buf) memory = {0};
    conf c = {0};
    (void)!lls_options_fill(options, &unknown, 1, &c, &memory, NULL);
    hide(text_of(data, size));
    return 0;
}
