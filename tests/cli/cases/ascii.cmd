# Where the character set is not UTF-8 nothing but ASCII is written.
LC_ALL=C
export LC_ALL
llmspell storage put agent_state agent:chat:1 '{}'
run storage info --backend memory
run storage migrate plan --from lmdb --to lmdb --to-path copy --components agent_state --output plan.yaml
run storage migrate execute --plan plan.yaml --dry-run
