-- State of agents: agent:<agent_type>:<agent_id>.
--
-- A value stands in `value` as the exact text that was written when it is JSON, and in `value_raw`
-- when it is anything else.

CREATE TABLE llmspell.agent_state (
    tenant_id  text COLLATE "C" NOT NULL,
    key        bytea NOT NULL,
    value      json,
    value_raw  bytea,
    version    bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (tenant_id, key),
    CONSTRAINT agent_state_one_value CHECK ((value IS NULL) <> (value_raw IS NULL))
);
CREATE INDEX agent_state_expires ON llmspell.agent_state (expires_at) WHERE expires_at IS NOT NULL;
SELECT llmspell.guard_table('llmspell.agent_state');
INSERT INTO llmspell.own_table VALUES ('agent_state');

-- For people: the rows of the tenant that is set, with keys as text.
CREATE VIEW llmspell.agent_states WITH (security_barrier) AS
    SELECT tenant_id,
           encode(key, 'escape') AS key,
           split_part(encode(key, 'escape'), ':', 2) AS agent_type,
           substring(encode(key, 'escape') FROM '^[^:]*:[^:]*:(.*)$') AS agent_id,
           value, value_raw, version, created_at, updated_at, expires_at
    FROM llmspell.agent_state
    WHERE tenant_id = (SELECT current_setting('llmspell.current_tenant', true));
REVOKE ALL ON llmspell.agent_states FROM PUBLIC;
GRANT SELECT ON llmspell.agent_states TO llmspell_app;
