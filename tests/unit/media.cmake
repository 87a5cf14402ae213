vd_test(encoder MODULES media)
vd_test(source MODULES media)
vd_test(picture MODULES media LIBS PkgConfig::LIBAV)
