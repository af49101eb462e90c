#include "migrate/lock.h"

#include "base/json.h"
#include "base/scope.h"
#include "migrate/journal.h"
#include "migrate/phase.h"
#include "migrate/process.h"
#include "migrate/texts.h"
#include "ports/note.h"

#include <stdio.h>

/* Who holds the lock, as the record says. */
typedef struct holder {
    const char *run;
    const char *folder;
    const char *since;
    lls_process process;
    uint64_t version; /* of the record */
    lls_texts texts;
} holder;

static void holder_auto(holder *h)
{
    lls_texts_fini(&h->texts);
}

static lls_kv_space lock_space(lls_str tenant)
{
    return (lls_kv_space){tenant, LLS_STR(LLS_LOCK_COLL)};
}

static lls_bytes lock_key(void)
{
    return lls_bytes_of(LLS_STR("lock"));
}

static void add_member(lls_buf *out, const char *name, const char *text)
{
    lls_buf_printf(out, "%s\"%s\":", out->len ? "," : "{", name);
    lls_json_quote(lls_str_of(text), out);
}

static void write_record(const lls_lock_claim *claim, int64_t now_usec, lls_buf *out)
{
    lls_process self;
    char since[LLS_TIME_TEXT];

    lls_process_self(&self);
    lls_time_format(now_usec, since);
    add_member(out, "run", claim->run);
    add_member(out, "host", self.host);
    add_member(out, "boot", self.boot);
    lls_buf_printf(out, ",\"pid\":%lld,\"started\":%lld", (long long)self.pid,
                   (long long)self.started);
    add_member(out, "folder", claim->folder);
    add_member(out, "since", since);
    lls_buf_add_text(out, "}");
}

static lls_err read_text(lls_json_value record, const char *name, lls_texts *texts,
                         const char **out, lls_error *err)
{
    LLS_AUTO(lls_buf) plain = {0};
    lls_json_value value;

    if (!lls_json_member(record, lls_str_of(name), &value) || value.type != LLS_JSON_STRING)
        return lls_fail(err, LLS_E_CORRUPT, "the lock of the target has no '%s'", name);
    lls_json_unescape(value.text, &plain);
    LLS_TRY(lls_buf_status(&plain, err));
    return lls_texts_keep(texts, lls_buf_cstr(&plain), out, err);
}

static lls_err read_number(lls_json_value record, const char *name, int64_t *out, lls_error *err)
{
    lls_json_value value;
    char digits[32];

    if (!lls_json_member(record, lls_str_of(name), &value) || value.type != LLS_JSON_NUMBER ||
        value.text.len >= sizeof(digits))
        return lls_fail(err, LLS_E_CORRUPT, "the lock of the target has no '%s'", name);
    memcpy(digits, value.text.data, value.text.len);
    digits[value.text.len] = '\0';
    *out = strtoll(digits, NULL, 10);
    return LLS_OK;
}

static lls_err read_record(lls_str text, holder *out, lls_error *err)
{
    lls_json_value record;
    const char *host;
    const char *boot;

    LLS_TRY(lls_json_check(text, &record, err));
    if (record.type != LLS_JSON_OBJECT)
        return lls_fail(err, LLS_E_CORRUPT, "the lock of the target is no object");
    LLS_TRY(read_text(record, "run", &out->texts, &out->run, err));
    LLS_TRY(read_text(record, "folder", &out->texts, &out->folder, err));
    LLS_TRY(read_text(record, "since", &out->texts, &out->since, err));
    LLS_TRY(read_text(record, "host", &out->texts, &host, err));
    LLS_TRY(read_text(record, "boot", &out->texts, &boot, err));
    LLS_TRY(read_number(record, "pid", &out->process.pid, err));
    LLS_TRY(read_number(record, "started", &out->process.started, err));
    (void)snprintf(out->process.host, sizeof(out->process.host), "%s", host);
    (void)snprintf(out->process.boot, sizeof(out->process.boot), "%s", boot);
    return LLS_OK;
}

/* LLS_E_NOTFOUND when nobody holds it. */
static lls_err look(lls_kv *kv, lls_str tenant, holder *out, lls_error *err)
{
    LLS_AUTO(lls_buf) record = {0};
    lls_kv_meta meta;

    LLS_TRY(lls_note_get(kv, lock_space(tenant), lock_key(), &record, &meta, err));
    out->version = meta.version;
    return read_record(lls_buf_str(&record), out, err);
}

static lls_err note_phase(void *user, const lls_entry *entry, lls_error *err)
{
    (void)err;
    if (entry->type == LLS_ENTRY_PHASE)
        *(lls_phase *)user = entry->phase;
    return LLS_OK;
}

typedef enum condition {
    AT_WORK,     /* a process is at it, or may be */
    INTERRUPTED, /* nobody is, and the run is neither done nor undone */
    FINISHED,    /* nobody is, and nothing is left to do */
} condition;

