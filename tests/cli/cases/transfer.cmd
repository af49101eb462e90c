# Export and import: what was exported imports exactly.
records chat 5 >in.jsonl
run storage import agent_state in.jsonl
run storage export agent_state out.jsonl
run storage export agent_state | head -n 1
run storage export agent_state full.jsonl --full --output json
ls
run storage import agent_state full.jsonl --path copy --backend lmdb --output json
llmspell storage export agent_state --full --path copy --backend lmdb | cmp - full.jsonl && echo equal
llmspell storage export agent_state - --quiet | run storage import agent_state - --path third --backend lmdb
run storage import agent_state in.jsonl --keep-existing
run storage import agent_state missing.jsonl
printf '%s\n' '{"key":"agent:a:1","value":{}}' 'nonsense' | run storage import agent_state
run storage export agent_state /missing/out.jsonl
run storage export agent_state --quiet extra.jsonl
