vd_test(slowed MODULES bench detect frame base)
vd_test(verify_tally MODULES bench verify frame base)
