-- Records of every collection that has no table of its own.
--
-- A value stands in `value` as the exact text that was written when it is JSON, and in `value_raw`
-- when it is anything else.

CREATE TABLE llmspell.kv_store (
    tenant_id  text COLLATE "C" NOT NULL,
    collection text COLLATE "C" NOT NULL,
    key        bytea NOT NULL,
    value      json,
    value_raw  bytea,
    version    bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (tenant_id, collection, key),
    CONSTRAINT kv_store_one_value CHECK ((value IS NULL) <> (value_raw IS NULL))
);
CREATE INDEX kv_store_expires ON llmspell.kv_store (expires_at) WHERE expires_at IS NOT NULL;
SELECT llmspell.guard_table('llmspell.kv_store');
