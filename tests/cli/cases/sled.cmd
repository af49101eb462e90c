# What rs-llmspell left in Sled, looked at and moved on.
cp -r "$here/../sled/installs" old
llmspell storage info --backend sled --path old | sed -n '/Made By/,$p'
run storage validate --backend sled --path old --components agent_state,workflow_state,sessions
run storage put sessions session:1 '{}' --backend sled --path old
run storage migrate plan --from sled --from-path old --to lmdb \
    --components agent_state,workflow_state,sessions --output plan.yaml
run storage migrate plan --from sled --from-path old --to lmdb \
    --components agent_state,workflow_state,sessions --include-unknown --output all.yaml
run storage migrate execute --plan all.yaml --dry-run
run storage migrate execute --plan all.yaml
for component in agent_state workflow_state sessions unrecognised; do
    llmspell storage export $component --full
done | cmp - "$here/../sled/installs.jsonl" && echo 'all of it'
run storage info --backend sled --path nowhere
