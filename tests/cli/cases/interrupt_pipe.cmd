# Ctrl-C while a pipe has nothing to give: the import ends, and says how much it stored.
mkfifo pipe
{
    records chat 1001 # a batch, and the line that shows that it is full
    exec sleep 30
} >pipe &
writer=$!
env --default-signal=INT llmspell storage import agent_state pipe &
import=$!
tries=0
until [ "$(llmspell storage list agent_state 2>/dev/null | wc -l)" -eq 1000 ] || [ $tries -ge 200 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
kill -INT $import
wait $import
ended $?
kill $writer
llmspell storage list agent_state | wc -l
