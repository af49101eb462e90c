# Write generated/backends/postgres/schema_files.inc: the files sql/V<number>__<name>.sql as an array of steps in
# number order. They become arrays of bytes, since a string literal may not be that long.
file(GLOB files ${CMAKE_CURRENT_LIST_DIR}/sql/V*__*.sql)
list(SORT files COMPARE NATURAL)
set(texts "")
set(table "")
foreach(file ${files})
    string(REGEX MATCH "V([0-9]+)__([a-z0-9_]+)\\.sql$" matched ${file})
    set(number ${CMAKE_MATCH_1})
    set(name ${CMAKE_MATCH_2})
    file(READ ${file} bytes HEX)
    string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    string(APPEND texts "static const char step_${number}[] = {\n${bytes}0};\n")
    string(APPEND table "    {${number}, \"${name}\", step_${number}},\n")
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/backends/postgres/schema_files.inc
    CONTENT "@texts@static const step steps[] = {\n@table@};\n" @ONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
