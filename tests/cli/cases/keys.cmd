# Keys that no shell and no terminal should see as they are.
key=$(printf 'session:\033[2J\n\303\274\\' | base64)
run storage put sessions "$key" '{"odd": true}' --key-base64
run storage get sessions "$key" --key-base64
echo
run storage list sessions --output json
run storage list sessions --long
llmspell storage list sessions | od -c
run storage list sessions --prefix "$(printf 'session:\033' | base64)" --key-base64 --output json
run storage delete sessions "$key" --key-base64 --output json
run storage put sessions "$(printf 'session:\377' | base64)" '{}' --key-base64
run storage put sessions "$(printf 'a\0b' | base64)" '{}' --key-base64
