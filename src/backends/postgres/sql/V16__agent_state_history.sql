-- Earlier versions of the state of agents: agent:<agent_type>:<agent_id>@<version, 20 digits>, with
-- the version and the times that each had.
--
-- A value stands in `value` as the exact text that was written when it is JSON, and in `value_raw`
-- when it is anything else.

CREATE TABLE llmspell.agent_state_history (
    tenant_id  text COLLATE "C" NOT NULL,
    key        bytea NOT NULL,
    value      json,
    value_raw  bytea,
    version    bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (tenant_id, key),
    CONSTRAINT agent_state_history_one_value CHECK ((value IS NULL) <> (value_raw IS NULL))
);
CREATE INDEX agent_state_history_expires ON llmspell.agent_state_history (expires_at) WHERE expires_at IS NOT NULL;
SELECT llmspell.guard_table('llmspell.agent_state_history');
INSERT INTO llmspell.own_table VALUES ('agent_state_history');

-- For people: the rows of the tenant that is set, with keys as text.
CREATE VIEW llmspell.agent_state_versions WITH (security_barrier) AS
    SELECT tenant_id,
           encode(key, 'escape') AS key,
           split_part(encode(key, 'escape'), ':', 2) AS agent_type,
           substring(encode(key, 'escape') FROM '^[^:]*:[^:]*:(.*)@[0-9]+$') AS agent_id,
           value, value_raw, version, created_at, updated_at, expires_at
    FROM llmspell.agent_state_history
    WHERE tenant_id = (SELECT current_setting('llmspell.current_tenant', true));
REVOKE ALL ON llmspell.agent_state_versions FROM PUBLIC;
GRANT SELECT ON llmspell.agent_state_versions TO llmspell_app;
