# Headers, library and vedette.pc. The file for pkg-config finds its prefix from where it lies, so that
# `cmake --install --prefix` and DESTDIR give what works in its place.
install(TARGETS vedette LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/vedette DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h"
  PATTERN app EXCLUDE)

set(pc_folder ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
foreach(folder LIBDIR INCLUDEDIR)
  if(IS_ABSOLUTE ${CMAKE_INSTALL_${folder}})
    set(pc_${folder} ${CMAKE_INSTALL_${folder}})
  else()
    set(pc_${folder} "\${prefix}/${CMAKE_INSTALL_${folder}}")
  endif()
endforeach()
if(IS_ABSOLUTE ${pc_folder})
  set(pc_PREFIX ${CMAKE_INSTALL_PREFIX})
else()
  file(RELATIVE_PATH up /${pc_folder} /)
  string(REGEX REPLACE "/$" "" up ${up})
  set(pc_PREFIX "\${pcfiledir}/${up}")
endif()
configure_file(vedette.pc.in vedette.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/vedette.pc DESTINATION ${pc_folder})
