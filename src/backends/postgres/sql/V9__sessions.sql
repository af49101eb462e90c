-- Sessions: session:<id>.
--
-- A value stands in `value` as the exact text that was written when it is JSON, and in `value_raw`
-- when it is anything else.

CREATE TABLE llmspell.sessions (
    tenant_id  text COLLATE "C" NOT NULL,
    key        bytea NOT NULL,
    value      json,
    value_raw  bytea,
    version    bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (tenant_id, key),
    CONSTRAINT sessions_one_value CHECK ((value IS NULL) <> (value_raw IS NULL))
);
CREATE INDEX sessions_expires ON llmspell.sessions (expires_at) WHERE expires_at IS NOT NULL;
SELECT llmspell.guard_table('llmspell.sessions');
INSERT INTO llmspell.own_table VALUES ('sessions');

-- For people: the rows of the tenant that is set, with keys as text.
CREATE VIEW llmspell.session_list WITH (security_barrier) AS
    SELECT tenant_id,
           encode(key, 'escape') AS key,
           substring(encode(key, 'escape') FROM '^session:(.*)$') AS session_id,
           value, value_raw, version, created_at, updated_at, expires_at
    FROM llmspell.sessions
    WHERE tenant_id = (SELECT current_setting('llmspell.current_tenant', true));
REVOKE ALL ON llmspell.session_list FROM PUBLIC;
GRANT SELECT ON llmspell.session_list TO llmspell_app;
