add_test(NAME flow.bench_lines
  COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/bench_lines.py $<TARGET_FILE:vedette-cli>
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(flow.bench_lines PROPERTIES LABELS "flow;plain" TIMEOUT 400 RUN_SERIAL ON)
