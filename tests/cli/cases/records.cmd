# Put, get, list and delete in the embedded store.
run storage put agent_state agent:chat:1 '{"mood":  "good", "n": 1.50}'
run storage get agent_state agent:chat:1
echo
echo '{"from": "stdin"}' | run storage put agent_state agent:tool:2
echo '{"from": "a file"}' >state.json
run storage put agent_state agent:tool:3 @state.json --ttl 30d
printf '{}' | run storage put agent_state agent:zz:4 -
run storage list agent_state
run storage list agent_state --prefix agent:tool:
run storage list agent_state --after agent:tool:2 --limit 1
run storage list agent_state --long
run storage get agent_state agent:tool:2
run storage delete agent_state agent:tool:2
run storage get agent_state agent:tool:2
run storage delete agent_state agent:tool:2
run storage list sessions
run storage list no_component
run storage get no_component x
run storage put agent_state wrong-key '{}'
run storage put agent_state agent:chat:5 @missing.json
run storage put sessions session:s '{}' --backend memory
run storage list sessions --backend no_backend
