# Whether Sled's real engine can be built here, and the target lls-sled-engine that builds it.
#
# LLS_SLED_ENGINE=AUTO, the default, never fails and never waits long: without cargo, or when the
# crates of Cargo.lock are neither at hand nor to be had, the library reads Sled and does not write.

set(LLS_SLED_ENGINE AUTO CACHE STRING "Sled's real engine, to write databases; needs cargo: AUTO, ON or OFF")
set_property(CACHE LLS_SLED_ENGINE PROPERTY STRINGS AUTO ON OFF)
set(LLS_CARGO_TARGET_DIR ${PROJECT_BINARY_DIR}/cargo CACHE PATH
    "Where cargo builds; several build folders may share one")
set(LLS_SLED_ENGINE_CARGO_MIN 1.71) # what the crates of Cargo.lock ask for

# Set `why` to the reason why not, or to "".
function(lls_sled_engine_possible why)
    set(folder ${CMAKE_CURRENT_FUNCTION_LIST_DIR})
    find_program(LLS_CARGO cargo HINTS ENV CARGO_HOME $ENV{HOME}/.cargo PATH_SUFFIXES bin)
    if(NOT LLS_CARGO)
        set(${why} "cargo was not found" PARENT_SCOPE)
        return()
    endif()
    execute_process(COMMAND ${LLS_CARGO} -vV TIMEOUT 30
        OUTPUT_VARIABLE said ERROR_VARIABLE failed RESULT_VARIABLE result)
    if(NOT result EQUAL 0 OR NOT said MATCHES "cargo ([0-9.]+)")
        set(${why} "'${LLS_CARGO}' does not run" PARENT_SCOPE)
        return()
    endif()
    if(CMAKE_MATCH_1 VERSION_LESS LLS_SLED_ENGINE_CARGO_MIN)
        set(${why} "cargo ${CMAKE_MATCH_1} is older than ${LLS_SLED_ENGINE_CARGO_MIN}" PARENT_SCOPE)
        return()
    endif()
    string(REGEX MATCH "host: ([^\n]+)" ignored "${said}")
    set(fetch fetch --locked --quiet --target ${CMAKE_MATCH_1} --manifest-path ${folder}/Cargo.toml)
    execute_process(COMMAND ${LLS_CARGO} ${fetch} --offline TIMEOUT 30
        RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
    if(NOT result EQUAL 0)
        execute_process(
            COMMAND ${CMAKE_COMMAND} -E env CARGO_NET_RETRY=1 CARGO_HTTP_TIMEOUT=10 ${LLS_CARGO} ${fetch}
            TIMEOUT 60 RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
    endif()
    if(result EQUAL 0)
        set(${why} "" PARENT_SCOPE)
    else()
        set(${why} "the crates of ${folder}/Cargo.lock cannot be fetched" PARENT_SCOPE)
    endif()
endfunction()

# Set `out` to whether the engine is built. A "no" of AUTO is kept, so that it costs its time once.
function(lls_sled_engine_wanted out)
    if(LLS_SLED_ENGINE STREQUAL "AUTO" AND DEFINED LLS_SLED_ENGINE_LACKS)
        set(why "${LLS_SLED_ENGINE_LACKS}, when last looked; LLS_SLED_ENGINE=ON looks again")
    elseif(LLS_SLED_ENGINE)
        lls_sled_engine_possible(why)
    else()
        set(why "LLS_SLED_ENGINE is ${LLS_SLED_ENGINE}")
    endif()
    if(why AND LLS_SLED_ENGINE STREQUAL "AUTO" AND NOT DEFINED LLS_SLED_ENGINE_LACKS)
        set(LLS_SLED_ENGINE_LACKS "${why}" CACHE INTERNAL "Why Sled's engine is not built")
    elseif(why AND LLS_SLED_ENGINE AND NOT LLS_SLED_ENGINE STREQUAL "AUTO")
        message(FATAL_ERROR "LLS_SLED_ENGINE is ON, but ${why}")
    endif()
    if(why)
        message(STATUS "Sled is read and not written: ${why}")
        set(${out} OFF PARENT_SCOPE)
    else()
        message(STATUS "Sled is written by its own engine, built by ${LLS_CARGO}")
        set(${out} ON PARENT_SCOPE)
    endif()
endfunction()

# The target to link.
function(lls_sled_engine_build)
    set(folder ${CMAKE_CURRENT_FUNCTION_LIST_DIR})
    set(built ${LLS_CARGO_TARGET_DIR}/release/libllmspell_sled_engine.a)
    set(archive ${PROJECT_BINARY_DIR}/libllmspell-sled-engine.a)
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/src/*.rs)
    add_custom_command(OUTPUT ${archive}
        COMMAND ${CMAKE_COMMAND} -E env CARGO_TARGET_DIR=${LLS_CARGO_TARGET_DIR}
            ${LLS_CARGO} build --release --locked --offline --quiet --manifest-path ${folder}/Cargo.toml
        COMMAND ${CMAKE_COMMAND} -E copy ${built} ${archive}
        DEPENDS ${sources} ${folder}/Cargo.toml ${folder}/Cargo.lock
        COMMENT "Building Sled's engine" VERBATIM)
    add_custom_target(lls-sled-engine-archive DEPENDS ${archive})
    add_library(lls-sled-engine STATIC IMPORTED GLOBAL)
    set_target_properties(lls-sled-engine PROPERTIES
        IMPORTED_LOCATION ${archive}
        INTERFACE_LINK_LIBRARIES "PkgConfig::zstd;gcc_s;util;rt;m;${CMAKE_DL_LIBS}")
    add_dependencies(lls-sled-engine lls-sled-engine-archive)
    if(BUILD_SHARED_LIBS)
        # The engine's threads outlive its databases: their code must not be unloaded by a dlclose.
        target_link_options(llmspell-storage PRIVATE LINKER:-z,nodelete)
    else()
        install(FILES ${archive} DESTINATION ${CMAKE_INSTALL_LIBDIR})
    endif()
endfunction()
