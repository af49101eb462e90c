-- The schema, the role that works in it, and what later steps build on.
--
-- llmspell_app can log in to nothing and owns nothing. Grant it to the logins that use the store:
--     GRANT llmspell_app TO alice;

CREATE SCHEMA IF NOT EXISTS llmspell;
CREATE SCHEMA IF NOT EXISTS llmspell_stage; -- what a migration collects; the application cannot read it

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'llmspell_app') THEN
        CREATE ROLE llmspell_app NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL; -- made meanwhile, from another database of this server
END
$$;

-- Who sets up the store may also use it. A superuser can become any role without this.
DO $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
       AND NOT pg_catalog.pg_has_role(current_user, 'llmspell_app', 'USAGE') THEN
        EXECUTE format('GRANT llmspell_app TO %I', current_user);
    END IF;
END
$$;

REVOKE ALL ON SCHEMA llmspell, llmspell_stage FROM PUBLIC;
GRANT USAGE ON SCHEMA llmspell, llmspell_stage TO llmspell_app;

-- llmspell.schema_history is made before this step, so that the step can be written into it.
REVOKE ALL ON llmspell.schema_history FROM PUBLIC;
GRANT SELECT ON llmspell.schema_history TO llmspell_app;

-- The collections that have a table of their own, of the same name.
CREATE TABLE llmspell.own_table (
    collection text COLLATE "C" PRIMARY KEY
);
REVOKE ALL ON llmspell.own_table FROM PUBLIC;

-- The tenant of this transaction; NULL when none was set, and then no row matches.
CREATE FUNCTION llmspell.current_tenant() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    RETURN nullif(current_setting('llmspell.current_tenant', true), '');
REVOKE ALL ON FUNCTION llmspell.current_tenant() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION llmspell.current_tenant() TO llmspell_app;

-- Give up the whole transaction with `state` unless `fine`: a condition that costs no round trip.
CREATE FUNCTION llmspell.require(fine boolean, state text) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF fine IS NOT TRUE THEN
        RAISE EXCEPTION USING ERRCODE = state, MESSAGE = 'the condition of a write does not hold';
    END IF;
END
$$;
REVOKE ALL ON FUNCTION llmspell.require(boolean, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION llmspell.require(boolean, text) TO llmspell_app;

-- LZ4 halves the time of large values. Servers built without it keep their default.
CREATE FUNCTION llmspell.compress_values(target regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ALTER value SET COMPRESSION lz4,'
                   ' ALTER value_raw SET COMPRESSION lz4', target);
EXCEPTION
    WHEN feature_not_supported OR invalid_parameter_value THEN
        NULL;
END
$$;
REVOKE ALL ON FUNCTION llmspell.compress_values(regclass) FROM PUBLIC;

-- What every table with a tenant_id has in common: each tenant sees its own rows only, also when
-- the owner asks; the application reads and writes rows and can do nothing else.
CREATE FUNCTION llmspell.guard_table(target regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM llmspell.compress_values(target);
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO llmspell_app', target);
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY tenant_isolation ON %s'
        ' USING (tenant_id = (SELECT current_setting(''llmspell.current_tenant'', true)))'
        ' WITH CHECK (tenant_id = (SELECT current_setting(''llmspell.current_tenant'', true)))',
        target);
END
$$;
REVOKE ALL ON FUNCTION llmspell.guard_table(regclass) FROM PUBLIC;
