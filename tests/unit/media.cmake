vd_test(encoder MODULES media)
vd_test(source MODULES media)
vd_test(picture SOURCES ${PROJECT_SOURCE_DIR}/tests/fuzz/entry_picture.c MODULES media LIBS PkgConfig::LIBAV)
