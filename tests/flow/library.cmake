# What others get: the library installed into an empty place, the examples built against it with pkg-config alone.
# A library with sanitizers needs programs with sanitizers, so there it is left out.
if(NOT VD_SANITIZE)
  add_test(NAME flow.installed_library
    COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/installed_library.py ${CMAKE_COMMAND} ${PROJECT_BINARY_DIR}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(flow.installed_library PROPERTIES LABELS "flow;plain" TIMEOUT 900
    ENVIRONMENT "CC=${CMAKE_C_COMPILER};CXX=${CMAKE_CXX_COMPILER}")
endif()
