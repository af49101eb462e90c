# Earlier versions of the state of an agent: kept when asked for, listed, printed, and gone with it.
export LLMSPELL_STORAGE_AGENT_STATE_HISTORY=2
for n in 1 2 3 4; do llmspell storage put agent_state agent:chat:1 "{\"n\": $n}"; done
run storage get agent_state agent:chat:1
run storage get agent_state agent:chat:1 --version 3
run storage get agent_state agent:chat:1 --version 1
run storage get agent_state agent:chat:1 --version x
llmspell storage history agent_state agent:chat:1 | awk '{ print $1, $2, $3, $5 }'
run storage history agent_state agent:chat:1 --output json
run storage history agent_state agent:chat:2
llmspell storage put sessions session:1 '{}'
run storage history sessions session:1
run storage list agent_state_history
run storage validate --backend lmdb --components agent_state,agent_state_history
run storage delete agent_state agent:chat:1
run storage list agent_state_history
llmspell storage config show --origin | grep agent_state
