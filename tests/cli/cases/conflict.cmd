# Optimistic writes: who comes second is told.
run storage put sessions session:1 '{"a":1}' --if-absent
run storage put sessions session:1 '{"a":2}' --if-absent
run storage put sessions session:1 '{"a":2}' --if-version 1
run storage put sessions session:1 '{"a":3}' --if-version 1
run storage put sessions session:1 '{"a":3}' --if-version 1 --output json
run storage get sessions session:1
echo
