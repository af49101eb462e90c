# What a store is and holds.
run storage info --backend memory
run storage info
records chat 3 | llmspell storage import agent_state --quiet
llmspell storage info | sed -n '1,/Write Latency/p'
llmspell storage info | grep -c '^  [A-Z]' | awk '{ print ($1 > 12 ? "and more facts" : "too few facts") }'
llmspell storage info | awk '/^COMPONENT/ { on = 1 } on { print $1, $2 }'
run storage info --backend nothing
