/* The one C++ file: it walks the tree that toml++ makes of a text. Nothing is thrown out of here.
 */
#include "store/toml.h"

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <new>
#include <string>

namespace
{

struct walker {
    lls_toml_each each;
    void *user;
    lls_error *err;
};

lls_str view(const std::string &s)
{
    return {s.data(), s.size()};
}

lls_err tell(const walker &w, const std::string &key, const toml::key &name, const toml::node &node)
{
    std::string text;
    lls_toml_type type = LLS_TOML_OTHER;

    if (const auto *s = node.as_string()) {
        text = s->get();
        type = LLS_TOML_STRING;
    } else if (const auto *i = node.as_integer()) {
        text = std::to_string(i->get());
        type = LLS_TOML_INTEGER;
    } else if (const auto *b = node.as_boolean()) {
        text = b->get() ? "true" : "false";
        type = LLS_TOML_BOOL;
    }
    const lls_toml_entry entry = {
        view(key),
        view(text),
        type,
        static_cast<uint32_t>(name.source().begin.line),
        static_cast<uint32_t>(name.source().begin.column),
        static_cast<uint32_t>(node.source().begin.line),
        static_cast<uint32_t>(node.source().begin.column),
    };
    return w.each(w.user, &entry, w.err);
}

/* toml++ itself limits how deep tables nest, so this recursion is bounded. */
lls_err walk(const walker &w, const std::string &prefix, const toml::table &table)
{
    for (const auto &[name, node] : table) {
        std::string key =
            prefix.empty() ? std::string(name.str()) : prefix + "." + std::string(name.str());
        lls_err e;
        if (const auto *inner = node.as_table())
            e = walk(w, key, *inner);
        else
            e = tell(w, key, name, node);
        if (e != LLS_OK)
            return e;
    }
    return LLS_OK;
}

lls_err read(lls_str text, const walker &w)
{
    const toml::parse_result result = toml::parse(std::string_view(text.data, text.len));

    if (!result) {
        const toml::parse_error &what = result.error();
        const std::string message(what.description());
        return lls_fail(w.err, LLS_E_PARSE, "%u:%u: %s",
                        static_cast<unsigned>(what.source().begin.line),
                        static_cast<unsigned>(what.source().begin.column), message.c_str());
    }
    return walk(w, std::string(), result.table());
}

} // namespace

lls_err lls_toml_read(lls_str text, lls_toml_each each, void *user, lls_error *err)
{
    if (text.len > LLS_TOML_MAX)
        return lls_fail(err, LLS_E_FULL, "%zu bytes are over the limit of %zu", text.len,
                        LLS_TOML_MAX);
    try {
        return read(text, walker{each, user, err});
    } catch (const std::bad_alloc &) {
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    }
}
