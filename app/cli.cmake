add_executable(vedette-cli
  annotate.c bench_compare.c bench_engine.c bench_engine_peers.c bench_line.c bench_load.c bench_needs.c bench_overhead.c bench_scene.c bench_scene_lines.c bench_serve.c bench_serve_load.c bench_serve_pictures.c bench_serve_slowed.c bench_serve_socket.c
  bench_speed.c bench_track.c bench_verify.c bench_verify_scene.c cli.c cmd_bench.c cmd_check_model.c cmd_demo.c cmd_detect.c cmd_devices.c cmd_evaluate.c cmd_record.c cmd_serve.c cmd_track.c
  detections_file.c evaluate_report.c json_line.c json_read.c options.c report.c request.c serve_cameras.c stats_line.c tracking.c)
target_link_libraries(vedette-cli PRIVATE vd_bench vd_evaluate vd_track vd_serve vd_pipeline vd_settings)
add_dependencies(vedette-cli vedette-verifier) # beside it
target_compile_definitions(vedette-cli PRIVATE VD_VERSION="${PROJECT_VERSION}")
install(TARGETS vedette-cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# Benchmarks say which commit they measured.
set(generated ${CMAKE_CURRENT_BINARY_DIR}/generated)
add_custom_target(commit BYPRODUCTS ${generated}/commit.h
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DOUT=${generated}/commit.h
          -P ${PROJECT_SOURCE_DIR}/cmake/commit.cmake)
add_dependencies(vedette-cli commit)
target_include_directories(vedette-cli PRIVATE ${generated})
