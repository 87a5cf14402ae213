vd_test(settings MODULES settings LIBS PkgConfig::LIBCONFIG)
