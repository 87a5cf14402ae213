# Nothing is allocated for a frame once a clip is under way. Sanitizers have a malloc of their own.
if(NOT VD_SANITIZE)
  add_executable(steady_allocations ${CMAKE_CURRENT_SOURCE_DIR}/steady_allocations.c)
  target_link_libraries(steady_allocations PRIVATE vd_bench ${CMAKE_DL_LIBS})
  add_test(NAME flow.steady_allocations COMMAND steady_allocations WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(flow.steady_allocations PROPERTIES LABELS "flow;plain" TIMEOUT 900)
endif()
