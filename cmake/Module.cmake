# The vocabulary of the build. A folder's CMakeLists.txt says one of these and nothing else.

# lls_module(NAME SOURCES a.c b.c [TESTS a_test.c] [LINK lib])
#   Add src/NAME's sources to the library, and its tests to ctest.
function(lls_module name)
    cmake_parse_arguments(arg "" "" "SOURCES;TESTS;LINK" ${ARGN})
    list(TRANSFORM arg_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/src/${name}/)
    target_sources(lls-objects PRIVATE ${arg_SOURCES})
    target_link_libraries(lls-objects PUBLIC ${arg_LINK})
    if(LLS_TESTS)
        foreach(test ${arg_TESTS})
            lls_test(${name} ${PROJECT_SOURCE_DIR}/src/${name}/${test})
        endforeach()
    endif()
endfunction()

# lls_backend(NAME SOURCES a.c [TESTS a_test.c] [LINK lib])
#   A backend is one folder. This is all that its CMakeLists.txt says.
function(lls_backend name)
    lls_module(backends/${name} ${ARGN})
    set_property(GLOBAL APPEND PROPERTY LLS_BACKEND_NAMES ${name})
endfunction()

# The tests in which threads meet: what `ctest --preset tsan` runs.
set(LLS_THREADED_TESTS
    backends.hnsw.hnsw_test backends.hnsw.threads_test backends.lmdb.process_test backends.memory.memory_test backends.memory.tree_test
    backends.memory.vec_test
    backends.postgres.postgres_test backends.sled.threads_test
    components.lmdb_test components.memory_test migrate.engine_test store.swap_history_test store.swap_test)

set(LLS_TEST_TIMEOUT 300 CACHE STRING "Seconds after which a test has failed; the torture of --full takes longer")

# lls_test(MODULE FILE)
#   One executable per file, registered as MODULE.FILE; exit code 77 means skipped.
function(lls_test module file)
    get_filename_component(stem ${file} NAME_WE)
    string(REPLACE "/" "." name ${module}.${stem})
    add_executable(${name} ${file})
    target_link_libraries(${name} PRIVATE lls-testing)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT ${LLS_TEST_TIMEOUT} SKIP_RETURN_CODE 77)
    if(name IN_LIST LLS_THREADED_TESTS)
        set_tests_properties(${name} PROPERTIES LABELS threads)
    endif()
endfunction()
