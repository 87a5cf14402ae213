vd_test(engine MODULES engine model frame base)
vd_test(net_same MODULES engine model frame base)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
target_link_libraries(test_net_same PRIVATE PkgConfig::PROTOBUF_C)
vd_test(kernels SOURCES conv_case.c MODULES engine base)
vd_test(choices MODULES engine base)
vd_test(acts MODULES engine base)
vd_test(passes MODULES engine base)
vd_test(plan SOURCES plan_case.c plan_chance.c plan_reference.c MODULES engine base)

# The same over kernels in plain loops: on every machine, and under sanitizers.
file(GLOB plan_sources ${PROJECT_SOURCE_DIR}/core/engine/plan*.c)
add_executable(test_plan_plain test_plan.c plan_case.c plan_chance.c plan_reference.c
  ${PROJECT_SOURCE_DIR}/tests/doubles/naive_kernels.c ${plan_sources})
target_link_libraries(test_plan_plain PRIVATE vd_model vd_base PkgConfig::CHECK m)
target_include_directories(test_plan_plain PRIVATE ${PROJECT_SOURCE_DIR}/tests)
add_test(NAME unit.plan_plain COMMAND test_plan_plain WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(unit.plan_plain PROPERTIES LABELS unit TIMEOUT 480)
