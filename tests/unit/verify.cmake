vd_test(crop MODULES verify frame base)
vd_test(verify_clip MODULES verify frame base)

# Stage 2 with real workers; the program they run is the one that is installed.
foreach(name verify verify_queue verify_load verify_often verify_faults verify_model)
  vd_test(${name} MODULES verify model frame base)
  target_compile_definitions(test_${name} PRIVATE VD_VERIFIER="$<TARGET_FILE:vedette-verifier>")
  add_dependencies(test_${name} vedette-verifier)
endforeach()
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
target_link_libraries(test_verify_model PRIVATE PkgConfig::PROTOBUF_C)
