vd_test(serve_cameras SOURCES ${PROJECT_SOURCE_DIR}/tests/doubles/fake_source.c MODULES serve pipeline)
set_tests_properties(unit.serve_cameras PROPERTIES RUN_SERIAL ON)
