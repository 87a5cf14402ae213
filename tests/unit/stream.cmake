vd_test(run SOURCES ${PROJECT_SOURCE_DIR}/tests/doubles/fake_source.c MODULES stream)
