add_executable(vedette-cli
  annotate.c cli.c cmd_check_model.c cmd_detect.c cmd_record.c json_line.c options.c report.c request.c)
target_link_libraries(vedette-cli PRIVATE vd_pipeline vd_settings)
target_compile_definitions(vedette-cli PRIVATE VD_VERSION="${PROJECT_VERSION}")
install(TARGETS vedette-cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
