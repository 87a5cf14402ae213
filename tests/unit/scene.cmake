pkg_check_modules(CAIRO REQUIRED IMPORTED_TARGET cairo)
vd_test(scene MODULES scene LIBS PkgConfig::CAIRO)
vd_test(scene_road MODULES scene)
vd_test(square_clip SOURCES ${PROJECT_SOURCE_DIR}/tests/doubles/square_clip.c MODULES media frame)
