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
#include <string_view>
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

/* The column of a byte, in characters; lines and columns count from 1. */
unsigned column_of(std::string_view text, unsigned line, unsigned byte_column)
{
    std::size_t at = 0;
    for (unsigned i = 1; i < line; i++)
        at = text.find('\n', at) + 1;
    unsigned column = 1;
    for (unsigned i = 1; i < byte_column && at < text.size(); i++, at++)
        column += (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
    return column;
}

/*
 * Look for mistakes in the same text with a letter for every byte outside ASCII: in the error paths
 * of toml++ such characters reach a function that holds most of them to be impossible. Once the
 * form is right, lls_toml_check has seen to it that they stand in texts and comments only.
 */
lls_err check_form(std::string_view text, const walker &w)
{
    std::string ascii(text);
    for (char &c : ascii)
        if ((static_cast<unsigned char>(c) & 0x80) != 0)
            c = 'x';
    const toml::parse_result result = toml::parse(std::string_view(ascii));
    if (result)
        return LLS_OK;

    const toml::parse_error &what = result.error();
    const std::string message(what.description());
    const unsigned line = static_cast<unsigned>(what.source().begin.line);
    const unsigned column = static_cast<unsigned>(what.source().begin.column);
    return lls_fail(w.err, LLS_E_PARSE, "%u:%u: %s", line, column_of(text, line, column),
                    message.c_str());
}

lls_err read(lls_str whole, const walker &w)
{
    std::string_view text(whole.data, whole.len);
    if (text.substr(0, 3) == "\xef\xbb\xbf") // a byte order mark
        text.remove_prefix(3);

    const lls_err e = check_form(text, w);
    if (e != LLS_OK)
        return e;
    const toml::parse_result result = toml::parse(text);
    if (!result) {
        const std::string message(result.error().description());
        return lls_fail(w.err, LLS_E_PARSE, "%u:%u: %s",
                        static_cast<unsigned>(result.error().source().begin.line),
                        static_cast<unsigned>(result.error().source().begin.column),
                        message.c_str());
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
