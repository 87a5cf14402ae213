vd_test(timeline MODULES pipeline)
vd_test(boxes MODULES pipeline)
vd_test(camera SOURCES ${PROJECT_SOURCE_DIR}/tests/doubles/fake_source.c MODULES pipeline)
set_tests_properties(unit.camera PROPERTIES RUN_SERIAL ON)
