# What every case begins with.

# Show a command, carry it out, and show its exit status when it is not 0: on both outputs, so that
# one can see what belongs to what.
run() {
    printf '$ llmspell %s\n' "$*"
    printf '$ llmspell %s\n' "$*" >&2
    llmspell "$@"
    ended $?
}

ended() {
    [ "$1" -eq 0 ] || echo "= $1"
}

records() { # records PREFIX COUNT: lines to import as agent_state
    awk -v prefix="$1" -v count="$2" 'BEGIN {
        for (i = 0; i < count; i++)
            printf "{\"key\":\"agent:%s:%07d\",\"value\":{\"n\":%d,\"text\":\"%0200d\"}}\n", prefix, i, i, i
    }'
}
