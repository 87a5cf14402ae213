vd_test(crop MODULES verify frame base)
