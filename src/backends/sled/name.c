#include "backends/sled/name.h"

#include "backends/sled/reader.h"

enum { MARK = 0xff, IN_TREE = 1, TOO_LONG = 2 };

static void add_byte(lls_buf *out, uint8_t byte)
{
    lls_buf_add(out, (lls_bytes){&byte, 1});
}

static size_t escaped(lls_bytes tree)
{
    size_t len = tree.len;

    for (size_t i = 0; i < tree.len; i++)
        len += tree.data[i] == 0;
    return len;
}

sled_name sled_name_form(lls_bytes tree, lls_bytes key)
{
    bool is_default = lls_bytes_eq(tree, lls_bytes_of(LLS_STR(SLED_DEFAULT_TREE)));

    if (is_default && key.len > 0 && key.len <= LLS_KEY_MAX && key.data[0] != MARK)
        return SLED_NAME_PLAIN;
    return 4 + escaped(tree) + key.len <= LLS_KEY_MAX ? SLED_NAME_TREE : SLED_NAME_LONG;
}

static void write_digest(lls_bytes tree, lls_bytes key, lls_buf *out)
{
    const lls_bytes parts[] = {tree, key};
    lls_digest digest = lls_digest_of(parts, 2);

    add_byte(out, TOO_LONG);
    for (int i = 56; i >= 0; i -= 8)
        add_byte(out, (uint8_t)(digest.high >> i));
    for (int i = 56; i >= 0; i -= 8)
        add_byte(out, (uint8_t)(digest.low >> i));
}

void sled_name_write(lls_bytes tree, lls_bytes key, lls_buf *out)
{
    sled_name form = sled_name_form(tree, key);

    lls_buf_clear(out);
    if (form == SLED_NAME_PLAIN) {
        lls_buf_add(out, key);
        return;
    }
    add_byte(out, MARK);
    if (form == SLED_NAME_LONG) {
        write_digest(tree, key, out);
        return;
    }
    add_byte(out, IN_TREE);
    for (size_t i = 0; i < tree.len; i++) {
        add_byte(out, tree.data[i]);
        if (tree.data[i] == 0)
            add_byte(out, 0xff);
    }
    add_byte(out, 0);
    add_byte(out, 1);
    lls_buf_add(out, key);
}

bool sled_name_read(lls_bytes name, lls_buf *tree, lls_buf *key)
{
    lls_buf_clear(tree);
    lls_buf_clear(key);
    if (name.len < 4 || name.data[0] != MARK || name.data[1] != IN_TREE)
        return false;
    size_t i = 2;
    while (i + 1 < name.len && !(name.data[i] == 0 && name.data[i + 1] == 1)) {
        add_byte(tree, name.data[i]);
        i += name.data[i] == 0 ? 2 : 1;
    }
    if (i + 1 >= name.len)
        return false;
    lls_buf_add(key, (lls_bytes){name.data + i + 2, name.len - i - 2});
    return true;
}

static void add_length(lls_buf *out, size_t len)
{
    for (int i = 0; i < 32; i += 8)
        add_byte(out, (uint8_t)(len >> i));
}

void sled_envelope_write(lls_bytes tree, lls_bytes key, lls_bytes value, lls_buf *out)
{
    lls_buf_reserve(out, 9 + tree.len + key.len + value.len);
    add_byte(out, 1);
    add_length(out, tree.len);
    add_length(out, key.len);
    lls_buf_add(out, tree);
    lls_buf_add(out, key);
    lls_buf_add(out, value);
}
