# Every result in JSON is one object; so are failures, on stderr.
run storage put agent_state agent:chat:1 '{"mood": "g\u00fct"}' --output json
run storage put agent_state agent:chat:2 '{"mood": "güt"}' --ttl 1d --format json
run storage get agent_state agent:chat:1 --output json
run storage list agent_state --output json
run storage list sessions --output json
run storage delete agent_state agent:chat:2 --output json
run storage delete agent_state agent:chat:2 --output json
run storage validate --output json
run --output json storage config check
for command in 'get agent_state agent:chat:1' 'list agent_state' 'info' 'validate' 'backends' \
    'backends memory' 'config show' 'config check' 'migrate status'; do
    llmspell storage $command --output json | $json_check
done
