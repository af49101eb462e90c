# Where values come from, and what is wrong with a file.
file=$XDG_CONFIG_HOME/llmspell/llmspell.toml
run storage config check
run storage config show --origin
run storage config show --origin --backend memory --tenant acme
printf '[storage]\nbackend = "memory"\n\n[storage.migration]\nbatch_size = 50\n' >"$file"
run storage config check
run storage config show
LLMSPELL_STORAGE_TENANT=north run storage config show --origin
printf '[storage]\nbackend = "lmdb"\npaht = "x"\n' >"$file"
run storage config check
printf '[storage\nbackend = 1\n' >"$file"
run storage config check
run storage get agent_state agent:chat:1 --output json
run storage config check -c missing.toml
rm "$file"
LLMSPELL_STORAGE_BAKEND=lmdb run storage config check
