# A recording survives kill -9: a program that records in real time, and a script that kills it 50 times. Five at once
# take a core: no window beside them.
add_executable(recorder_victim ${CMAKE_CURRENT_SOURCE_DIR}/recorder_victim.c)
target_link_libraries(recorder_victim PRIVATE vd_pipeline)
add_test(NAME flow.kill_recording
  COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/kill_recording.py $<TARGET_FILE:recorder_victim>
          $<TARGET_FILE:source_probe>)
set_tests_properties(flow.kill_recording PROPERTIES LABELS "flow;timed" TIMEOUT 900 PROCESSORS 3)
