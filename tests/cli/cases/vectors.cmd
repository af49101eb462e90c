# Vectors in files: found, moved with their graph, damaged, and put back.
printf '[storage.backends.hnsw]\nflat_max = 20\n' >c.toml
LLMSPELL_CONFIG=$PWD/c.toml
export LLMSPELL_CONFIG
awk 'BEGIN {
    for (i = 0; i < 60; i++) {
        printf "{\"key\":\"e%02d\",\"value\":{\"session_id\":\"s%d\",\"role\":\"user\",", i, i % 3
        printf "\"content\":\"turn %d of the talk\",\"happened\":\"2025-01-15T10:%02d:00Z\",", i, i
        printf "\"embedding\":{\"model\":\"m\",\"metric\":\"l2\",\"normalised\":false,"
        printf "\"vector\":[%d,%d,1]}}}\n", i % 10, int(i / 10)
    }
}' | llmspell storage import episodic_memory --quiet
run storage search --vector '[3.2, 2.1, 1]' --model m --limit 2 --quiet
run storage search --vector '[3.2, 2.1, 1]'
run storage migrate plan --from hnsw --to hnsw --to-path copy --components episodic_memory \
    --output plan.yaml --quiet
run storage migrate execute --plan plan.yaml --dry-run
[ -e copy ] || echo 'nothing was written'
run storage migrate execute --plan plan.yaml
run storage validate --backend hnsw --path copy
run storage search 'turn 17' --backend hnsw --path copy --limit 1
run storage search --vector '[3.2, 2.1, 1]' --model m --limit 2 --backend hnsw --path copy
llmspell storage export episodic_memory --full >before
llmspell storage export episodic_memory --full --backend hnsw --path copy | cmp - before && echo equal
llmspell storage info --backend hnsw --path copy | grep -e Writer -e Graphs -e 'Records Of'
find copy | sort
run storage migrate rollback --backup backups/*
run storage list episodic_memory --backend hnsw --path copy
run storage migrate execute --plan plan.yaml --quiet >/dev/null
printf 'X' | dd of="$(ls copy/default/episodic_memory/base-*)" bs=1 seek=2000 conv=notrunc 2>/dev/null
run storage validate --backend hnsw --path copy
