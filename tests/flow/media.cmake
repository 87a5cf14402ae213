# Sources from outside: broken and unusual files, cameras and servers that are played by doubles.
add_test(NAME flow.odd_clips
  COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/odd_clips.py $<TARGET_FILE:source_probe>
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(flow.odd_clips PROPERTIES LABELS flow TIMEOUT 900)
add_executable(camera_probe ${CMAKE_CURRENT_SOURCE_DIR}/camera_probe.c)
target_link_libraries(camera_probe PRIVATE vd_pipeline)
foreach(part Camera Http Rtsp Misbehaving)
  string(TOLOWER ${part} name)
  add_test(NAME flow.live_${name}
    COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/live_sources.py $<TARGET_FILE_DIR:source_probe>
            ${PROJECT_SOURCE_DIR}/tests/doubles ${part})
  set_tests_properties(flow.live_${name} PROPERTIES LABELS "flow;timed" TIMEOUT 900)
endforeach()
# Whether pictures come at the camera's own pace is asked of a machine that has nothing else to do.
set_tests_properties(flow.live_camera PROPERTIES PROCESSORS 4)
