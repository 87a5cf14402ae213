add_test(NAME flow.bench_lines
  COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/bench_lines.py $<TARGET_FILE:vedette-cli> Lines
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(flow.bench_lines PROPERTIES LABELS "flow;plain" TIMEOUT 400 COST 60)
add_test(NAME flow.bench_times
  COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/bench_lines.py $<TARGET_FILE:vedette-cli> Times
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(flow.bench_times PROPERTIES LABELS "flow;plain" TIMEOUT 400 RUN_SERIAL ON)

# The figures themselves, with their bounds: a long run that wants a machine for itself (tests/run bench).
add_test(NAME bench.async
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/bench_async $<TARGET_FILE:vedette-cli> WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(bench.async PROPERTIES LABELS bench TIMEOUT 3600 RUN_SERIAL ON)
add_test(NAME bench.engine
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/bench_engine $<TARGET_FILE:vedette-cli> WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(bench.engine PROPERTIES LABELS bench TIMEOUT 3600 RUN_SERIAL ON)
add_test(NAME bench.scene
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/bench_scene $<TARGET_FILE:vedette-cli> WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(bench.scene PROPERTIES LABELS bench TIMEOUT 3600 RUN_SERIAL ON)
add_test(NAME bench.verify
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/bench_verify $<TARGET_FILE:vedette-cli> WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(bench.verify PROPERTIES LABELS bench TIMEOUT 3600 RUN_SERIAL ON)
add_test(NAME bench.serve
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/bench_serve $<TARGET_FILE:vedette-cli> WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(bench.serve PROPERTIES LABELS bench TIMEOUT 3600 RUN_SERIAL ON)

# The models' figures, which are no matter of time: a minute of work.
add_test(NAME flow.scene_accuracy
  COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/scene_accuracy.py $<TARGET_FILE:vedette-cli>
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(flow.scene_accuracy PROPERTIES LABELS "flow;plain" TIMEOUT 400 COST 50)
