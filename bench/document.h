/** document.h - documents like the states of agents, from a fixed seed. */
#ifndef BENCH_DOCUMENT_H
#define BENCH_DOCUMENT_H

#include <stddef.h>
#include <stdint.h>

/** xorshift64* (Vigna 2016). The state must not be 0. */
uint64_t bench_random(uint64_t *state);

/** Write the key of record `number`, NUL-terminated: they spread over the key space. */
size_t bench_key(uint64_t number, char *out, size_t room);

/**
 * Write a JSON document of about `size` bytes, NUL-terminated, and return its length. It compresses
 * about as well as a conversation does.
 */
size_t bench_document(uint64_t number, size_t size, char *out, size_t room);

#endif
