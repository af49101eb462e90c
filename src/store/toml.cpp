/* The one C++ file: it walks the tree that toml++ makes of a text. Nothing is thrown out of here.
 */
#include "store/toml.h"

// Some versions assert, or in optimised builds assume, what only a good text fulfils, right before
// they look for the mistake and report it. What is asserted must not end the program.
#undef NDEBUG
#define TOML_ASSERT(expr) static_cast<void>(0)
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <exception>
#include <new>
#include <string>
#include <vector>

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

/* A table on the way from the root to where the walk is. */
struct level {
    toml::table::const_iterator at;
    toml::table::const_iterator end;
    std::size_t prefix; /* bytes of the key that lead to it */
};

lls_err walk(const walker &w, const toml::table &root)
{
    std::vector<level> levels{{root.begin(), root.end(), 0}};
    std::string key;

    while (!levels.empty()) {
        level &top = levels.back();
        key.resize(top.prefix);
        if (top.at == top.end) {
            levels.pop_back();
            continue;
        }
        const auto &[name, node] = *top.at;
        ++top.at;
        if (!key.empty())
            key += '.';
        key += name.str();
        if (const auto *inner = node.as_table()) {
            levels.push_back({inner->begin(), inner->end(), key.size()});
            continue;
        }
        const lls_err e = tell(w, key, name, node);
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
    return walk(w, result.table());
}

} // namespace

lls_err lls_toml_read(lls_str text, lls_toml_each each, void *user, lls_error *err)
{
    if (text.len > LLS_TOML_MAX)
        return lls_fail(err, LLS_E_FULL, "%zu bytes are over the limit of %zu", text.len,
                        LLS_TOML_MAX);
    const lls_err e = lls_toml_check(text, err);
    if (e != LLS_OK)
        return e;
    try {
        return read(text, walker{each, user, err});
    } catch (const std::bad_alloc &) {
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    } catch (const std::exception &what) {
        return lls_fail(err, LLS_E_INTERNAL, "TOML reader: %s", what.what());
    } catch (...) {
        return lls_fail(err, LLS_E_INTERNAL, "TOML reader: unknown exception");
    }
}
