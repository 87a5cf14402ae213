# How far boxes are from the truth on screen, and whether memory stays flat over thousands of frames.
add_executable(overlay_error ${CMAKE_CURRENT_SOURCE_DIR}/overlay_error.c
  ${PROJECT_SOURCE_DIR}/tests/doubles/square_clip.c ${PROJECT_SOURCE_DIR}/tests/doubles/paced_source.c)
target_include_directories(overlay_error PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(overlay_error PRIVATE vd_pipeline m)
add_test(NAME flow.overlay_error COMMAND overlay_error)
set_tests_properties(flow.overlay_error PROPERTIES LABELS "flow;timed" TIMEOUT 120)

add_executable(memory_flat ${CMAKE_CURRENT_SOURCE_DIR}/memory_flat.c)
target_link_libraries(memory_flat PRIVATE vd_pipeline)
target_include_directories(memory_flat PRIVATE ${PROJECT_SOURCE_DIR}/tests)
add_test(NAME flow.memory_flat
  COMMAND memory_flat models/yolov8n-320.onnx clips/person-bicycle-car-detection.mp4
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(flow.memory_flat PROPERTIES LABELS "flow;plain" TIMEOUT 900 COST 50)
