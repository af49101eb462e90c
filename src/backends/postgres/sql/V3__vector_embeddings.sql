-- Records of the vector port: an embedding, a text and metadata.
--
-- llmspell.vector_embeddings has what all records have in common and no row of its own. For each
-- dimension there is a table vector_embeddings_<dim> below it that adds the embedding;
-- vector_embeddings_0 has the records without one. Those of 384, 768, 1024 and 1536 are here from
-- the start; any other is made when its first record comes. With the extension pgvector an
-- embedding is a vector(<dim>), otherwise a float4[] (so is one of more than 16,000).
--
-- An id is unique in its whole collection, not in its table alone: who writes to a collection
-- holds its advisory lock alone.

-- The tenant of this transaction, for functions that run as their owner.
CREATE FUNCTION llmspell.required_tenant() RETURNS text
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
REVOKE ALL ON FUNCTION llmspell.required_tenant() FROM PUBLIC;

-- Each tenant sees its own rows only, also when the owner asks; the application may do what
-- `privileges` says.
CREATE FUNCTION llmspell.bind_tenant(target regclass, privileges text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', target);
    EXECUTE format('GRANT %s ON %s TO llmspell_app', privileges, target);
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY tenant_isolation ON %s'
        ' USING (tenant_id = (SELECT current_setting(''llmspell.current_tenant'', true)))'
        ' WITH CHECK (tenant_id = (SELECT current_setting(''llmspell.current_tenant'', true)))',
        target);
END
$$;
REVOKE ALL ON FUNCTION llmspell.bind_tenant(regclass, text) FROM PUBLIC;

