# A sound store, one with findings, one that is not there.
run storage validate
records chat 40 | llmspell storage import agent_state --quiet
run storage validate --backend lmdb --components agent_state,sessions
run storage validate --components agent_state --output json
run storage validate --components nothing
