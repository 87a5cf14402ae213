# The service against clients, well-behaved ones and others (tests/flow/streaming.py).
foreach(part serve_flow serve_hostile serve_http serve_security)
  add_test(NAME flow.${part} COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/${part}.py $<TARGET_FILE:vedette-cli>
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(flow.${part} PROPERTIES LABELS "flow;timed" TIMEOUT 300 PROCESSORS 2)
  if(VD_SANITIZE) # which keeps what is freed: memory is not compared
    set_property(TEST flow.${part} APPEND PROPERTY ENVIRONMENT "VEDETTE_TEST_SANITIZED=1")
  endif()
endforeach()
