#include "backends/sled/conf.h"

#include "backends/sled/wire.h"
#include "base/scope.h"

#include <libdeflate.h>

enum {
    CONF_MIN = 9,    /* what is shorter counts as none: the engine writes a new one */
    CONF_MAX = 4096, /* it has some sixty bytes */
    SEGMENT_MIN = 256,
    SEGMENT_MAX = 16 << 20,
};

typedef struct lines {
    lls_str segment_size;
    lls_str compression;
    lls_str version;
} lines;

/* One line, without its end. An unknown name is ignored, as the engine does. */
static bool take_line(lls_str line, lines *out)
{
    const char *colon = line.len ? memchr(line.data, ':', line.len) : NULL;

    if (!colon || (size_t)(colon - line.data) + 2 > line.len || colon[1] != ' ')
        return false;
    lls_str name = {line.data, (size_t)(colon - line.data)};
    lls_str value = {colon + 2, line.len - name.len - 2};
    if (lls_str_eq(name, LLS_STR("segment_size")))
        out->segment_size = value;
    else if (lls_str_eq(name, LLS_STR("use_compression")))
        out->compression = value;
    else if (lls_str_eq(name, LLS_STR("version")))
        out->version = value;
    return true;
}

static bool take_lines(lls_str text, lines *out)
{
    while (text.len > 0) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        if (!take_line((lls_str){text.data, len}, out))
            return false;
        size_t used = end ? len + 1 : len;
        text = (lls_str){text.data + used, text.len - used};
    }
    return out->segment_size.data && out->compression.data && out->version.data;
}

static bool parse_size(lls_str text, uint64_t *out)
{
    uint64_t size = 0;

    if (text.len == 0 || text.len > 9)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        size = size * 10 + (uint64_t)(text.data[i] - '0');
    }
    *out = size;
    return size >= SEGMENT_MIN && size <= SEGMENT_MAX && (size & (size - 1)) == 0;
}

static bool parse_flag(lls_str text, bool *out)
{
    *out = lls_str_eq(text, LLS_STR("true"));
    return *out || lls_str_eq(text, LLS_STR("false"));
}

lls_err sled_conf_parse(const sled_folder *folder, lls_bytes file, sled_conf *out, lls_error *err)
{
    sled_conf found;
    lines l = {0};

    if (file.len < CONF_MIN || file.len > CONF_MAX)
        return sled_damage(folder, "conf", 0, err, "a file of %zu bytes is no configuration",
                           file.len);
    size_t len = file.len - 4;
    if (libdeflate_crc32(0, file.data, len) != lls_little_get(file.data + len, 4))
        return sled_damage(folder, "conf", len, err, "the checksum is wrong");
    if (!take_lines((lls_str){(const char *)file.data, len}, &l))
        return sled_damage(folder, "conf", 0, err, "lines are missing or malformed");
    if (!lls_str_eq(l.version, LLS_STR("0.34")))
        return lls_fail(err, LLS_E_UNSUPPORTED,
                        "'%s/conf': written by sled " LLS_FMT ", this reads 0.34", folder->path,
                        LLS_ARG(l.version));
    if (!parse_size(l.segment_size, &found.segment_bytes))
        return sled_damage(folder, "conf", 0, err, "a segment size of '" LLS_FMT "'",
                           LLS_ARG(l.segment_size));
    if (!parse_flag(l.compression, &found.compressed))
        return sled_damage(folder, "conf", 0, err, "a compression of '" LLS_FMT "'",
                           LLS_ARG(l.compression));
    *out = found;
    return LLS_OK;
}

lls_err sled_conf_read(const sled_folder *folder, sled_conf *out, lls_error *err)
{
    LLS_AUTO(sled_file) file = {0};
    lls_err e = sled_folder_load(folder, "conf", &file, err);

    if (e != LLS_OK && e != LLS_E_NOTFOUND)
        return e;
    if (file.bytes.len >= CONF_MIN)
        return sled_conf_parse(folder, file.bytes, out, err);
    if (folder->db_bytes > 0) // without the segment size nothing can be read
        return sled_damage(folder, "conf", 0, err, "the file is %s, but there is a log",
                           e == LLS_OK ? "too short" : "missing");
    return lls_fail(err, LLS_E_NOTFOUND, "'%s' holds no sled database", folder->path);
}
