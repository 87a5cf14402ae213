# Sources from outside: broken and unusual files, cameras and servers that are played by doubles.
add_test(NAME flow.odd_clips
  COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/odd_clips.py $<TARGET_FILE:source_probe>
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(flow.odd_clips PROPERTIES LABELS flow TIMEOUT 900)
add_executable(camera_probe ${CMAKE_CURRENT_SOURCE_DIR}/camera_probe.c)
target_link_libraries(camera_probe PRIVATE vd_pipeline)
add_test(NAME flow.live_sources
  COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/live_sources.py $<TARGET_FILE_DIR:source_probe>
          ${PROJECT_SOURCE_DIR}/tests/doubles)
set_tests_properties(flow.live_sources PROPERTIES LABELS flow TIMEOUT 900 RUN_SERIAL ON)
