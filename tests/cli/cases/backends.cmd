# What backends there are; the options of one.
run storage backends memory
run storage backends memory --output json
llmspell storage backends nothing 2>&1 | sed 's/(known: .*lmdb, .*)/(known: …)/'
llmspell storage backends | awk 'NR > 1 { print $1 }' | grep -x -e lmdb -e memory
run storage schema status --backend memory
run storage schema apply --backend lmdb
