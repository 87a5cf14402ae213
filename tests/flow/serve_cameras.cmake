# Cameras that are watched through the service.
add_test(NAME flow.serve_cameras
  COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/serve_cameras.py $<TARGET_FILE:vedette-cli>
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(flow.serve_cameras PROPERTIES LABELS "flow;timed" TIMEOUT 180 PROCESSORS 2)
