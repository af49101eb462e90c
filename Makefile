# Short names for what people do here. The build itself is CMake: see CMakeLists.txt.

PREFIX ?= /usr/local

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

quickstart: ## Install what is needed, build, and walk through the main job on sample data
	./scripts/install-packages run
	./scripts/build release
	./scripts/quickstart build/release/src/cli/llmspell

test: ## Install what is needed, build with gcc and clang, and pass every test (about 20 minutes)
	./scripts/install-packages test
	./scripts/check

test-full: ## The same with the long torture runs (hours)
	./scripts/install-packages test
	./scripts/check --full

bench: ## Measure against psql, raw LMDB, SQLite and RocksDB; prints a table of ratios
	./scripts/install-packages bench
	./scripts/build bench
	./bench/run

bench-vectors: ## Measure vector search against hnswlib, FAISS and usearch (needs npm)
	./scripts/install-packages bench
	./bench/vectors

install: ## Build and install below PREFIX (default /usr/local)
	./scripts/build release
	cmake --install build/release --prefix $(PREFIX)

format: ## Let clang-format lay out every source file
	git ls-files '*.c' '*.h' '*.cpp' | xargs clang-format -i

clean: ## Remove the build folder
	rm -rf build

.PHONY: help quickstart test test-full bench bench-vectors install format clean
