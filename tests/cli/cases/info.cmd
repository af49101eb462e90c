# What a store is and holds.
run storage info --backend memory
run storage info
records chat 3 | llmspell storage import agent_state --quiet
llmspell storage info | grep -v -e 'Disk' -e 'Free' -e 'Map' -e 'Lmdb' -e 'LMDB' -e 'Path'
llmspell storage info | grep '^agent_state' | awk '{ print $1, $2 }'
run storage info --backend nothing
