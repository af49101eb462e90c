#include "backends/sled/reader.h"

#include "backends/sled/db.h"
#include "backends/sled/recover.h"
#include "backends/sled/walk.h"
#include "base/alloc.h"
#include "base/scope.h"

#include <inttypes.h>
#include <stdio.h>

static void take_facts(sled_db *db, const sled_recovery *found)
{
    sled_facts *facts = &db->facts;
    sled_pages_totals total = sled_pages_total(found->pages);

    facts->segment_bytes = db->conf.segment_bytes;
    facts->compressed = db->conf.compressed;
    facts->db_bytes = db->folder.db_bytes;
    facts->slots = found->segments.slots;
    facts->segments = found->replayed;
    facts->has_snapshot = found->snapshot.name[0] != '\0';
    (void)snprintf(facts->snapshot, sizeof(facts->snapshot), "%s", found->snapshot.name);
    facts->snapshot_lsn = found->snapshot.lsn;
    facts->stable_lsn = found->segments.stable;
    facts->tip_lsn = found->tip;
    facts->live_pages = total.live;
    facts->free_pages = total.free;
    facts->parts = total.parts;
    facts->live_blobs = total.blobs;
}

/* Pages are numbered without gaps. One that nobody ever wrote was lost with the end of the log. */
static void look_for_gaps(sled_recovery *found)
{
    sled_pages_totals total = sled_pages_total(found->pages);

    if (total.unknown > 0)
        sled_tear_note(&found->tear, 0, "page %" PRIu64 " was never written, later ones were",
                       total.first_unknown);
}

static lls_err judge_tear(sled_db *db, sled_tail tail, const sled_tear *tear, lls_error *err)
{
    if (!tear->found)
        return LLS_OK;
    if (tail == SLED_TAIL_REFUSE)
        return sled_damage(&db->folder, "db", tear->offset, err, "torn tail: %s", tear->text);
    db->facts.torn = true;
    (void)snprintf(db->facts.torn_text, sizeof(db->facts.torn_text), "%s", tear->text);
    return LLS_OK;
}

static lls_err recover(sled_db *db, sled_tail tail, lls_error *err)
{
    sled_recovery found;
    lls_err e = sled_recover(&db->folder, &db->conf, &found, err);

    if (e == LLS_OK) {
        look_for_gaps(&found);
        e = judge_tear(db, tail, &found.tear, err);
    }
    if (e == LLS_OK) {
        take_facts(db, &found);
        db->pages = found.pages;
        found.pages = NULL;
    }
    sled_recovery_fini(&found);
    return e;
}

static lls_err open_folder(sled_db *db, const char *path, sled_tail tail, lls_error *err)
{
    LLS_TRY(sled_folder_open(path, &db->folder, err));
    LLS_TRY(sled_conf_read(&db->folder, &db->conf, err));
    LLS_TRY(recover(db, tail, err));
    db->source = (sled_source){&db->folder, &db->conf, db->pages};
    return sled_meta_load(db, err);
}

lls_err sled_open(const char *path, sled_tail tail, sled_db **out, lls_error *err)
{
    sled_db *db = lls_alloc(sizeof(*db));

    if (!db)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    lls_err e = open_folder(db, path, tail, err);
    if (e == LLS_OK)
        *out = db;
    else
        sled_close(db);
    return e;
}

void sled_close(sled_db *db)
{
    if (!db)
        return;
    sled_page_fini(&db->meta);
    lls_free(db->trees);
    sled_pages_free(db->pages);
    sled_folder_close(&db->folder);
    lls_free(db);
}

bool sled_is_database(const char *path)
{
    sled_folder folder;
    sled_conf conf;
    lls_error ignored = {0};
    lls_err e = sled_folder_open(path, &folder, &ignored);

    if (e == LLS_OK)
        e = sled_conf_read(&folder, &conf, &ignored);
    sled_folder_close(&folder);
    return e == LLS_OK || e == LLS_E_CORRUPT || e == LLS_E_BUSY || e == LLS_E_UNSUPPORTED;
}

bool sled_holds_nothing(const char *path)
{
    sled_folder folder;
    lls_error ignored = {0};
    lls_err e = sled_folder_open(path, &folder, &ignored);
    bool nothing = e == LLS_OK && folder.db_bytes == 0;

    sled_folder_close(&folder);
    return nothing;
}

const sled_facts *sled_facts_of(const sled_db *db)
{
    return &db->facts;
}

const char *sled_path(const sled_db *db)
{
    return db->folder.path;
}

lls_err sled_tree_at(const sled_db *db, size_t index, lls_bytes *name)
{
    if (index >= db->tree_count)
        return LLS_END;
    *name = db->trees[index].name;
    return LLS_OK;
}

bool sled_tree_exists(const sled_db *db, lls_bytes tree)
{
    return sled_tree_find(db, tree) != NULL;
}
