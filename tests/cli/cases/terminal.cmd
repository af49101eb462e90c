# On a terminal: a line that redraws itself, colors, keys that cannot move the cursor.
command -v script >/dev/null || exit 77
records chat 20000 >in.jsonl
script -qec 'stty cols 60; llmspell storage import agent_state in.jsonl' typescript >/dev/null
tr '\r' '\n' <typescript | grep -q '\[K' && echo 'a line was taken away'
tr '\r' '\n' <typescript | grep -q '█' && echo 'a bar was drawn'
tr '\r' '\n' <typescript | sed 's/\x1b\[K//' | awk 'length($0) > 240 { print "too long:", $0 }'
tail -n 2 typescript | tr -d '\r' | sed 's/\x1b\[K//g' | grep imported
key=$(printf 'agent:chat:\033[2J' | base64)
llmspell storage put sessions "$(printf 'session:\033[2J' | base64)" '{}' --key-base64
script -qec 'llmspell storage list sessions; llmspell storage get sessions "x"' typescript >/dev/null
sed -n '2,$p' typescript | grep -v '^Script done' | od -c | head -n 12
