# `cmake --install` gives the command, the libraries with their headers, and a package for find_package(Hearth).
# Headers keep their paths from src/: #include "generate/generate.h".
include(CMakePackageConfigHelpers)

get_property(libraries GLOBAL PROPERTY HEARTH_LIBRARIES)
list(REMOVE_ITEM libraries hearth_cli)
foreach(library ${libraries})
  string(REGEX REPLACE "^hearth_" "" name ${library})
  set_target_properties(${library} PROPERTIES EXPORT_NAME ${name})
endforeach()
install(TARGETS ${libraries} EXPORT HearthTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/hearth)
install(EXPORT HearthTargets NAMESPACE Hearth:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Hearth)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/hearth
        FILES_MATCHING PATTERN "*.h" PATTERN "cli" EXCLUDE PATTERN "testdata" EXCLUDE PATTERN "toy_model.h" EXCLUDE
        PATTERN "sampler_fixture.h" EXCLUDE PATTERN "test_values.h" EXCLUDE PATTERN "testing.h" EXCLUDE
        PATTERN "*_test.h" EXCLUDE)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/HearthConfig.cmake.in ${PROJECT_BINARY_DIR}/HearthConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Hearth)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/HearthConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/HearthConfig.cmake ${PROJECT_BINARY_DIR}/HearthConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Hearth)
