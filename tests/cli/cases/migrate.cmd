# The whole way: plan, dry run, execute, validate, status, rollback.
records chat 40 | llmspell storage import agent_state --quiet
printf '{"key":"session:1","value":{"status":"active"}}\n' | llmspell storage import sessions --quiet
run storage migrate plan --from lmdb --to lmdb --to-path copy --components agent_state,sessions \
    --output plan.yaml
grep -v '^ *#' plan.yaml
run storage migrate execute --plan plan.yaml --dry-run
[ -e backups ] || [ -e copy ] || echo 'nothing was written'
run storage migrate execute --plan plan.yaml
run storage validate --backend lmdb --path copy --components agent_state,sessions
llmspell storage export agent_state --full >before
llmspell storage export agent_state --full --backend lmdb --path copy | cmp - before && echo equal
run storage migrate status
run storage migrate resume
run storage migrate resume --backup backups/*
run storage put agent_state agent:chat:new '{}' --backend lmdb --path copy
run storage migrate rollback --backup backups/*
run storage migrate rollback --backup backups/* --force
run storage migrate rollback --backup backups/*
run storage list agent_state --backend lmdb --path copy
run storage migrate status
