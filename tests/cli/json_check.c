/* json_check.c - whether stdin is exactly one JSON value; prints its members' names, for a test. */
#include <jansson.h>
#include <stdio.h>

int main(void)
{
    json_error_t error;
    json_t *value = json_loadf(stdin, JSON_REJECT_DUPLICATES, &error);

    if (!value) {
        (void)fprintf(stderr, "not JSON: %d:%d: %s\n", error.line, error.column, error.text);
        return 1;
    }
    for (void *at = json_object_iter(value); at; at = json_object_iter_next(value, at))
        printf("%s ", json_object_iter_key(at));
    printf("\n");
    json_decref(value);
    return 0;
}
