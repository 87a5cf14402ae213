vd_test(monitor MODULES monitor base LIBS ${CMAKE_DL_LIBS})

# The double of NVIDIA's library is found by its name, as the real one would be.
add_library(nvml_double MODULE ${PROJECT_SOURCE_DIR}/tests/doubles/nvml_double.c)
target_compile_options(nvml_double PRIVATE -fno-sanitize=all -fvisibility=default)
target_link_options(nvml_double PRIVATE -fno-sanitize=all)
set_target_properties(nvml_double PROPERTIES OUTPUT_NAME nvidia-ml SUFFIX .so.1
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/nvml)
add_dependencies(test_monitor nvml_double)
set_tests_properties(unit.monitor PROPERTIES ENVIRONMENT "LD_LIBRARY_PATH=${CMAKE_CURRENT_BINARY_DIR}/nvml")
