vd_test(settings MODULES settings LIBS PkgConfig::LIBCONFIG)
vd_test(settings_table MODULES settings LIBS PkgConfig::LIBCONFIG)
vd_test(settings_streaming MODULES settings LIBS PkgConfig::LIBCONFIG)
