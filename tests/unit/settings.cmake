vd_test(settings MODULES settings)
vd_test(settings_table MODULES settings LIBS PkgConfig::LIBCONFIG)
