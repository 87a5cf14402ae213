# The detector behind a double: one program a subject.
set(vd_gate_detector ${PROJECT_SOURCE_DIR}/tests/doubles/gate_detector.c ${CMAKE_CURRENT_SOURCE_DIR}/detector_case.c)
vd_test(detector SOURCES ${vd_gate_detector} MODULES detect model engine frame base)
vd_test(detector_batch SOURCES ${vd_gate_detector} MODULES detect model engine frame base)
vd_test(detector_shutdown SOURCES ${vd_gate_detector} MODULES detect model engine frame base)
vd_test(detector_load SOURCES ${vd_gate_detector} MODULES detect model engine frame base)
vd_test(detector_same SOURCES ${vd_gate_detector} MODULES detect media model engine frame base)
vd_test(detector_alloc SOURCES ${vd_gate_detector} MODULES detect model engine frame base)
target_link_options(test_detector_alloc PRIVATE
  -Wl,--wrap=malloc,--wrap=calloc,--wrap=aligned_alloc,--wrap=pthread_create)
vd_test(candidates MODULES detect frame base)
vd_test(builtin MODULES detect model engine frame base)
vd_test(yolo_decode MODULES detect model engine frame base)
vd_test(yolo MODULES detect media model engine frame base)
