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
# Entries that nothing can store, that have expired, that are of another dimension.
cp "$here/../msgpack/worse.msgpack" worse.msgpack
export LLMSPELL_STORAGE_BACKENDS_HNSW_PATH="$PWD/worse"
run storage import episodic_memory --file-format msgpack --model m worse.msgpack
run storage list episodic_memory
