# Sled written by its own engine, which not every build has: as any other backend.
if llmspell storage put sessions session:0 '{}' --backend sled --path probe 2>&1 |
    grep -q 'this build reads Sled only'; then
    exit 77
fi
run storage put sessions session:1 '{"state":"open"}' --backend sled --path store
run storage get sessions session:1 --backend sled --path store
run storage put agent_state agent:chat:a '{"n":1}' --backend sled --path store
run storage list sessions --backend sled --path store
run storage validate --backend sled --path store --components agent_state,sessions
llmspell storage info --backend sled --path store | grep -E 'Made By|Trees'
# There and back again.
run storage migrate plan --from sled --from-path store --to lmdb --components agent_state,sessions \
    --output there.yaml
run storage migrate execute --plan there.yaml
run storage migrate plan --from lmdb --to sled --to-path back --components agent_state,sessions \
    --output back.yaml
run storage migrate execute --plan back.yaml
run storage get sessions session:1 --backend sled --path back
# What is not ours is not changed.
cp -r "$here/../sled/installs" old
run storage put sessions session:1 '{}' --backend sled --path old
mkdir full && touch full/letter
run storage put sessions session:1 '{}' --backend sled --path full
