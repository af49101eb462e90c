# Every warning that gcc and clang both know and that has ever found a bug, as an error.
set(LLS_WARNINGS
    -Wall -Wextra -Wpedantic -Werror
    -Wconversion -Wshadow -Wvla -Wimplicit-fallthrough -Wdouble-promotion -Wundef -Wwrite-strings
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
    $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>)
add_compile_options(${LLS_WARNINGS} -fno-common -fstack-protector-strong)
