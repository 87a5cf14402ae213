vd_test(encoder MODULES media)
vd_test(source MODULES media)
