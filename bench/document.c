#include "document.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const words[] = {
    "the",     "agent", "asked",  "for", "a",       "plan", "and",     "then",   "looked",
    "at",      "every", "file",   "it",  "could",   "find", "before",  "it",     "answered",
    "that",    "no",    "answer", "was", "known",   "yet",  "because", "memory", "of",
    "former",  "talks", "had",    "not", "been",    "kept", "Grüße",   "søster", "naïve",
    "weather", "in",    "Lisbon", "42",  "degrees", "tool", "call",    "failed", "retry",
};

uint64_t bench_random(uint64_t *state)
{
    uint64_t x = *state;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * UINT64_C(2685821657736338717);
}

size_t bench_key(uint64_t number, char *out, size_t room)
{
    uint64_t state = number + 1;

    (void)bench_random(&state);
    int len =
        snprintf(out, room, "agent:worker:%016" PRIx64 "-%06" PRIu64, bench_random(&state), number);
    return (size_t)len;
}

size_t bench_document(uint64_t number, size_t size, char *out, size_t room)
{
    uint64_t state = number * 7919 + 17;
    int head = snprintf(out, room,
                        "{\"agent_id\": \"%06" PRIu64 "\", \"score\": %" PRIu64 ".%02" PRIu64
                        ", \"execution_state\": \"Idle\", \"history\": [\"",
                        number, bench_random(&state) % 1000, bench_random(&state) % 100);
    size_t len = (size_t)head;
    size_t goal = size > 4 ? size - 3 : 1;

    while (len < goal && len + 32 < room) {
        const char *word = words[bench_random(&state) % (sizeof(words) / sizeof(words[0]))];
        size_t n = strlen(word);
        memcpy(out + len, word, n);
        len += n;
        const char *gap = bench_random(&state) % 24 == 0 ? "\", \"" : " ";
        size_t g = strlen(gap);
        memcpy(out + len, gap, g);
        len += g;
    }
    memcpy(out + len, "\"]}", 4);
    return len + 3;
}
