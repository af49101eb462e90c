# Calls that cannot be understood: exit status 2, and a suggestion where one is near.
run
run storage
run storge
run storage migrat plan
run storage nonsense-word
run storage list
run storage list agent_state more
run storage list agent_state --limt 3
run storage list agent_state --limit
run storage list agent_state --limit three
run storage list agent_state --long=yes
run storage list agent_state -x
run storage list agent_state --output yaml
run storage list agent_state --color pink
run storage migrate execute
run storage migrate plan --from a --to b
run storage put agent_state agent:chat:1 '{}' --if-absent --if-version 3
run storage put agent_state agent:chat:1 '{}' --ttl soon
run storage get agent_state '***' --key-base64
run storage list agent_state --limt 3 --output json
run storage --output json list
