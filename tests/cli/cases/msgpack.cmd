# What rs-llmspell's vector store left in a namespace, with everything that may be wrong in it.
cp "$here/../msgpack/vectors.msgpack" vectors.msgpack
run storage import episodic_memory --file-format msgpack --model m vectors.msgpack
run storage export episodic_memory
run storage search dog
head -c 300 vectors.msgpack >cut
run storage import episodic_memory --file-format msgpack cut
run storage import sessions --file-format msgpack vectors.msgpack
echo '{}' >other
run storage import episodic_memory --file-format msgpack other
llmspell storage import episodic_memory --file-format msgpack - <other | cat
run storage export episodic_memory --file-format msgpack
