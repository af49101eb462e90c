# What can be wrong with a plan, and with what it is about.
llmspell storage put agent_state agent:chat:1 '{}'
plan() {
    run storage migrate plan --from lmdb --to lmdb --to-path copy "$@"
}
plan --components agent_state
plan --components agent_state,nothing
plan --components ''
plan --components agent_state --batch-size many
plan --components agent_state --output plan.yaml --quiet >/dev/null
plan --components agent_state --output plan.yaml
run storage migrate plan --from lmdb --to nothing --components agent_state
run storage migrate plan --from lmdb --to lmdb --components agent_state
run storage migrate execute --plan missing.yaml
run storage migrate execute --plan plan.yaml --tenant other
sed 's/^components:/colour: red\n&/' plan.yaml >bad.yaml
run storage migrate execute --plan bad.yaml
sed 's/batch_size: 1000/batch_size: -1/' plan.yaml >bad.yaml
run storage migrate execute --plan bad.yaml
printf 'version: "1.0\n' >bad.yaml
run storage migrate execute --plan bad.yaml --output json
run storage migrate resume
run storage migrate resume --backup nowhere
run storage migrate rollback --backup nowhere
run storage migrate status
