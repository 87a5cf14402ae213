foreach(name config message access heads session tracks)
  vd_test(serve_${name} MODULES serve LIBS PkgConfig::JANSSON)
endforeach()
vd_test(serve_slow MODULES serve LIBS PkgConfig::JANSSON)
vd_test(serve_sessions SOURCES session_walk.c MODULES serve LIBS PkgConfig::JANSSON)
vd_test(serve_findings SOURCES session_walk.c ${PROJECT_SOURCE_DIR}/tests/fuzz/entry_serve.c MODULES serve
  LIBS PkgConfig::JANSSON)
vd_test(serve_http MODULES serve)
# Memory that runs out.
vd_test(serve_memory MODULES serve LIBS PkgConfig::JANSSON)
vd_shortage(test_serve_memory)
vd_test(serve_work SOURCES ${PROJECT_SOURCE_DIR}/tests/doubles/gate_detector.c MODULES serve)
vd_test(serve_cameras SOURCES ${PROJECT_SOURCE_DIR}/tests/doubles/fake_source.c MODULES serve pipeline)
# Stage 2 with real workers.
vd_test(serve_step2 SOURCES ${PROJECT_SOURCE_DIR}/tests/doubles/fake_source.c MODULES serve pipeline verify
  LIBS PkgConfig::JANSSON)
target_compile_definitions(test_serve_step2 PRIVATE VD_VERIFIER="$<TARGET_FILE:vedette-verifier>")
add_dependencies(test_serve_step2 vedette-verifier)
vd_test(serve_work_alloc SOURCES ${PROJECT_SOURCE_DIR}/tests/doubles/gate_detector.c MODULES serve)
vd_shortage(test_serve_work_alloc)