-- What the first record of an embedding space declared. `indexed` says which index the space has:
-- 'hnsw', 'hnsw halfvec', 'vchordrq' with the number of its lists; NULL for none.
CREATE TABLE llmspell.vector_spaces (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  text COLLATE "C" NOT NULL,
    collection text COLLATE "C" NOT NULL,
    model      text COLLATE "C" NOT NULL, -- '': the space without a name of this dimension
    dim        integer NOT NULL CHECK (dim BETWEEN 1 AND 16384),
    metric     smallint NOT NULL CHECK (metric BETWEEN 0 AND 3), -- cosine, l2, ip, l1
    normalised boolean NOT NULL,
    indexed    text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX vector_spaces_name ON llmspell.vector_spaces
    (tenant_id, collection, model, (CASE WHEN model = '' THEN dim ELSE 0 END));
SELECT llmspell.bind_tenant('llmspell.vector_spaces', 'SELECT');

-- facets and ordered are made from the metadata by the writer, so that filters need not read it:
-- 64-bit hashes of (tenant, collection, path, value) and of their existence; and numbers and the
-- beginnings of texts by the hash of their path. A filter looks there first, and at the metadata
-- for certain.
CREATE TABLE llmspell.vector_embeddings (
    tenant_id   text COLLATE "C" NOT NULL,
    collection  text COLLATE "C" NOT NULL,
    id          bytea NOT NULL,
    dim         integer NOT NULL,
    space_id    bigint, -- NULL without an embedding
    scope       text COLLATE "C" NOT NULL,
    content     text,   -- the text; in content_raw when it has a character that text cannot hold
    content_raw bytea,
    metadata    json NOT NULL, -- as it was written, byte for byte
    event_at    timestamptz NOT NULL,
    version     bigint NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    expires_at  timestamptz,
    facets      bigint[] NOT NULL,
    ordered     jsonb,
    CONSTRAINT vector_embeddings_one_text CHECK ((content IS NULL) <> (content_raw IS NULL)),
    CONSTRAINT vector_embeddings_no_rows CHECK (false) NO INHERIT
);
SELECT llmspell.bind_tenant('llmspell.vector_embeddings', 'SELECT, UPDATE, DELETE');

-- Where the words and facets of a record are looked up. Row-level security would keep every index
-- over arrays from being used (their operators are not leakproof), so the application has no right
-- to this table at all: functions below read and write it, for the tenant of the transaction.
CREATE TABLE llmspell.vector_terms (
    tenant_id  text COLLATE "C" NOT NULL,
    collection text COLLATE "C" NOT NULL,
    id         bytea NOT NULL,
    facets     bigint[] NOT NULL,
    words      bigint[],  -- hashes of (tenant, collection, word), each once
    counts     integer[], -- how often each of them is there
    total      integer NOT NULL, -- how many words the text has
    PRIMARY KEY (tenant_id, collection, id)
);
CREATE INDEX vector_terms_facets ON llmspell.vector_terms USING gin (facets);
CREATE INDEX vector_terms_words ON llmspell.vector_terms USING gin (words) WHERE total > 0;
CREATE INDEX vector_terms_total ON llmspell.vector_terms (tenant_id, collection) INCLUDE (total)
    WHERE total > 0;
REVOKE ALL ON llmspell.vector_terms FROM PUBLIC;
ALTER TABLE llmspell.vector_terms ENABLE ROW LEVEL SECURITY; -- and no policy: the owner alone

-- The type vector of the extension with its schema, or NULL when it is not in this database.
CREATE FUNCTION llmspell.vector_type() RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('%I.vector', n.nspname)
    FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
    WHERE e.extname = 'vector'
$$;
REVOKE ALL ON FUNCTION llmspell.vector_type() FROM PUBLIC;

-- How the embeddings of a dimension are declared.
CREATE FUNCTION llmspell.embedding_type(dim integer) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN dim <= 16000 AND llmspell.vector_type() IS NOT NULL
                THEN format('%s(%s)', llmspell.vector_type(), dim) ELSE 'float4[]' END
$$;
REVOKE ALL ON FUNCTION llmspell.embedding_type(integer) FROM PUBLIC;

-- Make the table of a dimension, unless it is there.
CREATE FUNCTION llmspell.vector_table(dim integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name   text := format('vector_embeddings_%s', dim);
    target text := format('llmspell.%I', name);
    -- Up to here an embedding has room in its row, where an exact search finds it fastest.
    inline boolean := dim BETWEEN 1 AND 1536;
BEGIN
    IF dim IS NULL OR dim < 0 OR dim > 16384 THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'not a dimension';
    END IF;
    IF to_regclass(target) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('llmspell.vector_table', 0));
    -- Who held the lock may have made it: to_regclass remembers that it was not there.
    IF EXISTS (SELECT FROM pg_class AS c
               WHERE c.relnamespace = 'llmspell'::regnamespace AND c.relname = name) THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE %s (%s CHECK (dim = %s), PRIMARY KEY (tenant_id, collection, id))'
                   ' INHERITS (llmspell.vector_embeddings) WITH (toast_tuple_target = %s)',
                   target,
                   CASE WHEN dim > 0 THEN format('embedding %s NOT NULL,',
                                                 llmspell.embedding_type(dim)) ELSE '' END,
                   dim, CASE WHEN inline THEN least(8160, 4 * dim + 1400) ELSE 2040 END);
    IF inline THEN
        EXECUTE format('ALTER TABLE %s ALTER embedding SET STORAGE PLAIN', target);
    ELSIF dim > 0 THEN
        EXECUTE format('ALTER TABLE %s ALTER embedding SET STORAGE EXTERNAL', target);
    END IF;
    EXECUTE format('CREATE INDEX %I ON %s (tenant_id, collection, event_at, id)'
                   ' INCLUDE (expires_at, space_id)', name || '_event', target);
    PERFORM llmspell.bind_tenant(target::regclass, 'SELECT, INSERT, UPDATE, DELETE');
END
$$;
REVOKE ALL ON FUNCTION llmspell.vector_table(integer) FROM PUBLIC;

-- Use pgvector where it can be had: make the extension if this login may, and give the embeddings
-- its type. For administrators; 'llmspell storage schema apply' calls it every time.
CREATE FUNCTION llmspell.vector_adopt() RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    dim  integer;
    home text;
