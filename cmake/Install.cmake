# What `cmake --install` puts where, and how other projects find it.
include(CMakePackageConfigHelpers)

install(TARGETS llmspell-storage EXPORT llmspell-storage
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
# Found wherever the prefix is, without ldconfig or LD_LIBRARY_PATH.
set_target_properties(llmspell PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
install(TARGETS llmspell)
install(DIRECTORY include/llmspell DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY docs/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 FILES_MATCHING PATTERN "*.1")
install(DIRECTORY docs/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man5 FILES_MATCHING PATTERN "*.5")
install(FILES completions/llmspell.bash RENAME llmspell
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES completions/llmspell.zsh RENAME _llmspell
    DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES completions/llmspell.fish
    DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

# What a program needs beside the static library, as flags.
set(private_libraries)
get_target_property(linked lls-objects LINK_LIBRARIES)
foreach(library ${linked} -lstdc++)
    if(library MATCHES "^::@") # where CMake notes the folder that linked it
        continue()
    elseif(library MATCHES "^PkgConfig::(.+)")
        string(JOIN " " library ${${CMAKE_MATCH_1}_LDFLAGS})
    elseif(library STREQUAL "Threads::Threads")
        set(library -lpthread)
    elseif(library STREQUAL "lls-sled-engine")
        set(library "-lllmspell-sled-engine -lgcc_s -lutil -lrt -lm -ldl")
    elseif(IS_ABSOLUTE "${library}")
        get_filename_component(library ${library} NAME_WE)
        string(REGEX REPLACE "^lib" "-l" library ${library})
    elseif(NOT library MATCHES "^-")
        string(PREPEND library -l)
    endif()
    list(APPEND private_libraries ${library})
endforeach()
list(JOIN private_libraries " " private_libraries)
configure_file(cmake/llmspell-storage.pc.in llmspell-storage.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/llmspell-storage.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# The static library names what it needs itself, so that its users need not know.
if(BUILD_SHARED_LIBS)
    set(package ${CMAKE_INSTALL_LIBDIR}/cmake/llmspell-storage)
    install(EXPORT llmspell-storage NAMESPACE llmspell:: DESTINATION ${package})
    configure_package_config_file(cmake/llmspell-storage-config.cmake.in
        llmspell-storage-config.cmake INSTALL_DESTINATION ${package})
    write_basic_package_version_file(llmspell-storage-config-version.cmake
        COMPATIBILITY SameMinorVersion)
    install(FILES
        ${PROJECT_BINARY_DIR}/llmspell-storage-config.cmake
        ${PROJECT_BINARY_DIR}/llmspell-storage-config-version.cmake
        DESTINATION ${package})
endif()
