vd_test(encoder MODULES media)
