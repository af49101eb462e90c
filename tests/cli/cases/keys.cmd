# Keys and values of any bytes.
key=$(printf 'agent:chat:\377\001\n' | base64)
run storage put agent_state "$key" '{"odd": true}' --key-base64
run storage get agent_state "$key" --key-base64
echo
run storage list agent_state --output json
run storage list agent_state --long
llmspell storage list agent_state | od -c
run storage list agent_state --prefix "$(printf 'agent:chat:\377' | base64)" --key-base64 --output json
run storage delete agent_state "$key" --key-base64 --output json
