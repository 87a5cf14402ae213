pkg_check_modules(CAIRO REQUIRED IMPORTED_TARGET cairo)
vd_test(scene MODULES scene LIBS PkgConfig::CAIRO)
