add_executable(vedette_app vedette.c)
set_target_properties(vedette_app PROPERTIES OUTPUT_NAME vedette)
target_compile_definitions(vedette_app PRIVATE VD_VERSION="${PROJECT_VERSION}")
target_link_libraries(vedette_app PRIVATE vd_ui vd_serve vd_pipeline PkgConfig::GTK m)

install(TARGETS vedette_app RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${PROJECT_SOURCE_DIR}/resources/org.vedette.Vedette.desktop
  DESTINATION ${CMAKE_INSTALL_DATADIR}/applications)
install(FILES ${PROJECT_SOURCE_DIR}/resources/org.vedette.Vedette.metainfo.xml
  DESTINATION ${CMAKE_INSTALL_DATADIR}/metainfo)
install(FILES ${PROJECT_SOURCE_DIR}/resources/icons/org.vedette.Vedette.svg
  DESTINATION ${CMAKE_INSTALL_DATADIR}/icons/hicolor/scalable/apps)
install(FILES ${PROJECT_SOURCE_DIR}/resources/icons/org.vedette.Vedette-symbolic.svg
  DESTINATION ${CMAKE_INSTALL_DATADIR}/icons/hicolor/symbolic/apps)
