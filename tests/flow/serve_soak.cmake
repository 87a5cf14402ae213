# Sessions opened and dropped in every state. Under sanitizers memory is not compared (they keep what is freed), leaks
# are theirs to find.
set(soak /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/serve_soak.py $<TARGET_FILE:vedette-cli>)
if(VD_SANITIZE)
  list(APPEND soak --no-memory --sessions 250)
endif()
add_test(NAME flow.serve_soak COMMAND ${soak} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(flow.serve_soak PROPERTIES LABELS flow TIMEOUT 300)

# Ten thousand of them: tests/run soak.
add_test(NAME soak.serve COMMAND ${soak} --sessions 10000 WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(soak.serve PROPERTIES LABELS soak TIMEOUT 3600 RUN_SERIAL ON)
