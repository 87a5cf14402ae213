foreach(name config message)
  vd_test(serve_${name} MODULES serve LIBS PkgConfig::JANSSON)
endforeach()
vd_test(serve_work SOURCES ${PROJECT_SOURCE_DIR}/tests/doubles/gate_detector.c MODULES serve)
