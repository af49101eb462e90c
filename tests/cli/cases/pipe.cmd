# A reader that goes away ends the program quietly: what is written is more than a pipe holds.
records chat 12000 | llmspell storage import agent_state --quiet
{
    llmspell storage list agent_state
    echo "list: $?" >&2
} | head -n 1
{
    llmspell storage export agent_state
    echo "export: $?" >&2
} | head -n 1 | cut -c 1-20
llmspell storage list agent_state >/dev/full
ended $?
