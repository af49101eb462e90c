# On a terminal: a line that redraws itself, colors, keys that cannot move the cursor.
command -v script >/dev/null || exit 77
plain() {
    tr '\r' '\n' <typescript | sed -e 's/\x1b\[K//g' -e 's/[█░]/#/g'
}
records chat 20000 >in.jsonl
script -qec 'stty cols 100; llmspell storage import agent_state in.jsonl' typescript >/dev/null
plain | grep -q '^import agent_state \[##*\] 20000 of 20000 (100 %)' && echo 'a bar was drawn'
plain | grep -v '^Script' | awk 'length($0) > 100 { print "too long:", $0 }'
grep -q "$(printf '\r\033\\[Kagent_state: 20000 records imported')" typescript && echo 'and taken away'
llmspell storage put sessions "$(printf 'session:\033[2J' | base64)" '{}' --key-base64
script -qec 'llmspell storage list sessions; llmspell storage get sessions "x"' typescript >/dev/null
sed -n '2,$p' typescript | grep -v '^Script done' | sed -e 's/\x1b/ESC/g' -e 's/\r//g'
