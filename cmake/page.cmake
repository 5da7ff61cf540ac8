# The page (page/, docs/page.md), built by Node into the command. Without Node the command has no page and says so when it is asked.
#
# What npm fetches lies in page/node_modules, is fetched when this is configured and not again until the lock file changes: builds
# after that need no network.
option(HILL_BUILD_PAGE "Build the page into the command, where Node is installed" ON)

set(HILL_HAS_PAGE OFF)
if(HILL_BUILD_PAGE AND NOT HILL_FUZZ)
    find_program(HILL_NODE NAMES node nodejs)
    find_program(HILL_NPM NAMES npm)
    mark_as_advanced(HILL_NODE HILL_NPM)
    set(page_lacks "")
    if(NOT HILL_NODE OR NOT HILL_NPM)
        set(page_lacks "Node and npm are missing (Debian: nodejs, npm)")
    else()
        execute_process(COMMAND ${HILL_NODE} --version OUTPUT_VARIABLE node_version ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
        string(REGEX REPLACE "^v" "" node_version "${node_version}")
        if(node_version VERSION_LESS 18)
            set(page_lacks "Node is ${node_version}, and 18 is the least")
        endif()
    endif()
    if(NOT page_lacks)
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/page/package-lock.json)
        execute_process(COMMAND ${HILL_NODE} ${PROJECT_SOURCE_DIR}/page/install.mjs
            RESULT_VARIABLE page_result ERROR_VARIABLE page_error OUTPUT_QUIET ERROR_STRIP_TRAILING_WHITESPACE)
        if(NOT page_result EQUAL 0)
            set(page_lacks "npm could not fetch what it is built with (${page_error})")
        endif()
    endif()
    if(page_lacks)
        message(STATUS "${page_lacks}: Downhill will have no page")
    else()
        set(HILL_HAS_PAGE ON)
    endif()
endif()

if(HILL_HAS_PAGE)
    file(GLOB page_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/page/src/*)
    add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/page.c ${PROJECT_BINARY_DIR}/page.html
        COMMAND ${HILL_NODE} ${PROJECT_SOURCE_DIR}/page/build.mjs ${PROJECT_BINARY_DIR}
        DEPENDS ${page_sources} ${PROJECT_SOURCE_DIR}/page/build.mjs ${PROJECT_SOURCE_DIR}/page/package-lock.json
        COMMENT "Building the page"
        VERBATIM)
    target_sources(downhill_command PRIVATE ${PROJECT_BINARY_DIR}/page.c)
    target_include_directories(downhill_command PRIVATE cli)
    target_compile_definitions(downhill_command PRIVATE HILL_PAGE)
endif()
