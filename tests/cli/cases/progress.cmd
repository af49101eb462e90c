# Where nobody watches: a plain line now and then, none for what is over at once.
{
    records chat 1000
    sleep 5.3
    records tool 1000
} | llmspell storage import agent_state 2>&1 | sed 's/: [0-9]*,.*/: N/'
{
    records chat 1000
    sleep 5.3
    records tool 1000
} | run storage import agent_state --quiet --backend lmdb --path other