/* Of a holder on this host. Its folder's journal knows best; without it, its process. */
static condition condition_of(const holder *h, bool *folder_is_there)
{
    LLS_AUTO(lls_buf) path = {0};
    lls_phase phase = LLS_PHASE_PLANNED;

    lls_buf_printf(&path, "%s/journal", h->folder);
    const char *journal = lls_buf_cstr(&path);
    *folder_is_there = lls_journal_read(journal, note_phase, &phase, NULL) == LLS_OK;
    if (!*folder_is_there)
        return lls_process_lives(&h->process) ? AT_WORK : INTERRUPTED;
    if (lls_journal_is_open(journal))
        return AT_WORK;
    return lls_phase_is_final(phase) ? FINISHED : INTERRUPTED;
}

static lls_err held(const holder *h, lls_error *err)
{
    return lls_fail(err, LLS_E_BUSY,
                    "another migration holds the target: run %s by pid %lld on host %s since %s "
                    "(folder %s)",
                    h->run, (long long)h->process.pid, h->process.host, h->since, h->folder);
}

/* Whether `claim` may take the lock over from `h`. */
static lls_err judge(const holder *h, const lls_lock_claim *claim, lls_error *err)
{
    bool ours = claim->run && strcmp(h->run, claim->run) == 0;
    bool folder_is_there;
    lls_process self;

    lls_process_self(&self);
    if (!lls_process_same_host(&h->process, &self))
        return claim->force ? LLS_OK : held(h, err);
    if (ours && strcmp(h->folder, claim->folder) == 0)
        return LLS_OK; // we have its journal open, so nobody else has

    condition c = condition_of(h, &folder_is_there);
    if (c == AT_WORK)
        return held(h, err);
    if (ours || c == FINISHED || (claim->force && !folder_is_there))
        return LLS_OK;
    return lls_fail(err, LLS_E_BUSY,
                    "run %s was interrupted and still holds the target: resume it or roll it back "
                    "(folder %s%s)",
                    h->run, h->folder, folder_is_there ? "" : ", which is not there");
}

lls_err lls_lock_probe(lls_kv *target, const lls_lock_claim *claim, lls_error *err)
{
    LLS_AUTO(holder) h = {0};

    lls_err e = look(target, claim->tenant, &h, err);
    if (e == LLS_E_NOTFOUND)
        return LLS_OK;
    return e == LLS_OK ? judge(&h, claim, err) : e;
}

/* LLS_E_EXISTS and LLS_E_CONFLICT: somebody was faster, look again. */
static lls_err try_once(lls_kv *target, const lls_lock_claim *claim, lls_error *err)
{
    LLS_AUTO(holder) h = {0};
    LLS_AUTO(lls_buf) record = {0};
    lls_kv_write write = {
        .verb = LLS_KV_CREATE, .coll = lock_space(claim->tenant).coll, .key = lock_key()};

    lls_err e = look(target, claim->tenant, &h, err);
    if (e != LLS_OK && e != LLS_E_NOTFOUND)
        return e;
    if (e == LLS_OK) {
        LLS_TRY(judge(&h, claim, err));
        write.verb = LLS_KV_REPLACE;
        write.meta.version = h.version;
    }
    write_record(claim, lls_kv_now(target), &record);
    LLS_TRY(lls_buf_status(&record, err));
    return lls_note_apply(target, claim->tenant, write, lls_buf_str(&record), err);
}

lls_err lls_lock_take(lls_kv *target, const lls_lock_claim *claim, lls_error *err)
{
    lls_err e = LLS_E_EXISTS;

    for (int i = 0; i < 3 && (e == LLS_E_EXISTS || e == LLS_E_CONFLICT); i++)
        e = try_once(target, claim, err);
    if (e == LLS_E_EXISTS || e == LLS_E_CONFLICT)
        return lls_fail(err, LLS_E_BUSY, "others keep taking the lock of the target");
    return e == LLS_OK || e == LLS_E_BUSY ? e : lls_wrap(err, e, "take the lock of the target");
}

lls_err lls_lock_is_held_by(lls_kv *kv, lls_str tenant, const char *run, bool *out, lls_error *err)
{
    LLS_AUTO(holder) h = {0};

    lls_err e = look(kv, tenant, &h, err);
    if (e != LLS_OK && e != LLS_E_NOTFOUND)
        return e;
    *out = e == LLS_OK && strcmp(h.run, run) == 0;
    return LLS_OK;
}

lls_err lls_lock_release(lls_kv *target, lls_str tenant, const char *run, lls_error *err)
{
    LLS_AUTO(holder) h = {0};

    lls_err e = look(target, tenant, &h, err);
    if (e == LLS_E_NOTFOUND || (e == LLS_OK && strcmp(h.run, run) != 0))
        return LLS_OK;
    if (e == LLS_OK) {
        lls_kv_write write = {.verb = LLS_KV_DELETE,
                              .coll = lock_space(tenant).coll,
                              .key = lock_key(),
                              .meta = {.version = h.version}};
        e = lls_kv_apply(target, tenant, &write, 1, err);
    }
    if (e == LLS_OK || e == LLS_E_CONFLICT) // taken over meanwhile: no longer ours to give back
        return LLS_OK;
    return lls_wrap(err, e, "give back the lock of the target");
}
