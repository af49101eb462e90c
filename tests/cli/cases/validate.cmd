# A sound store, one with findings, one that is not there.
run storage validate
records chat 40 | llmspell storage import agent_state --quiet
run storage validate --backend lmdb --components agent_state,sessions
run storage validate --components agent_state --output json
run storage validate --components nothing
# A value whose bytes were changed behind the store's back.
sed -i 's/"n":7,/"n":8,/' data/llmspell/lmdb/data.mdb
run storage validate --components agent_state
run storage validate --components agent_state --output json
run storage get agent_state agent:chat:0000007