BEGIN
    IF llmspell.vector_type() IS NULL
       AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
        BEGIN
            EXECUTE format('CREATE EXTENSION vector WITH SCHEMA %I',
                           CASE WHEN to_regnamespace('public') IS NULL THEN 'llmspell'
                                ELSE 'public' END);
        EXCEPTION
            WHEN insufficient_privilege OR undefined_file OR duplicate_object THEN
                NULL; -- `info` says what to run
        END;
    END IF;
    IF llmspell.vector_type() IS NULL THEN
        RETURN;
    END IF;
    BEGIN
        SELECT e.extnamespace::regnamespace::text INTO home
        FROM pg_extension AS e WHERE e.extname = 'vector'
          AND NOT has_schema_privilege('llmspell_app', e.extnamespace, 'USAGE');
        IF home IS NOT NULL THEN
            EXECUTE format('GRANT USAGE ON SCHEMA %s TO llmspell_app', home);
        END IF;
    EXCEPTION
        WHEN insufficient_privilege THEN
            NULL; -- it is somebody else's schema
    END;
    FOR dim IN
        SELECT substring(c.relname FROM '^vector_embeddings_([1-9][0-9]*)$')::integer
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'llmspell'::regnamespace AND c.relkind = 'r'
          AND a.attname = 'embedding' AND a.atttypid = 'float4[]'::regtype
          AND c.relname ~ '^vector_embeddings_[1-9][0-9]*$'
    LOOP
        CONTINUE WHEN dim > 16000;
        EXECUTE format('ALTER TABLE llmspell.vector_embeddings_%s ALTER embedding TYPE %s'
                       ' USING embedding::%s', dim, llmspell.embedding_type(dim),
                       llmspell.embedding_type(dim));
        EXECUTE format('ALTER TABLE llmspell.vector_embeddings_%s ALTER embedding SET STORAGE %s',
                       dim, CASE WHEN dim <= 1536 THEN 'PLAIN' ELSE 'EXTERNAL' END);
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION llmspell.vector_adopt() FROM PUBLIC;

SELECT llmspell.vector_adopt();
SELECT llmspell.vector_table(dim) FROM unnest('{0, 384, 768, 1024, 1536}'::integer[]) AS dim;

-- Find or declare a space, and see that its table is there. The caller has looked before whether
-- another declaration stands under its name.
CREATE FUNCTION llmspell.vector_space(coll text, model text, dim integer, metric integer,
                                      normalised boolean) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tenant text := llmspell.required_tenant();
    found  llmspell.vector_spaces;
BEGIN
    INSERT INTO llmspell.vector_spaces (tenant_id, collection, model, dim, metric, normalised)
        VALUES (tenant, coll, vector_space.model, vector_space.dim, vector_space.metric,
                vector_space.normalised) ON CONFLICT DO NOTHING;
    SELECT s.* INTO STRICT found FROM llmspell.vector_spaces AS s
    WHERE s.tenant_id = tenant AND s.collection = coll AND s.model = vector_space.model
      AND (s.model <> '' OR s.dim = vector_space.dim);
    IF found.dim <> vector_space.dim OR found.metric <> vector_space.metric
       OR found.normalised <> vector_space.normalised THEN
        RAISE EXCEPTION USING ERRCODE = 'LS412', MESSAGE = format(
            'the space ''%s'' was declared otherwise: %s dimensions, given: %s',
            coalesce(nullif(found.model, ''), 'dim:' || found.dim), found.dim, vector_space.dim);
    END IF;
    PERFORM llmspell.vector_table(dim);
    RETURN found.id;
END
$$;

