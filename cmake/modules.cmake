# vd_module(NAME SOURCES file… [MODULES name…] [LIBS target…])
#
# One folder of core is one static library vd_NAME. MODULES are the folders whose headers it may
# include (tests/checks/layers compares the includes with docs/architecture.md); LIBS are libraries
# from outside, which stay private to the folder.
function(vd_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;MODULES;LIBS" ${ARGN})
  add_library(vd_${name} STATIC ${ARG_SOURCES})
  target_include_directories(vd_${name} PUBLIC ${PROJECT_SOURCE_DIR}/core ${PROJECT_SOURCE_DIR}/core/include)
  list(TRANSFORM ARG_MODULES PREPEND vd_)
  target_link_libraries(vd_${name} PUBLIC ${ARG_MODULES} Threads::Threads PRIVATE ${ARG_LIBS} m)
  set_target_properties(vd_${name} PROPERTIES VD_LIBS "${ARG_LIBS}")
  # libvedette links them too, from the folder above.
  foreach(lib ${ARG_LIBS})
    if(TARGET ${lib})
      set_target_properties(${lib} PROPERTIES IMPORTED_GLOBAL TRUE)
    endif()
  endforeach()
endfunction()

# vd_test(NAME [SOURCES file…] [MODULES name…] [LIBS target…]): a Check program tests/unit/test_NAME.c, run as
# the CTest test unit.NAME.
function(vd_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;MODULES;LIBS" ${ARGN})
  add_executable(test_${name} ${CMAKE_CURRENT_SOURCE_DIR}/test_${name}.c ${ARG_SOURCES})
  list(TRANSFORM ARG_MODULES PREPEND vd_)
  target_link_libraries(test_${name} PRIVATE ${ARG_MODULES} PkgConfig::CHECK ${ARG_LIBS} m)
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  add_test(NAME unit.${name} COMMAND test_${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set(limit 120)
  if(VD_SANITIZE)
    set(limit 480)
  endif()
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT ${limit})
endfunction()
