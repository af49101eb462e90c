-- Stages: where a migration collects records that nobody sees until it publishes them.
--
-- Each collection of a run has an unlogged table without an index in llmspell_stage. The
-- application may COPY into it and nothing else; what it needs to know, and the step from there
-- into the tables, is done by the functions below, for the tenant of the transaction only: they
-- run as their owner, who may be a superuser, so every statement names the tenant itself.

CREATE TABLE llmspell_stage.stage (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  text COLLATE "C" NOT NULL,
    run        text COLLATE "C" NOT NULL,
    collection text COLLATE "C" NOT NULL,
    published  boolean NOT NULL DEFAULT false, -- the truth when the answer to COMMIT was lost
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, run, collection)
);
REVOKE ALL ON llmspell_stage.stage FROM PUBLIC;

CREATE FUNCTION llmspell_stage.tenant() RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tenant text := current_setting('llmspell.current_tenant', true);
BEGIN
    IF tenant IS NULL OR tenant = '' THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'no tenant is set';
    END IF;
    RETURN tenant;
END
$$;

-- The id of the open stage, or NULL. Its table is llmspell_stage.s_<id>.
CREATE FUNCTION llmspell_stage.find(run text, collection text) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.id FROM llmspell_stage.stage AS s
    WHERE s.tenant_id = llmspell_stage.tenant() AND s.run = find.run
      AND s.collection = find.collection AND NOT s.published
$$;

-- Forget what `run` left, all of it or what it published.
CREATE FUNCTION llmspell_stage.discard(run text, published_only boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stage_id bigint;
BEGIN
    FOR stage_id IN
        DELETE FROM llmspell_stage.stage AS s
        WHERE s.tenant_id = llmspell_stage.tenant() AND s.run = discard.run
          AND (s.published OR NOT published_only)
        RETURNING s.id
    LOOP
        EXECUTE format('DROP TABLE IF EXISTS llmspell_stage.s_%s', stage_id);
    END LOOP;
END
$$;

-- Find or make the stage of a collection.
CREATE FUNCTION llmspell_stage.open(run text, collection text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tenant   text := llmspell_stage.tenant();
    stage_id bigint;
    relation text;
BEGIN
    IF run !~ '^[a-z0-9_]{1,40}$' OR collection !~ '^[a-z][a-z0-9_]{0,47}$' THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'not the name of a stage';
    END IF;
    stage_id := llmspell_stage.find(run, collection);
    IF stage_id IS NOT NULL THEN
        RETURN stage_id;
    END IF;
    INSERT INTO llmspell_stage.stage (tenant_id, run, collection)
        VALUES (tenant, run, collection) ON CONFLICT DO NOTHING RETURNING id INTO stage_id;
    IF stage_id IS NULL THEN -- made meanwhile, by a connection that we gave up
        RETURN llmspell_stage.find(run, collection);
    END IF;
    relation := format('llmspell_stage.s_%s', stage_id);
    EXECUTE format('CREATE UNLOGGED TABLE %s ('
                   ' key bytea NOT NULL, value json, value_raw bytea, version bigint NOT NULL,'
                   ' created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,'
                   ' expires_at timestamptz)'
                   ' WITH (autovacuum_enabled = off, toast.autovacuum_enabled = off)', relation);
    PERFORM llmspell.compress_values(relation::regclass);
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', relation);
    EXECUTE format('GRANT INSERT ON %s TO llmspell_app', relation);
    RETURN stage_id;
END
$$;

-- How far the stage got. The rows came in rising order, so the last one is at the end.
CREATE FUNCTION llmspell_stage.last(run text, collection text, OUT count bigint, OUT key bytea)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stage_id bigint := llmspell_stage.find(run, collection);
BEGIN
    count := 0;
    IF stage_id IS NOT NULL THEN
        EXECUTE format('SELECT count(*) FROM llmspell_stage.s_%s', stage_id) INTO count;
        EXECUTE format('SELECT s.key FROM llmspell_stage.s_%s AS s ORDER BY s.key DESC LIMIT 1',
                       stage_id) INTO key;
    END IF;
END
$$;

-- Bring the staged rows into the table of their collection. With `only`, nothing else stays there.
-- The scan must begin at the beginning: keys that rise keep the index append-friendly.
CREATE FUNCTION llmspell_stage.fill(run text, collection text, only_these boolean) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET synchronize_seqscans = off
AS $$
DECLARE
    tenant   text := llmspell_stage.tenant();
    stage_id bigint := llmspell_stage.find(run, collection);
    is_own   boolean := EXISTS (SELECT FROM llmspell.own_table AS o
                                WHERE o.collection = fill.collection);
    target   text := CASE WHEN is_own THEN format('llmspell.%I', collection)
                          ELSE 'llmspell.kv_store' END;
    space    text := CASE WHEN is_own THEN 'tenant_id = $1 AND $2 IS NOT NULL'
                          ELSE 'tenant_id = $1 AND collection = $2' END;
    columns  text := CASE WHEN is_own THEN 'tenant_id' ELSE 'tenant_id, collection' END;
    had_rows boolean;
    moved    bigint;
BEGIN
    IF stage_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'LS404', MESSAGE = 'there is no such stage';
    END IF;
    IF only_these THEN
        EXECUTE format('DELETE FROM %s WHERE %s', target, space) USING tenant, collection;
        had_rows := false;
    ELSE
        EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %s)', target, space)
            INTO had_rows USING tenant, collection;
    END IF;
    EXECUTE format(
        'INSERT INTO %s (%s, key, value, value_raw, version, created_at, updated_at, expires_at)'
        ' SELECT %s, key, value, value_raw, version, created_at, updated_at, expires_at'
        ' FROM llmspell_stage.s_%s %s',
        target, columns, CASE WHEN is_own THEN '$1' ELSE '$1, $2' END, stage_id,
        CASE WHEN had_rows THEN format(
            'ON CONFLICT (%s, key) DO UPDATE SET value = excluded.value,'
            ' value_raw = excluded.value_raw, version = excluded.version,'
            ' created_at = excluded.created_at, updated_at = excluded.updated_at,'
            ' expires_at = excluded.expires_at', columns) ELSE '' END)
        USING tenant, collection;
    GET DIAGNOSTICS moved = ROW_COUNT;
    RETURN moved;
END
$$;

-- Mark every collection of the run as published and drop their tables, with what `fill` did.
CREATE FUNCTION llmspell_stage.publish(run text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stage_id bigint;
BEGIN
    FOR stage_id IN
        UPDATE llmspell_stage.stage AS s SET published = true
        WHERE s.tenant_id = llmspell_stage.tenant() AND s.run = publish.run AND NOT s.published
        RETURNING s.id
    LOOP
        EXECUTE format('DROP TABLE IF EXISTS llmspell_stage.s_%s', stage_id);
    END LOOP;
END
$$;

-- Whether the run was published: asked on a new connection after the old one died in COMMIT.
CREATE FUNCTION llmspell_stage.is_published(run text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM llmspell_stage.stage AS s
                   WHERE s.tenant_id = llmspell_stage.tenant() AND s.run = is_published.run
                     AND s.published)
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA llmspell_stage FROM PUBLIC;
GRANT EXECUTE ON FUNCTION llmspell_stage.open(text, text), llmspell_stage.last(text, text),
    llmspell_stage.fill(text, text, boolean), llmspell_stage.publish(text),
    llmspell_stage.discard(text, boolean), llmspell_stage.is_published(text) TO llmspell_app;