-- Keep the words and facets of one record.
CREATE FUNCTION llmspell.vector_terms_put(coll text, id bytea, facets bigint[], words bigint[],
                                          counts integer[], total integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO llmspell.vector_terms AS t
        VALUES (llmspell.required_tenant(), $1, $2, $3, $4, $5, $6)
    ON CONFLICT (tenant_id, collection, id) DO UPDATE
        SET facets = excluded.facets, words = excluded.words, counts = excluded.counts,
            total = excluded.total
$$;

CREATE FUNCTION llmspell.vector_terms_refacet(coll text, id bytea, facets bigint[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE llmspell.vector_terms AS t SET facets = $3
    WHERE t.tenant_id = llmspell.required_tenant() AND t.collection = $1 AND t.id = $2
$$;

CREATE FUNCTION llmspell.vector_terms_drop(coll text, ids bytea[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    DELETE FROM llmspell.vector_terms AS t
    WHERE t.tenant_id = llmspell.required_tenant() AND t.collection = $1 AND t.id = ANY ($2)
$$;

-- Forget the spaces of a collection that no record lies in any more.
CREATE FUNCTION llmspell.vector_spaces_tidy(coll text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    DELETE FROM llmspell.vector_spaces AS s
    WHERE s.tenant_id = llmspell.required_tenant() AND s.collection = $1
      AND NOT EXISTS (SELECT FROM llmspell.vector_embeddings AS r
                      WHERE r.tenant_id = s.tenant_id AND r.collection = $1
                        AND r.space_id = s.id)
$$;

-- Forget a collection with its spaces. What is left of their indexes goes with vector_tidy.
CREATE FUNCTION llmspell.vector_clear(coll text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tenant text := llmspell.required_tenant();
BEGIN
    DELETE FROM llmspell.vector_embeddings WHERE tenant_id = tenant AND collection = coll;
    DELETE FROM llmspell.vector_terms WHERE tenant_id = tenant AND collection = coll;
    DELETE FROM llmspell.vector_spaces WHERE tenant_id = tenant AND collection = coll;
END
$$;

-- The records that have one facet of each group, at most `most` of them: `wanted` holds the groups
-- one after the other, and `sizes` how many facets each has.
CREATE FUNCTION llmspell.vector_having(coll text, wanted bigint[], sizes bigint[], most bigint)
    RETURNS SETOF bytea
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    conditions text := '';
    first      bigint := 1;
    size       bigint;
BEGIN
    FOREACH size IN ARRAY sizes LOOP
        conditions := conditions || format(' AND t.facets && %L::bigint[]',
                                           wanted[first:first + size - 1]);
        first := first + size;
    END LOOP;
    RETURN QUERY EXECUTE
        'SELECT t.id FROM llmspell.vector_terms AS t WHERE t.tenant_id = $1 AND t.collection = $2'
        || conditions || ' LIMIT $3'
        USING llmspell.required_tenant(), coll, most;
END
$$;

-- The `most` records that fit words best: BM25 as src/text/bm25.h defines it, to the last bit.
-- `wanted` has each word once, in the order of the sum.
CREATE FUNCTION llmspell.vector_words(coll text, wanted bigint[], most bigint)
    RETURNS TABLE (id bytea, score real)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH whole AS (
        SELECT count(*)::double precision AS texts,
               sum(t.total)::double precision / nullif(count(*), 0)::double precision AS average
        FROM llmspell.vector_terms AS t
        WHERE t.tenant_id = llmspell.required_tenant() AND t.collection = $1 AND t.total > 0
    ), found AS MATERIALIZED (
        SELECT t.id, t.total::double precision AS length, w.place,
               t.counts[array_position(t.words, w.word)]::double precision AS f
        FROM llmspell.vector_terms AS t, unnest($2) WITH ORDINALITY AS w (word, place)
        WHERE t.tenant_id = llmspell.required_tenant() AND t.collection = $1 AND t.total > 0
          AND t.words && $2 AND t.words @> ARRAY[w.word]
    ), worth AS (
        SELECT f.place, ln(1::double precision + (w.texts - count(*)::double precision + 0.5)
                                                 / (count(*)::double precision + 0.5)) AS idf
        FROM found AS f, whole AS w GROUP BY f.place, w.texts
    )
    SELECT f.id, sum(w.idf * (f.f * 2.2::double precision
                              / (f.f + 1.2::double precision
                                       * (0.25::double precision
                                          + 0.75::double precision * f.length / a.average)))
                     ORDER BY f.place)::real
    FROM found AS f JOIN worth AS w USING (place), whole AS a
    GROUP BY f.id ORDER BY 2 DESC, 1 LIMIT $3
$$;

-- The statement that makes the index of a space. `lists` is for vchordrq alone: its partitions.
CREATE FUNCTION llmspell.vector_index_sql(space_id bigint, dim integer, metric integer, kind text,
                                          lists integer, vector_schema text, vchord_schema text)
    RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ops  text := (ARRAY['cosine', 'l2', 'ip'])[metric + 1];
    what text;
BEGIN
    IF ops IS NULL OR kind NOT IN ('hnsw', 'hnsw halfvec', 'vchordrq') THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'no index can be made for this space';
    END IF;
    what := CASE kind
        WHEN 'hnsw' THEN format('hnsw (embedding %I.vector_%s_ops)'
                                ' WITH (m = 16, ef_construction = 100)', vector_schema, ops)
        WHEN 'hnsw halfvec' THEN format('hnsw ((embedding::%I.halfvec(%s)) %I.halfvec_%s_ops)'
                                        ' WITH (m = 16, ef_construction = 100)',
                                        vector_schema, dim, vector_schema, ops)
        ELSE format('vchordrq (embedding %I.vector_%s_ops) WITH (options = %L)',
                    vchord_schema, ops,
                    format(E'residual_quantization = %s\n[build.internal]\nlists = [%s]\n'
                           'spherical_centroids = %s\nbuild_threads = 2\n',
                           ops = 'l2', CASE WHEN lists > 1 THEN lists::text ELSE '' END,
                           ops <> 'l2'))
        END;
    RETURN format('CREATE INDEX vector_embeddings_%s_s%s ON llmspell.vector_embeddings_%s USING %s'
                  ' WHERE space_id = %s', dim, space_id, dim, what, space_id);
END
$$;

-- Make the index of a space of the tenant's. Writers of this dimension wait meanwhile.
CREATE FUNCTION llmspell.vector_index(space_id bigint, kind text, lists integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tenant text := llmspell.required_tenant();
    space  llmspell.vector_spaces;
    room   bigint;
BEGIN
    SELECT s.* INTO space FROM llmspell.vector_spaces AS s
    WHERE s.id = vector_index.space_id AND s.tenant_id = tenant FOR UPDATE;
    IF NOT FOUND OR space.indexed IS NOT NULL THEN
        RETURN;
    END IF;
    -- A graph that has no room in memory takes ten times as long to build.
    EXECUTE format('SELECT least(2000000, count(*) * %s / 1024) FROM llmspell.vector_embeddings_%s'
                   ' WHERE tenant_id = $1 AND collection = $2', 4 * space.dim + 400, space.dim)
        INTO room USING tenant, space.collection;
    PERFORM set_config('maintenance_work_mem', greatest(
        room, pg_size_bytes(current_setting('maintenance_work_mem')) / 1024)::text || 'kB', true);
    EXECUTE llmspell.vector_index_sql(
        space.id, space.dim, space.metric, kind, lists,
        (SELECT n.nspname::text FROM pg_extension AS e JOIN pg_namespace AS n
         ON n.oid = e.extnamespace WHERE e.extname = 'vector'),
        (SELECT n.nspname::text FROM pg_extension AS e JOIN pg_namespace AS n
         ON n.oid = e.extnamespace WHERE e.extname = 'vchord'));
    EXECUTE format('ANALYZE llmspell.vector_embeddings_%s', space.dim);
    UPDATE llmspell.vector_spaces AS s
    SET indexed = CASE kind WHEN 'vchordrq' THEN format('%s %s', kind, lists) ELSE kind END
    WHERE s.id = space.id;
END
$$;

-- Drop the indexes of spaces that are no more. They hold nothing of anybody.
CREATE FUNCTION llmspell.vector_tidy() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT c.relname FROM pg_class AS c
        WHERE c.relnamespace = 'llmspell'::regnamespace AND c.relkind = 'i'
          AND c.relname ~ '^vector_embeddings_[0-9]+_s[0-9]+$'
          AND NOT EXISTS (SELECT FROM llmspell.vector_spaces AS s
                          WHERE s.id = substring(c.relname FROM '_s([0-9]+)$')::bigint)
    LOOP
        EXECUTE format('DROP INDEX IF EXISTS llmspell.%I', name);
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION llmspell.vector_space(text, text, integer, integer, boolean),
    llmspell.vector_terms_put(text, bytea, bigint[], bigint[], integer[], integer),
    llmspell.vector_terms_refacet(text, bytea, bigint[]),
    llmspell.vector_terms_drop(text, bytea[]), llmspell.vector_spaces_tidy(text),
    llmspell.vector_clear(text), llmspell.vector_having(text, bigint[], bigint[], bigint),
    llmspell.vector_words(text, bigint[], bigint),
    llmspell.vector_index_sql(bigint, integer, integer, text, integer, text, text),
    llmspell.vector_index(bigint, text, integer), llmspell.vector_tidy() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION llmspell.vector_space(text, text, integer, integer, boolean),
    llmspell.vector_terms_put(text, bytea, bigint[], bigint[], integer[], integer),
    llmspell.vector_terms_refacet(text, bytea, bigint[]),
    llmspell.vector_terms_drop(text, bytea[]), llmspell.vector_spaces_tidy(text),
    llmspell.vector_clear(text), llmspell.vector_having(text, bigint[], bigint[], bigint),
    llmspell.vector_words(text, bigint[], bigint),
    llmspell.vector_index(bigint, text, integer), llmspell.vector_tidy() TO llmspell_app;

-- Stages of vector records, as those of the other records (V5): collected in an unlogged table,
-- seen by nobody, brought into the tables in one transaction.

CREATE TABLE llmspell_stage.vector_stage (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  text COLLATE "C" NOT NULL,
    run        text COLLATE "C" NOT NULL,
    collection text COLLATE "C" NOT NULL,
    published  boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, run, collection)
);
REVOKE ALL ON llmspell_stage.vector_stage FROM PUBLIC;

CREATE FUNCTION llmspell_stage.vector_find(run text, collection text) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.id FROM llmspell_stage.vector_stage AS s
    WHERE s.tenant_id = llmspell.required_tenant() AND s.run = $1 AND s.collection = $2
      AND NOT s.published
$$;

CREATE FUNCTION llmspell_stage.vector_discard(run text, published_only boolean DEFAULT false)
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stage_id bigint;
BEGIN
    FOR stage_id IN
        DELETE FROM llmspell_stage.vector_stage AS s
        WHERE s.tenant_id = llmspell.required_tenant() AND s.run = vector_discard.run
          AND (s.published OR NOT published_only)
        RETURNING s.id
    LOOP
        EXECUTE format('DROP TABLE IF EXISTS llmspell_stage.v_%s', stage_id);
    END LOOP;
END
$$;

CREATE FUNCTION llmspell_stage.vector_open(run text, collection text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tenant   text := llmspell.required_tenant();
    stage_id bigint;
BEGIN
    IF run !~ '^[a-z0-9_]{1,40}$' OR collection !~ '^[a-z][a-z0-9_]{0,47}$' THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'not the name of a stage';
    END IF;
    stage_id := llmspell_stage.vector_find(run, collection);
    IF stage_id IS NOT NULL THEN
        RETURN stage_id;
    END IF;
    INSERT INTO llmspell_stage.vector_stage (tenant_id, run, collection)
        VALUES (tenant, run, collection) ON CONFLICT DO NOTHING RETURNING id INTO stage_id;
    IF stage_id IS NULL THEN -- made meanwhile, by a connection that we gave up
        RETURN llmspell_stage.vector_find(run, collection);
    END IF;
    EXECUTE format('CREATE UNLOGGED TABLE llmspell_stage.v_%s ('
                   ' id bytea NOT NULL, model text, dim integer NOT NULL, metric smallint,'
                   ' normalised boolean, scope text NOT NULL, content text, content_raw bytea,'
                   ' metadata json NOT NULL, event_at timestamptz NOT NULL,'
                   ' version bigint NOT NULL, created_at timestamptz NOT NULL,'
                   ' updated_at timestamptz NOT NULL, expires_at timestamptz,'
                   ' facets bigint[] NOT NULL, ordered jsonb, words bigint[], counts integer[],'
                   ' total integer NOT NULL, embedding float4[])'
                   ' WITH (autovacuum_enabled = off, toast.autovacuum_enabled = off)', stage_id);
    EXECUTE format('ALTER TABLE llmspell_stage.v_%s ALTER embedding SET STORAGE EXTERNAL',
                   stage_id);
    EXECUTE format('REVOKE ALL ON llmspell_stage.v_%s FROM PUBLIC', stage_id);
    EXECUTE format('GRANT INSERT ON llmspell_stage.v_%s TO llmspell_app', stage_id);
    RETURN stage_id;
END
$$;

CREATE FUNCTION llmspell_stage.vector_last(run text, collection text, OUT count bigint,
                                           OUT key bytea)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stage_id bigint := llmspell_stage.vector_find(run, collection);
BEGIN
    count := 0;
    IF stage_id IS NOT NULL THEN
        EXECUTE format('SELECT count(*), (SELECT s.id FROM llmspell_stage.v_%s AS s'
                       ' ORDER BY s.id DESC LIMIT 1) FROM llmspell_stage.v_%s',
                       stage_id, stage_id) INTO count, key;
    END IF;
END
$$;

-- Bring the staged rows into the tables of their dimensions. With `only_these`, nothing else stays
-- in the collection, and its spaces are those of the staged rows.
CREATE FUNCTION llmspell_stage.vector_fill(run text, coll text, only_these boolean)
    RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET synchronize_seqscans = off
AS $$
DECLARE
    tenant   text := llmspell.required_tenant();
    stage_id bigint := llmspell_stage.vector_find(run, coll);
    source   text := format('llmspell_stage.v_%s', stage_id);
    part     record;
    moved    bigint;
    total    bigint := 0;
BEGIN
    IF stage_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'LS404', MESSAGE = 'there is no such stage';
    END IF;
    IF only_these THEN
        PERFORM llmspell.vector_clear(coll);
    ELSE
        EXECUTE format('DELETE FROM llmspell.vector_embeddings AS r USING %s AS s'
                       ' WHERE r.tenant_id = $1 AND r.collection = $2 AND r.id = s.id', source)
            USING tenant, coll;
        EXECUTE format('DELETE FROM llmspell.vector_terms AS r USING %s AS s'
                       ' WHERE r.tenant_id = $1 AND r.collection = $2 AND r.id = s.id', source)
            USING tenant, coll;
        PERFORM llmspell.vector_spaces_tidy(coll);
    END IF;
    FOR part IN EXECUTE format('SELECT DISTINCT model, dim, metric, normalised, NULL::bigint AS id'
                               ' FROM %s', source)
    LOOP
        IF part.dim > 0 THEN
            part.id := llmspell.vector_space(coll, part.model, part.dim, part.metric,
                                             part.normalised);
        END IF;
        EXECUTE format(
            'INSERT INTO llmspell.vector_embeddings_%s (tenant_id, collection, id, dim, space_id,'
            ' scope, content, content_raw, metadata, event_at, version, created_at, updated_at,'
            ' expires_at, facets, ordered%s) SELECT $1, $2, id, dim, $3, scope, content,'
            ' content_raw, metadata, event_at, version, created_at, updated_at, expires_at, facets,'
            ' ordered%s FROM %s WHERE dim = $4 AND model IS NOT DISTINCT FROM $5'
            ' AND metric IS NOT DISTINCT FROM $6 AND normalised IS NOT DISTINCT FROM $7',
            part.dim, CASE WHEN part.dim > 0 THEN ', embedding' ELSE '' END,
            CASE WHEN part.dim > 0
                 THEN format(', embedding::%s', (SELECT format_type(a.atttypid, a.atttypmod)
                      FROM pg_attribute AS a WHERE a.attname = 'embedding' AND a.attrelid =
                      format('llmspell.vector_embeddings_%s', part.dim)::regclass))
                 ELSE '' END, source)
            USING tenant, coll, part.id, part.dim, part.model, part.metric, part.normalised;
        GET DIAGNOSTICS moved = ROW_COUNT;
        total := total + moved;
    END LOOP;
    EXECUTE format('INSERT INTO llmspell.vector_terms SELECT $1, $2, id, facets, words, counts,'
                   ' total FROM %s', source) USING tenant, coll;
    RETURN total;
END
$$;

CREATE FUNCTION llmspell_stage.vector_publish(run text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stage_id bigint;
BEGIN
    FOR stage_id IN
        UPDATE llmspell_stage.vector_stage AS s SET published = true
        WHERE s.tenant_id = llmspell.required_tenant() AND s.run = vector_publish.run
          AND NOT s.published
        RETURNING s.id
    LOOP
        EXECUTE format('DROP TABLE IF EXISTS llmspell_stage.v_%s', stage_id);
    END LOOP;
END
$$;

CREATE FUNCTION llmspell_stage.vector_is_published(run text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM llmspell_stage.vector_stage AS s
                   WHERE s.tenant_id = llmspell.required_tenant() AND s.run = $1 AND s.published)
$$;

REVOKE ALL ON FUNCTION llmspell_stage.vector_find(text, text),
    llmspell_stage.vector_discard(text, boolean), llmspell_stage.vector_open(text, text),
    llmspell_stage.vector_last(text, text), llmspell_stage.vector_fill(text, text, boolean),
    llmspell_stage.vector_publish(text), llmspell_stage.vector_is_published(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION llmspell_stage.vector_discard(text, boolean),
    llmspell_stage.vector_open(text, text), llmspell_stage.vector_last(text, text),
    llmspell_stage.vector_fill(text, text, boolean), llmspell_stage.vector_publish(text),
    llmspell_stage.vector_is_published(text) TO llmspell_app;
