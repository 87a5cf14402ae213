# The streaming interface as others see it: its page, its description, its guide, its client.
function(vd_serve_test name)
  add_test(NAME flow.${name} COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/${name}.py $<TARGET_FILE:vedette-cli>
    ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(flow.${name} PROPERTIES LABELS flow TIMEOUT 600 SKIP_RETURN_CODE 77)
endfunction()

vd_serve_test(serve_page ${PROJECT_BINARY_DIR}/npm)
vd_serve_test(serve_openapi)
vd_serve_test(serve_docs $<TARGET_FILE:streaming_client>)
vd_serve_test(serve_client $<TARGET_FILE:streaming_client>)
# A browser beside programs with sanitizers takes minutes, and tells nothing new of them.
set_tests_properties(flow.serve_page PROPERTIES LABELS "flow;plain")
