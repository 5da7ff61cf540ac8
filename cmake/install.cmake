# What `make install` puts where: header, libraries, command, manual page, pkg-config and CMake package files.
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/downhill)

foreach(target ${library_targets})
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${target})
endforeach()
install(TARGETS ${library_targets} EXPORT downhill-targets)
install(TARGETS downhill_command RUNTIME)
install(FILES include/downhill.h TYPE INCLUDE)
install(EXPORT downhill-targets NAMESPACE downhill:: DESTINATION ${package_folder})

configure_package_config_file(cmake/downhill-config.cmake.in ${PROJECT_BINARY_DIR}/downhill-config.cmake
    INSTALL_DESTINATION ${package_folder} NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/downhill-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/downhill-config.cmake ${PROJECT_BINARY_DIR}/downhill-config-version.cmake
    DESTINATION ${package_folder})

# The .pc file finds its prefix from where it lies, so that an installed tree can be moved.
file(RELATIVE_PATH prefix_from_pc "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" prefix_from_pc "${prefix_from_pc}")
set(pc_libs_private "-lm -pthread")
if(ZLIB_FOUND)
    string(PREPEND pc_libs_private "-lz ")
endif()
configure_file(cmake/downhill.pc.in downhill.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/downhill.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# The manual page comes from the command's own tables.
if(NOT CMAKE_CROSSCOMPILING)
    add_custom_command(OUTPUT downhill.1
        COMMAND downhill_command help --man > downhill.1.part
        COMMAND ${CMAKE_COMMAND} -E rename downhill.1.part downhill.1
        DEPENDS downhill_command VERBATIM)
    add_custom_target(manual ALL DEPENDS downhill.1)
    install(FILES ${PROJECT_BINARY_DIR}/downhill.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()
