# What backends there are; the options of one.
run storage backends memory
run storage backends memory --output json
run storage backends nothing
llmspell storage backends | awk 'NR > 1 { print $1 }' | grep -x -e lmdb -e memory
run storage schema status --backend memory
run storage schema apply --backend lmdb
