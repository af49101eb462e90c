# The first Ctrl-C stops a migration at a safe point; resume finishes it.
records chat 100000 | llmspell storage import agent_state --quiet
llmspell storage migrate plan --from lmdb --to lmdb --to-path copy --components agent_state \
    --output plan.yaml --quiet >/dev/null
: >err
# A shell starts background commands with SIGINT ignored; env puts it back.
env --default-signal=INT llmspell storage migrate execute --plan plan.yaml >out 2>>err &
migration=$!
tries=0
until grep -q 'Copying' err || [ $tries -ge 600 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
kill -INT $migration
wait $migration
ended $?
grep -e 'stopping' -e '^llmspell' -e 'hint' err
head -n 1 out
llmspell storage list agent_state --backend lmdb --path copy --limit 1
llmspell storage migrate status --output json | grep -c '"phase": "cop'
run storage migrate resume --quiet
llmspell storage export agent_state --full >before
llmspell storage export agent_state --full --backend lmdb --path copy | cmp - before && echo equal
