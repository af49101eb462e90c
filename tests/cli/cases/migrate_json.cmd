# The same in JSON.
records chat 3 | llmspell storage import agent_state --quiet
run storage migrate plan --from lmdb --to lmdb --to-path copy --components agent_state \
    --output plan.yaml --format json
llmspell storage migrate plan --from lmdb --to lmdb --to-path copy --components agent_state \
    --format json | $json_check
run storage migrate execute --plan plan.yaml --dry-run --output json
run storage migrate execute --plan plan.yaml --output json --quiet
run storage migrate status --output json
run storage migrate rollback --backup backups/* --output json --quiet
